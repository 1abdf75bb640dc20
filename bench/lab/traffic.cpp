#include "bench/lab/traffic.hpp"

#include <algorithm>
#include <vector>

namespace pilotfish::bench {
namespace {

Duration percentile(std::vector<Duration>& values, double fraction) {
  if (values.empty()) return {};
  const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank),
                   values.end());
  return values[rank];
}

}  // namespace

void RecentTraffic::add(const Completion& completion) {
  first_ = std::min(first_, completion.planned);
  recent_.push_back(completion);
}

void RecentTraffic::advance(TimePoint now) {
  now_ = now;
  while (!recent_.empty() && recent_.front().done < now - window_) recent_.pop_front();
}

TrafficFigures RecentTraffic::figures(const std::string& instance) const {
  std::vector<Duration> latencies;
  for (const auto& request : recent_) {
    if (!instance.empty() && request.instance != instance) continue;
    latencies.push_back(request.done - request.planned);
  }
  TrafficFigures result;
  if (latencies.empty()) return result;
  const std::chrono::duration<double> span = std::min(window_, now_ - first_);
  result.rate = static_cast<double>(latencies.size()) / std::max(span.count(), 0.05);
  result.p50 = percentile(latencies, 0.5);
  result.p99 = percentile(latencies, 0.99);
  return result;
}

}  // namespace pilotfish::bench
