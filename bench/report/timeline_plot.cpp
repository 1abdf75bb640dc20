#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>

#include "bench/report/plots.hpp"
#include "bench/report/svg.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kRows = 3;        // of events' labels above the picture
constexpr std::size_t kMostWords = 12;  // more events have their numbers alone
constexpr double kRowHeight = 19;
constexpr double kStrip = 26;  // failures
constexpr double kAxis = 38;
constexpr double kBadge = 8;

class Plot {
 public:
  Plot(const Timeline& timeline, const TimelineView& view, Room room)
      : timeline_(timeline),
        view_(view),
        wide_(room == Room::kWide),
        width_(wide_ ? 900 : 380),
        left_(wide_ ? 62 : 46),
        right_(width_ - 14),
        plot_(wide_ ? 220 : 180),
        top_(timeline.events.empty() ? 10 : kRowHeight * kRows + 8) {
    for (const auto& layer : view.layers) buckets_ = std::max(buckets_, layer.per_second.size());
    buckets_ = std::max(buckets_, view.failed.size());
    length_ms_ = std::max(view.bucket_ms * static_cast<double>(buckets_), 1.0);
    for (const auto& event : timeline.events) length_ms_ = std::max(length_ms_, event.at_ms);
    ticks_ = linear_ticks(highest(), 4);
  }

  std::string draw() {
    const double height = top_ + plot_ + (view_.failed.empty() ? 0 : kStrip) + kAxis;
    Svg svg(width_, height,
            "Requests per second of each instance over time, with events and failures; the list "
            "and the table below say the same");
    draw_grid(svg);
    if (view_.others.count == 0) {
      draw_layers(svg);
    } else {
      draw_lines(svg);
    }
    draw_failures(svg);
    draw_time(svg);
    draw_events(svg);
    return svg.take();
  }

 private:
  [[nodiscard]] double x(double ms) const { return left_ + ms / length_ms_ * (right_ - left_); }
  [[nodiscard]] double y(double per_second) const {
    return top_ + plot_ * (1 - per_second / ticks_.back());
  }
  [[nodiscard]] double base() const { return top_ + plot_; }
  [[nodiscard]] double bottom() const { return base() + (view_.failed.empty() ? 0 : kStrip); }

  [[nodiscard]] double highest() const {
    double most = 0;
    if (view_.others.count != 0) {
      for (const double value : view_.others.high) most = std::max(most, value);
      for (const auto& layer : view_.layers) {
        for (const double value : layer.per_second) most = std::max(most, value);
      }
      return most;
    }
    for (std::size_t i = 0; i < buckets_; ++i) {
      double sum = 0;
      for (const auto& layer : view_.layers) {
        if (i < layer.per_second.size()) sum += layer.per_second[i];
      }
      most = std::max(most, sum);
    }
    return most;
  }

  void draw_grid(Svg& svg) const {
    for (const double tick : ticks_) {
      svg.line(left_, y(tick), right_, y(tick), "grid");
      svg.text(left_ - 6, y(tick) + 4, fmt::format("{:g}", tick), "tick", "end");
    }
    svg.text(left_ - 6, top_ - 12, "/s", "tick", "end");
  }

  /// Steps, since a bucket says nothing of what is inside of it.
  void draw_layers(Svg& svg) const {
    std::vector<double> floor(buckets_);
    for (const auto& layer : view_.layers) {
      std::vector<std::pair<double, double>> edge;
      std::vector<std::pair<double, double>> under;
      for (std::size_t i = 0; i < layer.per_second.size(); ++i) {
        const double from = x(static_cast<double>(i) * view_.bucket_ms);
        const double to = x(static_cast<double>(i + 1) * view_.bucket_ms);
        const double above = floor[i] + layer.per_second[i];
        add_step(edge, from, to, y(above));
        add_step(under, from, to, y(floor[i]));
        floor[i] = above;
      }
      edge.insert(edge.end(), under.rbegin(), under.rend());
      svg.polygon(edge, "area " + layer.colour,
                  fmt::format("{}: {} requests", layer.name, layer.total));
    }
  }

  [[nodiscard]] std::vector<std::pair<double, double>> steps(
      const std::vector<double>& values) const {
    std::vector<std::pair<double, double>> line;
    for (std::size_t i = 0; i < values.size(); ++i) {
      add_step(line, x(static_cast<double>(i) * view_.bucket_ms),
               x(static_cast<double>(i + 1) * view_.bucket_ms), y(values[i]));
    }
    return line;
  }

  void draw_lines(Svg& svg) const {
    const auto& others = view_.others;
    auto band = steps(others.high);
    const auto low = steps(others.low);
    band.insert(band.end(), low.rbegin(), low.rend());
    svg.polygon(band, "band",
                fmt::format("the other {}: from the idlest to the busiest", others.count));
    svg.polyline(steps(others.middle), "middle", "the one in the middle of the others");
    for (const auto& layer : view_.layers) {
      svg.polyline(steps(layer.per_second), "thin " + layer.colour,
                   fmt::format("{}: {} requests", layer.name, layer.total));
    }
  }

  static void add_step(std::vector<std::pair<double, double>>& line, double from, double to,
                       double height) {
    constexpr double kSame = 0.05;
    if (line.size() > 1 && std::abs(line.back().second - height) < kSame) {
      line.back().first = to;
      return;
    }
    line.emplace_back(from, height);
    line.emplace_back(to, height);
  }

  void draw_failures(Svg& svg) const {
    if (view_.failed.empty()) return;
    const double room = kStrip - 6;
    svg.rect(left_, base() + 4, right_ - left_, room, "track");
    svg.text(left_ - 6, base() + 18, "failed", "tick", "end");
    const auto most = static_cast<double>(*std::ranges::max_element(view_.failed));
    for (std::size_t i = 0; i < view_.failed.size(); ++i) {
      if (view_.failed[i] == 0) continue;
      const double height = std::max(room * static_cast<double>(view_.failed[i]) / most, 5.0);
      const double from = x(static_cast<double>(i) * view_.bucket_ms);
      const double width = x(static_cast<double>(i + 1) * view_.bucket_ms) - from;
      svg.rect(from, base() + 4 + room - height, std::max(width, 3.0), height, "failed",
               fmt::format("{} failed at {:.2f}s", view_.failed[i],
                           static_cast<double>(i) * view_.bucket_ms / 1000));
    }
    if (view_.total_failed == 0) svg.text(left_ + 6, base() + 18, "none", "tick");
  }

  void draw_time(Svg& svg) const {
    svg.line(left_, bottom(), right_, bottom(), "axis");
    const auto ticks = linear_ticks(length_ms_ / 1000, wide_ ? 9 : 4);
    for (const double tick : ticks) {
      if (tick * 1000 > length_ms_ * 1.001) break;
      svg.line(x(tick * 1000), bottom(), x(tick * 1000), bottom() + 4, "axis");
      svg.text(x(tick * 1000), bottom() + 18, fmt::format("{:g}s", tick), "tick", "middle");
    }
  }

  void draw_events(Svg& svg) const {
    for (const auto& event : timeline_.events) {
      svg.line(at(event), top_, at(event), bottom(), "event");
    }
    std::array<double, kRows> free{};
    for (std::size_t i = 0; i < timeline_.events.size(); ++i) {
      label(svg, free, at(timeline_.events[i]), std::to_string(i + 1), timeline_.events[i].what);
    }
  }

  [[nodiscard]] double at(const TimelineEvent& event) const {
    return std::clamp(x(event.at_ms), left_, right_);
  }

  /// A number, and the words beside it where there is room in one of the rows. Where there is not
  /// even room for the number, the list below has it.
  void label(Svg& svg, std::array<double, kRows>& free, double at, const std::string& number,
             const std::string& what) const {
    const bool wanted = wide_ && timeline_.events.size() <= kMostWords;
    const double words = text_width(what) + 4;
    std::size_t row = kRows;
    bool right = true;
    for (std::size_t i = 0; wanted && i < kRows && row == kRows; ++i) {
      if (at - kBadge < free[i]) continue;
      if (at + kBadge + words <= right_) {
        row = i;
      } else if (at - kBadge - words >= free[i]) {
        row = i;
        right = false;
      }
    }
    const bool written = row != kRows;
    if (!written) {
      const auto* const room =
          std::ranges::find_if(free, [at](double from) { return at - kBadge >= from; });
      if (room == free.end()) return;
      row = static_cast<std::size_t>(room - free.begin());
    }
    const double middle = kRowHeight * static_cast<double>(row) + kBadge + 3;
    svg.line(at, middle + kBadge, at, top_, "event");
    svg.circle(at, middle, kBadge, "badge", what);
    svg.text(at, middle + 4, number, "number", "middle");
    if (written) {
      svg.text(right ? at + kBadge + 3 : at - kBadge - 3, middle + 4, what, "halo",
               right ? "start" : "end");
    }
    free[row] = at + kBadge + 2 + (written && right ? words : 0);
  }

  const Timeline& timeline_;
  const TimelineView& view_;
  const bool wide_;
  double width_ = 0, left_ = 0, right_ = 0, plot_ = 0, top_ = 0, length_ms_ = 1;
  std::size_t buckets_ = 0;
  std::vector<double> ticks_;
};

}  // namespace

std::string timeline_plot(const Timeline& timeline, const TimelineView& view, Room room) {
  return Plot(timeline, view, room).draw();
}

}  // namespace pilotfish::bench
