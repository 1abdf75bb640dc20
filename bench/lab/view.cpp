#include "bench/lab/view.hpp"

#include <fmt/core.h>

namespace pilotfish::bench {
namespace {

Style style_of(const std::string& state) {
  if (state == "healthy") return Style::kGood;
  if (state == "ejected" || state == "unhealthy") return Style::kBad;
  return state == "draining" ? Style::kWarn : Style::kDim;
}

}  // namespace

std::string demo_configuration(const Endpoint& admin, const Endpoint& listen,
                               const Endpoint& registry, const DemoPlan& plan, bool verbose) {
  // The agent's API is not part of the demo: nothing here is ever trimmed.
  return fmt::format(
      R"(admin: {admin}
{log}shutdown: {{drain: 1s}}
consul: {{http: "http://127.0.0.1:1", dns: "{registry}"}}
upstreams:
  {service}:
    listen: {listen}
    consul: {service}
    prefer: [v4, v3]
    fallback: {{min_healthy: 1, fail_back_after: {fail_back}ms, hold_empty: 10s}}
)",
      fmt::arg("admin", admin.to_string()),
      fmt::arg("log", verbose ? "log: {level: debug, access: stderr}\n" : ""),
      fmt::arg("registry", registry.to_string()), fmt::arg("service", World::kService),
      fmt::arg("listen", listen.to_string()),
      fmt::arg(
          "fail_back",
          std::chrono::duration_cast<std::chrono::milliseconds>(plan.fail_back_after).count()));
}

std::string serving_text(int tier, Duration since) {
  const char* name = tier == 0 ? "v4" : tier == 1 ? "v3" : "none";
  return fmt::format("tier {} ({}) since {}", tier, name, seconds_text(since));
}

TableRow member_row(const Member& member, const std::optional<UpstreamView>& upstream,
                    bool has_sidecar, const TrafficFigures& traffic) {
  TableRow row;
  row.name = member.name;
  row.registry = member.registry;
  row.traffic = traffic;
  if (member.backend) row.address = member.backend->endpoint().to_string();
  if (!member.backend) {
    row.state = "not started";
    row.style = Style::kDim;
    return row;
  }
  if (!has_sidecar) {
    row.state = member.fate.empty() ? "running" : member.fate;
    row.style = member.fate.empty() ? Style::kGood : Style::kBad;
    return row;
  }
  const auto* seen = upstream ? upstream->find(row.address) : nullptr;
  if (seen != nullptr) {
    row.tier = seen->tier;
    row.state = seen->state;
    row.style = style_of(seen->state);
    // Why healthy ones wait and absent ones are gone, the rest of the screen tells.
    if (seen->state != "healthy" && seen->state != "absent" && !seen->why.empty()) {
      row.state += ": " + seen->why;
    }
  } else {
    row.state = "absent";
    row.style = Style::kDim;
  }
  if (!member.fate.empty()) row.state = member.fate + ", " + row.state;
  return row;
}

}  // namespace pilotfish::bench
