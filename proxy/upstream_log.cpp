// What an upstream tells whoever reads the log: each line with its cause and its numbers.
#include <algorithm>
#include <chrono>

#include "proxy/upstream.hpp"

namespace pilotfish::proxy {
namespace {

/// So many of one kind are said one by one; a fleet that goes down at once is counted.
constexpr std::uint32_t kBurst = 8;

std::string duration_text(Duration time) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  return millis < 10000 ? std::to_string(millis) + " ms" : std::to_string(millis / 1000) + " s";
}

std::string tier_or_none(int tier, const std::vector<std::string>& names) {
  if (tier < 0) {
    return "none";
  }
  const auto place = static_cast<std::size_t>(tier);  // a reload may have taken the tier away
  return place < names.size() ? std::to_string(tier) + " (" + names[place] + ")"
                              : std::to_string(tier);
}

}  // namespace

void Upstream::log_lookups(std::size_t tier, const TierAnswer& answer, TimePoint now) {
  const bool failed = is_failure(answer.result);
  const bool failed_before = any_answer_ && is_failure(last_result_);
  const auto names =
      resolver::tier_names(options_.source);  // the cluster's may be of before a reload
  const std::string& name = names[tier];
  if (failed) {
    if (!failed_before) {
      failing_since_ = now;
      failed_lookups_ = stale_served_ = 0;
    }
    ++failed_lookups_;
    if (!failed_before || answer.result != last_result_) {
      std::string why = "the lookup of tier " + tier_or_none(static_cast<int>(tier), names) +
                        " failed: " + std::string(to_string(answer.result));
      for (const auto& one : answer.names) {
        if (is_failure(one.result)) {
          why += ", " + one.name + " after " + duration_text(one.took) +
                 (one.note.empty() ? "" : " (" + one.note + ")");
          break;
        }
      }
      const auto asked = cluster_.serving_asked();
      if (asked != TimePoint{}) {
        why += "; what serves was asked for " + duration_text(now - asked) + " ago";
      }
      worker_.trouble.say(LogLevel::kWarn, options_.name,
                          asked == TimePoint{} ? "lookup failed; nothing serves yet"
                                               : "lookup failed; the last good answer serves on",
                          std::move(why), {}, kBurst);
    }
  } else if (failed_before) {
    worker_.trouble.say(LogLevel::kInfo, options_.name, "the registry answers again",
                        "after " + duration_text(now - failing_since_) + " and " +
                            std::to_string(failed_lookups_) + " failed lookups; " +
                            std::to_string(stale_served_) +
                            " connections or requests were routed by the last good answer; tier " +
                            name + " has " + std::to_string(answer.instances.size()) + " instances",
                        {}, kBurst);
  }
  // One result stands for the registry's state; an empty tier beside a full one is no news.
  if (failed || !any_answer_ || failed_before) {
    last_result_ = answer.result;
  }
  any_answer_ = true;
}

void Upstream::log_ejection(const balancer::InstanceState& instance) {
  worker_.trouble.say(LogLevel::kWarn, options_.name, "instance ejected",
                      cluster_.ejection_text(instance), {{"instance", instance.name}}, kBurst);
}

void Upstream::log_return(const balancer::InstanceState& instance) {
  worker_.trouble.say(LogLevel::kInfo, options_.name, "instance back after ejection",
                      "it was out for " + duration_text(Clock::now() - instance.ejected_since),
                      {{"instance", instance.name}}, kBurst);
}

void Upstream::log_tier_change(const balancer::ClusterEvents::TierChange& change) {
  const auto level = change.to < 0 || change.reason == balancer::TierReason::kTooFew ||
                             change.reason == balancer::TierReason::kBestOfBad
                         ? LogLevel::kWarn
                         : LogLevel::kInfo;
  const auto& names = cluster_.tier_names();
  worker_.trouble.say(level, options_.name, "serving tier changed", change.text,
                      {{"from", tier_or_none(change.from, names)},
                       {"to", tier_or_none(change.to, names)},
                       {"reason", std::string(to_string(change.reason))}},
                      kBurst);
}

}  // namespace pilotfish::proxy
