#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "bench/report/plots.hpp"
#include "bench/report/svg.hpp"

namespace pilotfish::bench {
namespace {

constexpr double kWidth = 290;
constexpr double kRow = 34;
constexpr double kValue = 78;  // room for the number on the right
constexpr double kBar = 12;

}  // namespace

std::string colour_of(const std::string& contender, std::size_t position) {
  constexpr auto kNamed =
      std::to_array<const char*>({"direct", "pilotfish", "haproxy", "nginx", "envoy"});
  const auto* const found = std::ranges::find(kNamed, contender);
  constexpr std::size_t kOthers = 3;
  return fmt::format("c{}", found == kNamed.end()
                                ? kNamed.size() + position % kOthers
                                : static_cast<std::size_t>(found - kNamed.begin()));
}

std::string bar_plot(const FigureInfo& info, const std::vector<Bar>& bars) {
  double highest = 0;
  double largest = 0;
  for (const auto& bar : bars) {
    highest = std::max(highest, bar.summary.high);
    largest = std::max(largest, bar.summary.median);
  }
  const auto scale = scale_for(info.unit, largest);
  Svg svg(kWidth, kRow * static_cast<double>(bars.size()) + 4,
          info.title + " of each contender; the table below has the numbers");
  const double full = highest > 0 ? highest : 1;
  const auto at = [&](double value) { return std::max(value, 0.0) / full * (kWidth - kValue); };
  double y = 0;
  for (const auto& bar : bars) {
    const auto& [median, low, high, rounds] = bar.summary;
    const auto title =
        fmt::format("{}: {} ({} to {} in {} rounds)", bar.name, value_text(median, scale),
                    value_text(low, scale), value_text(high, scale), rounds);
    svg.text(0, y + 12, fit_text(bar.name, kWidth - kValue), "tick");
    const double middle = y + 17 + kBar / 2;
    svg.rect(0, y + 17, kWidth - kValue, kBar, "track");
    svg.rect(0, y + 17, std::max(at(median), median > 0 ? 1.5 : 0), kBar, "bar " + bar.colour,
             title);
    if (rounds > 1) {
      svg.line(at(low), middle, at(high), middle, "whisker");
      svg.line(at(low), middle - 4, at(low), middle + 4, "whisker");
      svg.line(at(high), middle - 4, at(high), middle + 4, "whisker");
    }
    svg.text(kWidth, y + 28, value_text(median, scale), "value", "end");
    y += kRow;
  }
  return svg.take();
}

}  // namespace pilotfish::bench
