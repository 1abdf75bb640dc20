#include "bench/report/svg.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>

#include "bench/lab/text.hpp"
#include "bench/report/html_text.hpp"

namespace pilotfish::bench {
namespace {

constexpr double kCharacter = 6.7;  // of the system's sans-serif at 12 px, on the generous side

/// A tenth of a pixel is enough, and keeps large timelines small.
std::string number(double value) {
  auto text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string point_list(const std::vector<std::pair<double, double>>& points) {
  std::string text;
  for (const auto& [x, y] : points) {
    if (!text.empty()) text += ' ';
    text += number(x) + ',' + number(y);
  }
  return "points=\"" + text + "\"";
}

}  // namespace

Svg::Svg(double width, double height, std::string_view label)
    : text_(fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", number(width),
                        number(height), html(label))) {}

void Svg::shape(std::string_view name, const std::string& geometry, std::string_view classes,
                std::string_view title) {
  text_ += fmt::format("<{} {} class=\"{}\"", name, geometry, classes);
  text_ += title.empty() ? "/>" : fmt::format("><title>{}</title></{}>", html(title), name);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view classes) {
  shape("line",
        fmt::format("x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"", number(x1), number(y1), number(x2),
                    number(y2)),
        classes, {});
}

void Svg::rect(double x, double y, double width, double height, std::string_view classes,
               std::string_view title) {
  shape("rect",
        fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", number(x), number(y),
                    number(std::max(width, 0.0)), number(std::max(height, 0.0))),
        classes, title);
}

void Svg::circle(double x, double y, double radius, std::string_view classes,
                 std::string_view title) {
  shape("circle", fmt::format("cx=\"{}\" cy=\"{}\" r=\"{}\"", number(x), number(y), number(radius)),
        classes, title);
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, std::string_view classes,
                   std::string_view title) {
  shape("polyline", point_list(points), classes, title);
}

void Svg::polygon(const std::vector<std::pair<double, double>>& points, std::string_view classes,
                  std::string_view title) {
  shape("polygon", point_list(points), classes, title);
}

void Svg::text(double x, double y, std::string_view text, std::string_view classes,
               std::string_view anchor) {
  text_ += fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\" text-anchor=\"{}\">{}</text>",
                       number(x), number(y), classes, anchor, html(text));
}

std::string Svg::take() {
  return std::move(text_) + "</svg>";
}

double text_width(std::string_view text) {
  return static_cast<double>(columns(text)) * kCharacter;
}

std::string fit_text(std::string_view text, double width) {
  if (text_width(text) <= width) return std::string(text);
  const auto room = static_cast<std::size_t>(std::max(width / kCharacter, 2.0));
  return fit_left(text, room - 1) + "\xe2\x80\xa6";
}

std::vector<double> linear_ticks(double highest, int count) {
  if (!(highest > 0) || !std::isfinite(highest)) return {0, 1};
  const double rough = highest / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks{0};
  while (ticks.back() < highest) ticks.push_back(step * static_cast<double>(ticks.size()));
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  const bool few = high / low > 1000;
  std::vector<double> ticks;
  for (int power = static_cast<int>(std::floor(std::log10(low)));; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (few && factor > 1) continue;
      const double tick = factor * std::pow(10, power);
      if (tick <= low) ticks.clear();
      ticks.push_back(tick);
      if (tick >= high && ticks.size() > 1) return ticks;
    }
  }
}

}  // namespace pilotfish::bench
