#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/report/figures.hpp"
#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// The pictures of report.html as inline SVG. Each is drawn for a wide and for a narrow page, since
/// a picture that is scaled down to a telephone has labels that nobody can read. Pure.

enum class Room : std::uint8_t { kWide, kNarrow };

/// The class that gives a contender its colour, the same one all over the page: `c1` is pilotfish,
/// `c0` direct; haproxy, nginx and envoy have theirs, `position` (among the others) decides else.
[[nodiscard]] std::string colour_of(const std::string& contender, std::size_t position);

struct Curve {
  std::string name;
  std::string colour;                              ///< class
  std::vector<std::pair<double, double>> latency;  ///< (fraction, microseconds)
};
/// Percentiles to the right on a scale of nines, microseconds up, both logarithmic. Empty where no
/// curve has a point.
[[nodiscard]] std::string latency_plot(const std::vector<Curve>& curves, Room room);

struct Bar {
  std::string name;
  std::string colour;
  Summary summary;
  std::vector<double> rounds;
};
/// A bar per contender: the median, a dot per round, a whisker from low to high.
[[nodiscard]] std::string bar_plot(const FigureInfo& info, const std::vector<Bar>& bars);

/// What is drawn of a timeline: few enough instances to tell apart, the others added up.
struct Layer {
  std::string name;
  std::string colour;
  std::vector<double> per_second;
  std::uint64_t total = 0;
};
/// Instances that are not drawn by themselves: per second of the idlest, the one in the middle and
/// the busiest, in each bucket.
struct Others {
  std::size_t count = 0;
  std::uint64_t total = 0;
  std::vector<double> low, middle, high;
};
struct TimelineView {
  std::vector<Layer> layers;  ///< from the bottom up
  Others others;
  std::vector<std::uint64_t> failed;
  std::uint64_t total_failed = 0;
  double bucket_ms = 0;  ///< buckets may have been joined
};
/// At most `instances` by themselves: those that events name, then the busiest. At most `buckets`
/// buckets: neighbours are joined.
[[nodiscard]] TimelineView view_of(const Timeline& timeline, std::size_t instances,
                                   std::size_t buckets);
/// Requests per second of each instance: stacked where all of them are drawn, else as lines over a
/// band from the idlest to the busiest of the others. Failures below in a strip of their own;
/// events as numbered lines.
[[nodiscard]] std::string timeline_plot(const Timeline& timeline, const TimelineView& view,
                                        Room room);

/// Names as people sort them: `#2` before `#10`.
[[nodiscard]] bool natural_less(const std::string& a, const std::string& b);

}  // namespace pilotfish::bench
