#include "app/resolve_report.hpp"

#include <array>
#include <cstdio>
#include <vector>

#include "app/describe.hpp"
#include "app/table.hpp"

namespace pilotfish::app {
namespace {

std::string seconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + "s";
}

std::string millis(Duration duration) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1fms",
                      static_cast<double>(duration.count()) / 1e6);
  return text.data();
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    out += (out.empty() ? "" : ",") + part;
  }
  return out.empty() ? "-" : out;
}

std::string eligible(const proxy::InstanceStatus& instance) {
  if (instance.state == "healthy" && instance.why.empty()) {
    return "yes";
  }
  return "no: " + (instance.why.empty() ? instance.state : instance.why);
}

std::string lookups(const proxy::UpstreamStatus& status) {
  std::vector<std::vector<std::string>> rows{
      {"tier", "name", "asked", "result", "records", "ttl", "transport", "took", "note"}};
  for (std::size_t tier = 0; tier < status.tier_names.size(); ++tier) {
    const std::string number = std::to_string(tier);
    const std::string& name = status.tier_names[tier];
    if (tier >= status.answers.size() || status.answers[tier].answered == TimePoint{}) {
      rows.push_back({number, name, "-", "no answer in time"});
      continue;
    }
    const TierAnswer& answer = status.answers[tier];
    if (answer.names.empty()) {
      rows.push_back({number, name, "-", std::string(to_string(answer.result)),
                      std::to_string(answer.instances.size())});
    }
    for (const auto& one : answer.names) {
      const bool records = one.result == LookupResult::kOk;
      rows.push_back({number, name, one.name, std::string(to_string(one.result)),
                      std::to_string(one.records), records ? seconds(one.ttl) : "-",
                      std::string(to_string(one.transport)), millis(one.took), one.note});
    }
  }
  return format_table(rows);
}

std::string instances(const proxy::UpstreamStatus& status) {
  if (status.instances.empty()) {
    return "  no instances\n";
  }
  std::vector<std::vector<std::string>> rows{
      {"address", "weight", "priority", "tier", "tags", "eligible"}};
  for (const auto& instance : status.instances) {
    rows.push_back({instance.address, std::to_string(instance.weight),
                    std::to_string(instance.priority), std::to_string(instance.tier),
                    join(instance.tags), eligible(instance)});
  }
  return format_table(rows);
}

}  // namespace

std::string resolve_report(const proxy::UpstreamOptions& options, const MergedUpstream& upstream) {
  const auto& status = upstream.status;
  std::string out = status.name + " (" + describe_source(options) + ")\n\n";
  out += lookups(status) + "\n" + instances(status) + "\n";
  out += "serves: " + describe_serving(upstream);
  if (status.tier >= 0 && !status.reason.empty()) {
    out += ": " + status.reason;
  }
  return out + "\n";
}

}  // namespace pilotfish::app
