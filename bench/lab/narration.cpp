#include "bench/lab/narration.hpp"

#include <fmt/core.h>

#include "bench/lab/text.hpp"

namespace pilotfish::bench {
namespace {

std::string last_request_to(const std::string& who, const Observation& observation) {
  const auto last = observation.last_leaving();
  if (!last) return fmt::format("no request to {} since", who);
  return fmt::format("last request to {} at {}", who, short_duration(*last));
}

Outcome arrived(const Observation& observation, const std::string& how, const std::string& rest) {
  const auto first = observation.first_arrival();
  if (!first) return {"NOT " + how + " in time", false};
  return {fmt::format("{} after {}{}", how, short_duration(*first), rest), true};
}

}  // namespace

std::string step_name(StepKind step) {
  switch (step) {
    case StepKind::kScaleUp: return "scale up";
    case StepKind::kTierFails: return "v4 fails";
    case StepKind::kKill: return "kill";
    case StepKind::kNotice: return "noticed";
    case StepKind::kTierReturns: return "v4 returns";
    case StepKind::kScaleDown: return "scale down";
    case StepKind::kStop: return "stop";
  }
  return {};
}

std::string step_announcement(StepKind step, const DemoPlan& plan) {
  switch (step) {
    case StepKind::kScaleUp: return "v4 #3 is registered -> expect it to share the load";
    case StepKind::kTierFails: return "v4 fails its checks -> expect tier 1 (v3)";
    case StepKind::kKill: return "v3 #1 is killed, the registry unaware -> expect tries elsewhere";
    case StepKind::kNotice: return "the registry drops v3 #1 -> expect no change";
    case StepKind::kTierReturns:
      return fmt::format("v4 passes its checks -> expect tier 0 (v4) in {}",
                         short_duration(plan.fail_back_after));
    case StepKind::kScaleDown: return "v4 #3 is deregistered -> expect no more requests to it";
    case StepKind::kStop: return "v4 #3 is stopped -> expect nobody to miss it";
  }
  return {};
}

Expectation step_expectation(StepKind step) {
  switch (step) {
    case StepKind::kScaleUp: return {"v4 #3", ""};
    case StepKind::kTierFails: return {"v3", "v4"};
    case StepKind::kKill: return {"v3 #2", "v3 #1"};
    case StepKind::kNotice: return {"v3 #2", "v3 #1"};
    case StepKind::kTierReturns: return {"v4", "v3"};
    case StepKind::kScaleDown: return {"v4", "v4 #3"};
    case StepKind::kStop: return {"v4", "v4 #3"};
  }
  return {};
}

Outcome step_outcome(StepKind step, const DemoPlan& plan, const Observation& observation,
                     std::int64_t retries) {
  switch (step) {
    case StepKind::kScaleUp: return arrived(observation, "v4 #3 answered its first request", "");
    case StepKind::kTierFails:
      return arrived(observation, "v3 took over", ", " + last_request_to("v4", observation));
    case StepKind::kKill: {
      if (!observation.first_arrival()) return {"v3 #2 did NOT carry on", false};
      if (retries < 0) return {"v3 #2 carried on", true};
      return {fmt::format("v3 #2 carried on, {} {} repeated on it", retries,
                          retries == 1 ? "try" : "tries"),
              true};
    }
    case StepKind::kNotice: return {"v3 #2 went on alone", observation.first_arrival().has_value()};
    case StepKind::kTierReturns:
      return arrived(observation, "v4 took over",
                     fmt::format(" (fail_back_after {})", short_duration(plan.fail_back_after)));
    case StepKind::kScaleDown: {
      const bool gone = observation.first_arrival().has_value();
      return {last_request_to("v4 #3", observation), gone};
    }
    case StepKind::kStop: return {last_request_to("v4 #3", observation), true};
  }
  return {};
}

}  // namespace pilotfish::bench
