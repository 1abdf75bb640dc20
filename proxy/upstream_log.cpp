// What an upstream tells whoever reads the log: each line with its cause and its numbers.
#include <algorithm>
#include <chrono>
#include <utility>

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
  const auto failing = [this] {
    return std::ranges::any_of(failing_tiers_, [](const auto& one) { return one.has_value(); });
  };
  const bool failed = is_failure(answer.result);
  const bool failed_before = failing();
  failing_tiers_.resize(std::max(failing_tiers_.size(), tier + 1));
  const auto former =
      std::exchange(failing_tiers_[tier], failed ? std::optional(answer.result) : std::nullopt);
  const auto names = tier_names(options_.source,
                                options_.cluster.split);  // the cluster's may be of before a reload
  const std::string& name = names[tier];
  if (failed) {
    if (!failed_before) {
      failing_since_ = now;
      failed_lookups_ = 0;
    }
    ++failed_lookups_;
    // Several tiers fail together, as a rule: one line tells it, another one another cause.
    if (!failed_before || answer.result != former.value_or(last_failure_)) {
      last_failure_ = answer.result;
      std::string why = "the lookup of tier " + tier_or_none(static_cast<int>(tier), names) +
                        " failed: " + std::string(to_string(answer.result));
      const auto culprit = std::ranges::find_if(
          answer.names, [](const NameAnswer& one) { return is_failure(one.result); });
      if (culprit != answer.names.end()) {
        why += ", " + culprit->name + " after " + duration_text(culprit->took) +
               (culprit->note.empty() ? "" : " (" + culprit->note + ")");
      } else if (!answer.names.empty() && !answer.names.front().note.empty()) {
        // Every name was answered, and yet it does not say who is of this tier.
        why = "tier " + tier_or_none(static_cast<int>(tier), names) +
              " is unknown: " + answer.names.front().note;
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
  } else if (failed_before && !failing()) {
    worker_.trouble.say(LogLevel::kInfo, options_.name, "the registry answers again",
                        "after " + duration_text(now - failing_since_) + " and " +
                            std::to_string(failed_lookups_) + " failed lookups; " +
                            std::to_string(stale_served_) +
                            " connections or requests were routed by the last good answer; tier " +
                            name + " has " + std::to_string(answer.instances.size()) + " instances",
                        {}, kBurst);
    stale_served_ = 0;
  } else if (!failed && !failed_before && stale_served_ > 0) {
    worker_.trouble.say(LogLevel::kWarn, options_.name, "routed by the last good answer",
                        std::to_string(stale_served_) +
                            " connections or requests: lookups succeed, but none begun after "
                            "these arrived ended within lookup.timeout (" +
                            duration_text(options_.lookup.timeout) +
                            "); the registry is slow, or lookup.max_rate is too low");
    stale_served_ = 0;
  }
}

void Upstream::note_absence(std::size_t tier, const TierAnswer& answer, TimePoint now) {
  constexpr Duration kAskAgain = std::chrono::seconds(5);
  const bool failed = is_failure(answer.result);
  const auto absent =
      answer.instances.empty() || failed ? std::optional(answer.result) : std::nullopt;
  absent_tiers_.resize(std::max(absent_tiers_.size(), tier + 1));
  const bool none = cluster_.serving_tier() < 0;
  if (std::exchange(absent_tiers_[tier], absent) != absent) {
    cause_.clear();
  } else if (!absent || !none || now - absence_told_ < kAskAgain) {
    return;  // nearly always: there are instances
  }
  // A failed lookup takes nothing away from who is known.
  const bool matters = std::ranges::any_of(
      absent_tiers_, [none](const auto& one) { return one && (none || !is_failure(*one)); });
  if (matters && worker_.shared.on_missing) {
    absence_told_ = now;
    worker_.shared.on_missing(options_.name);
  }
}

void Upstream::explain(std::string cause) {
  const bool missing =
      std::ranges::any_of(absent_tiers_, [](const auto& one) { return one.has_value(); });
  cause_ = missing ? std::move(cause) : std::string();
}

std::string Upstream::reason() const {
  if (!options_.enabled) {
    return disabled_text(options_.name);
  }
  const auto& reason = cluster_.reason();
  return cause_.empty() ? reason : reason + (reason.empty() ? "" : "; ") + cause_;
}

void Upstream::describe_pick(AccessRecord& record, const balancer::InstanceState* instance,
                             Picked picked, std::string& room) const {
  const auto& names = cluster_.tier_names();
  record.tier_reason = cluster_.reason();
  if (instance == nullptr) {
    return;
  }
  record.instance = instance->name;
  record.tier = picked.tier;
  if (picked.tier >= 0 && static_cast<std::size_t>(picked.tier) < names.size()) {
    record.tier_name = names[static_cast<std::size_t>(picked.tier)];
  }
  if (picked.tier == cluster_.serving_tier()) {
    return;
  }
  if (picked.wish != Wish::kNone) {
    record.tier_reason = describe(picked.wish);
  } else {
    room = "picked before another tier served: " + cluster_.reason();
    record.tier_reason = room;
  }
}

void Upstream::log_try(const balancer::InstanceState& instance, const TryLine& line) const {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(line.took).count();
  const auto rest = std::to_string(1000 + micros % 1000);
  worker_.log().debug(
      "try ended", {{"upstream", options_.name},
                    {"instance", instance.name},
                    {"try", std::to_string(line.number)},
                    {"tier", tier_or_none(line.tier, cluster_.tier_names())},
                    {"method", std::string(line.method)},
                    {"target", std::string(line.target)},
                    {"status", line.status > 0 ? std::to_string(line.status) : ""},
                    {"outcome", std::string(line.outcome == balancer::Outcome::kSuccess ? "success"
                                            : line.outcome == balancer::Outcome::kNeutral
                                                ? "no verdict"
                                                : describe(line.outcome))},
                    {"took_ms", std::to_string(micros / 1000) + "." + rest.substr(1)}});
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

void Upstream::log_drained(const balancer::InstanceState& instance) {
  worker_.trouble.say(LogLevel::kInfo, options_.name, "drained by configuration",
                      "no new requests go there", {{"instance", instance.name}}, kBurst);
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
