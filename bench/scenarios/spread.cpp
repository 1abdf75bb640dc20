#include "bench/scenarios/spread.hpp"

#include <algorithm>

namespace pilotfish::bench {
namespace {

struct Share {
  double got = 0;
  double even = 0;
};

/// Requests of one stretch of time during which nothing changed.
void close_stretch(const PortSet& eligible, std::map<std::uint16_t, double>& got,
                   std::map<std::uint16_t, Share>& shares) {
  double total = 0;
  for (const auto port : eligible) total += got[port];
  for (const auto port : eligible) {
    auto& share = shares[port];
    share.got += got[port];
    share.even += total / static_cast<double>(eligible.size());
  }
  got.clear();
}

}  // namespace

Spread measure_spread(const PortSet& at_first, const std::vector<RegistryChange>& changes,
                      std::vector<Arrival> arrivals, TimePoint start, double least) {
  std::erase_if(arrivals, [&](const Arrival& arrival) { return arrival.at < start; });
  std::sort(arrivals.begin(), arrivals.end(),
            [](const Arrival& a, const Arrival& b) { return a.at < b.at; });

  PortSet eligible = at_first;
  PortSet ever = at_first;
  PortSet unseen = at_first;
  std::map<std::uint16_t, double> got;
  std::map<std::uint16_t, Share> shares;
  Spread spread;
  std::size_t next = 0;
  for (std::size_t i = 0; i <= arrivals.size(); ++i) {
    const auto now = i < arrivals.size() ? arrivals[i].at : TimePoint::max();
    for (; next < changes.size() && changes[next].changed <= now; ++next) {
      close_stretch(eligible, got, shares);
      for (const auto port : changes[next].leaving) eligible.erase(port);
      eligible.insert(changes[next].joining.begin(), changes[next].joining.end());
      for (const auto port : changes[next].joining) {
        if (ever.insert(port).second) unseen.insert(port);
      }
    }
    if (i == arrivals.size()) break;
    ++got[arrivals[i].port];
    if (unseen.erase(arrivals[i].port) != 0 && unseen.empty()) spread.requests_until_all = i + 1;
  }
  close_stretch(eligible, got, shares);
  if (!unseen.empty()) spread.requests_until_all = 0;
  spread.instances = ever.size();
  spread.with_traffic = ever.size() - unseen.size();

  double sum = 0;
  double largest = 0;
  std::size_t counted = 0;
  for (const auto& [port, share] : shares) {
    if (share.even < least || share.even <= 0) continue;
    const double relative = share.got / share.even;
    sum += relative;
    largest = std::max(largest, relative);
    ++counted;
  }
  if (sum > 0) spread.imbalance = largest * static_cast<double>(counted) / sum;
  return spread;
}

}  // namespace pilotfish::bench
