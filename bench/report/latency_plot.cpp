#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>
#include <limits>
#include <ranges>

#include "bench/report/plots.hpp"
#include "bench/report/svg.hpp"

namespace pilotfish::bench {
namespace {

constexpr double kTop = 12;
constexpr double kBottom = 42;
constexpr double kLabelHeight = 15;
constexpr double kBeyond = 0.5;  // nines from the last known percentile to the slowest request

/// 0 at the fastest, 1 at 90 %, 2 at 99 %; the slowest is one beyond the last that is known.
double nines(double fraction) {
  return -std::log10(1 - fraction);
}

struct Frame {
  double width, height, left, right;
  double most_nines = 1;
  bool slowest = false;
  std::vector<double> ticks;

  [[nodiscard]] double x(double n) const { return left + n / most_nines * (right - left); }
  [[nodiscard]] double y(double us) const {
    const double low = std::log10(ticks.front());
    const double share = (std::log10(us) - low) / (std::log10(ticks.back()) - low);
    return height - kBottom - share * (height - kBottom - kTop);
  }
};

Frame frame_for(const std::vector<Curve>& curves, Room room) {
  Frame frame{.width = 900, .height = 340, .left = 62, .right = 780};
  if (room == Room::kNarrow) frame = {.width = 380, .height = 280, .left = 50, .right = 366};
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  double last = 0;
  for (const auto& curve : curves) {
    for (const auto& [fraction, us] : curve.latency) {
      if (us > 0) low = std::min(low, us);
      high = std::max(high, us);
      frame.slowest = frame.slowest || fraction >= 1;
      if (fraction < 1) last = std::max(last, nines(fraction));
    }
  }
  if (high <= 0) return frame;
  frame.most_nines = std::max(last, 1.0) + (frame.slowest ? kBeyond : 0);
  frame.ticks = log_ticks(low, high);
  return frame;
}

/// `2ms`, not `2.00ms`: marks of the scale are round.
std::string short_value(double us) {
  const auto scale = scale_for(Unit::kMicroseconds, us * 10);
  return fmt::format("{:g}{}", us / scale.divisor, scale.unit);
}

void draw_axes(Svg& svg, const Frame& frame) {
  const double base = frame.height - kBottom;
  for (const double tick : frame.ticks) {
    svg.line(frame.left, frame.y(tick), frame.right, frame.y(tick), "grid");
    svg.text(frame.left - 6, frame.y(tick) + 4, short_value(tick), "tick", "end");
  }
  if (frame.slowest) {
    svg.text(frame.right, base + 17, "slowest", "tick", "end");
  }
  struct Mark {
    double fraction;
    const char* text;
  };
  static constexpr auto kMarks = std::to_array<Mark>({{0, "0"},
                                                      {0.5, "50%"},
                                                      {0.9, "90%"},
                                                      {0.99, "99%"},
                                                      {0.999, "99.9%"},
                                                      {0.9999, "99.99%"},
                                                      {0.99999, "99.999%"}});
  double free = 0;
  for (const auto& mark : kMarks) {
    if (nines(mark.fraction) > frame.most_nines + 0.01) break;
    const double x = frame.x(nines(mark.fraction));
    svg.line(x, kTop, x, base, "grid");
    const double half = text_width(mark.text) / 2;
    const double limit = frame.slowest ? frame.right - text_width("slowest") - 4 : frame.width;
    if (x - half < free || x + half > limit) continue;
    svg.text(x, base + 17, mark.text, "tick", "middle");
    free = x + half + 4;
  }
  svg.line(frame.left, base, frame.right, base, "axis");
  svg.text((frame.left + frame.right) / 2, frame.height - 6, "percentile of requests", "tick",
           "middle");
}

/// Names at the ends of the curves, moved apart where they would cover each other.
void draw_names(Svg& svg, const Frame& frame, const std::vector<Curve>& curves) {
  struct Name {
    double y;
    const Curve* curve;
  };
  std::vector<Name> names;
  for (const auto& curve : curves) {
    if (!curve.latency.empty() && curve.latency.back().second > 0) {
      names.push_back({frame.y(curve.latency.back().second), &curve});
    }
  }
  std::ranges::sort(names, {}, &Name::y);
  double free = kTop;
  for (auto& name : names) {
    name.y = std::max(name.y, free);
    free = name.y + kLabelHeight;
  }
  double limit = frame.height - kBottom + 4;
  for (auto& name : names | std::views::reverse) {
    name.y = std::min(name.y, limit);
    limit = name.y - kLabelHeight;
  }
  for (const auto& name : names) {
    svg.text(frame.right + 8, name.y + 4, fit_text(name.curve->name, frame.width - frame.right - 8),
             "name " + name.curve->colour);
  }
}

}  // namespace

std::string latency_plot(const std::vector<Curve>& curves, Room room) {
  const auto frame = frame_for(curves, room);
  if (frame.ticks.empty()) return "";
  Svg svg(frame.width, frame.height,
          "Latency by percentile, one curve per contender; the table below has the numbers");
  draw_axes(svg, frame);
  for (const auto& curve : curves) {
    std::vector<std::pair<double, double>> points;
    for (const auto& [fraction, us] : curve.latency) {
      if (us <= 0) continue;
      const double x = frame.x(fraction >= 1 ? frame.most_nines : nines(fraction));
      points.emplace_back(x, frame.y(us));
    }
    if (points.empty()) continue;
    svg.polyline(points, "curve " + curve.colour, curve.name);
    for (const auto& [fraction, us] : curve.latency) {
      if (us <= 0) continue;
      const double x = frame.x(fraction >= 1 ? frame.most_nines : nines(fraction));
      const auto at = fraction >= 1 ? "slowest" : fmt::format("{:g}%", fraction * 100);
      svg.circle(x, frame.y(us), 7, "hit",
                 fmt::format("{}: {} {}", curve.name, at, value_text(us, Unit::kMicroseconds)));
    }
  }
  if (room == Room::kWide) draw_names(svg, frame, curves);
  return svg.take();
}

}  // namespace pilotfish::bench
