#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pilotfish::bench {

/// What a sidecar says about itself, as read from its admin port.

struct InstanceView {
  std::string address;
  int tier = -1;
  std::string state;
  std::string why;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
};

struct UpstreamView {
  std::string name;
  int tier = -1;
  std::string reason;
  std::int64_t age_ms = 0;
  std::vector<InstanceView> instances;

  [[nodiscard]] const InstanceView* find(std::string_view address) const;
};

/// The upstreams of `/upstreams`; fields that are missing keep their defaults. Empty where the text
/// is not that JSON. Pure.
[[nodiscard]] std::optional<std::vector<UpstreamView>> parse_upstreams(std::string_view text);

/// The samples of `/metrics` by name with labels as written (`a_total{x="y"}` -> 3). Pure.
[[nodiscard]] std::map<std::string, double> parse_metrics(std::string_view text);

/// The sum of a family over all its label values.
[[nodiscard]] double sum_of(const std::map<std::string, double>& samples, std::string_view family);

}  // namespace pilotfish::bench
