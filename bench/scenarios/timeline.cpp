#include "bench/scenarios/timeline.hpp"

namespace pilotfish::bench {

namespace {
double milliseconds_of(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}
}  // namespace

Timeline draw_timeline(const std::vector<Completion>& completions, const std::vector<Mark>& marks,
                       TimePoint start, TimePoint end, Duration bucket) {
  Timeline timeline;
  timeline.bucket_ms = milliseconds_of(bucket);
  const auto buckets = static_cast<std::size_t>((end - start + bucket - Duration(1)) / bucket);
  for (const auto& completion : completions) {
    if (completion.done < start || completion.done >= end) continue;
    auto& counts = timeline.requests[completion.ok ? completion.instance : "failed"];
    counts.resize(buckets);
    ++counts[static_cast<std::size_t>((completion.done - start) / bucket)];
  }
  for (const auto& mark : marks) {
    if (mark.at < start || mark.at >= end) continue;
    timeline.events.push_back({milliseconds_of(mark.at - start), mark.what});
  }
  return timeline;
}

}  // namespace pilotfish::bench
