#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pilotfish::bench {

/// Writes one inline SVG picture. Colours and fonts come from the page's classes. Texts are escaped
/// here. Pure.
class Svg {
 public:
  /// `label`: what a screen reader says instead of the picture.
  Svg(double width, double height, std::string_view label);

  void line(double x1, double y1, double x2, double y2, std::string_view classes);
  /// `title` shows when pointed at; empty: none.
  void rect(double x, double y, double width, double height, std::string_view classes,
            std::string_view title = {});
  void circle(double x, double y, double radius, std::string_view classes,
              std::string_view title = {});
  void polyline(const std::vector<std::pair<double, double>>& points, std::string_view classes,
                std::string_view title = {});
  void polygon(const std::vector<std::pair<double, double>>& points, std::string_view classes,
               std::string_view title = {});
  /// `anchor`: start, middle or end.
  void text(double x, double y, std::string_view text, std::string_view classes,
            std::string_view anchor = "start");

  [[nodiscard]] std::string take();

 private:
  void shape(std::string_view name, const std::string& geometry, std::string_view classes,
             std::string_view title);

  std::string text_;
};

/// How wide a text is about, at the 12 px that pictures are labelled with.
[[nodiscard]] double text_width(std::string_view text);
/// Cut to the width, with an ellipsis.
[[nodiscard]] std::string fit_text(std::string_view text, double width);

/// Round values from 0 up to just above `highest`, about `count` of them; 0 and 1 of nothing.
[[nodiscard]] std::vector<double> linear_ticks(double highest, int count);
/// 1, 2 and 5 times powers of ten that span low..high (only 1 where that is more than three
/// decades); the first is at most `low`, the last at least `high`. Both above 0.
[[nodiscard]] std::vector<double> log_ticks(double low, double high);

}  // namespace pilotfish::bench
