#include "proxy/upstream.hpp"

#include <algorithm>

#include "proxy/tier_identity.hpp"

namespace pilotfish::proxy {
namespace {

using balancer::InstanceState;

constexpr Duration kSweepEvery = std::chrono::milliseconds(500);

std::uint32_t share_of(std::uint32_t total, std::uint32_t workers) {
  return std::max(1U, total / std::max(1U, workers));
}

}  // namespace

class Upstream::Sweep final : public net::Deadline {
 public:
  Sweep(net::Deadlines& wheel, Upstream& upstream) : Deadline(wheel), upstream_(upstream) {}

 private:
  void on_deadline() override {
    const auto now = Clock::now();
    upstream_.cluster_.tick(now);
    (void)upstream_.settle_pending(now);
    upstream_.publish_events();
    const auto limit = now - upstream_.options_.timeouts.pool_idle;
    for (auto it = upstream_.pools_.begin(); it != upstream_.pools_.end();) {
      auto& link = *it++;
      link.prune(limit);
      if (link.idle() == 0) {
        link.unlink();
      }
    }
    set(now + kSweepEvery);
  }
  Upstream& upstream_;
};

Upstream::Upstream(Worker& worker, resolver::DnsService& dns, UpstreamOptions options)
    : worker_(worker),
      dns_(dns),
      options_(std::move(options)),
      metrics_(worker.store, options_.name),
      cluster_(options_.cluster, tier_names(options_.source, options_.cluster.split),
               worker.random.next(), tier_roles(options_.source, options_.cluster.split)),
      budget_(options_.retry.budget_percent),
      slots_(std::make_shared<ConnectionSlots>(1, 0)),
      tier_identities_(tier_identities(asked_source(options_.source, options_.cluster.split),
                                       worker.shared.consul_dns.domain)),
      roles_(tier_roles(options_.source, options_.cluster.split)),
      names_(asked_source(options_.source, options_.cluster.split)) {
  const auto now = Clock::now();
  drained_.set_entries(options_.drain);
  cluster_.set_drain(drained_.list(), now);
  set_selects(now);
  apply_limits();
  if (worker.shared.preparer != nullptr) {
    cluster_.defer_work();
  }
  resolver_ = make_resolver();
  sweep_ = std::make_unique<Sweep>(worker.deadlines, *this);
}

std::unique_ptr<resolver::ServiceResolver> Upstream::make_resolver() {
  resolver::ServiceResolver::Hooks hooks;
  hooks.on_answer = [this](std::size_t tier, const TierAnswer& answer) { on_answer(tier, answer); };
  hooks.on_lookup = [this](const NameAnswer& answer) { metrics_.looked_up(answer); };
  hooks.on_stale = [this] {
    metrics_.stale_served();
    ++stale_served_;
  };
  if (auto* const preparer = worker_.shared.preparer) {
    hooks.prepare = [this, preparer](std::size_t tier, InstanceSet answer) {
      return prepare(weak_from_this(), worker_.executor, *preparer, tier, std::move(answer));
    };
  }
  hooks.on_watch = [this](const resolver::WatchKey& key, const resolver::WatchState& state) {
    if (drained_.take(key, state)) {
      cluster_.set_drain(drained_.list(), Clock::now());
      publish_events();
    }
  };
  return std::make_unique<resolver::ServiceResolver>(
      dns_, asked_source(options_.source, options_.cluster.split), options_.fresh, options_.lookup,
      std::move(hooks));
}

Upstream::~Upstream() {
  stop();
}

void Upstream::seed(const std::vector<TierAnswer>& tiers) {
  if (std::holds_alternative<resolver::StaticSource>(options_.source)) {
    return;
  }
  const auto now = Clock::now();
  for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
    if (tiers[tier].result == LookupResult::kOk) {
      cluster_.on_answer(tier, tiers[tier], now);
      resolver_->assume_good();
    }
  }
  publish_events();
}

void Upstream::apply_limits() {
  const auto& limits = options_.limits;
  const auto workers = worker_.shared.worker_count;
  slots_->set_limits(share_of(limits.connections, workers),
                     limits.pending == 0 ? 0 : share_of(limits.pending, workers));
}

void Upstream::start() {
  warn_of_nodes();
  resolver_->start();
  sweep_->set(Clock::now() + kSweepEvery);
}

void Upstream::stop() {
  resolver_->stop();
  sweep_->clear();
  for (auto& link : pools_) {
    link.close_all();
  }
}

void Upstream::retire_series(TimePoint now) {
  for (const auto& view : cluster_.view(now)) {
    if (view.state->tier >= 0) {
      metrics_.instance_left(*view.state, now);
    }
  }
  worker_.store.retire("upstream", options_.name, now);
}

void Upstream::on_answer(std::size_t tier, const TierAnswer& answer) {
  const auto now = Clock::now();
  if (!pending_) {
    cluster_.on_answer(tier, answer, now, take_prepared(tier));
  } else if (auto& known = pending_->tiers[tier].answer; !known || !is_failure(answer.result)) {
    known = answer;
    (void)settle_pending(now);
  }
  log_lookups(tier, answer, now);
  note_absence(tier, answer, now);
  publish_events();
}

void Upstream::publish_events() {
  if (!cluster_.has_events()) {
    return;  // nearly always
  }
  start_work();
  const auto events = cluster_.take_events();
  for (const auto& instance : events.arrived) {
    if (!instance->attachment) {
      instance->attachment = std::make_unique<InstanceLink>(InstanceMetrics{});
    } else {
      link_of(*instance).metrics = InstanceMetrics{};  // its series may be gone from the store
    }
    if (!options_.sticky.cookie.empty()) {
      sticky_.add(options_.name, *instance);
    }
  }
  for (const auto& instance : events.departed) {
    if (instance->tier < 0) {
      sticky_.remove(options_.name, *instance);
    }
    link_of(*instance).close_all();
    link_of(*instance).habit = {};
    metrics_.instance_left(*instance, Clock::now());
  }
  for (const auto& instance : events.ejected) {
    metrics_.ejected(*instance);
    link_of(*instance).close_all();
    log_ejection(*instance);
  }
  for (const auto& instance : events.drained) {
    link_of(*instance).close_all();
    log_drained(*instance);
  }
  for (const auto& instance : events.unhealthy) {
    link_of(*instance).close_all();
  }
  tell_checks(events);
  for (const auto& instance : events.returned) {
    log_return(*instance);
  }
  for (const auto& change : events.tier_changes) {
    metrics_.tier_changed(change.reason);
    log_tier_change(change);
  }
  for (const auto& note : events.notes) {
    worker_.log().info(note, {{"upstream", options_.name}});
  }
}

// --- choosing and connecting -----------------------------------------------------------------

InstanceState* Upstream::pick(const balancer::PickContext& context) {
  auto* chosen = options_.enabled ? cluster_.pick(context) : nullptr;
  publish_events();
  return chosen;
}

Picked Upstream::picked(const InstanceState& instance, const Asked& asked) const {
  const auto serving = cluster_.serving_tier();
  if (asked.wish == Wish::kNone && instance.tier == serving) {
    return {serving, Wish::kNone};  // nearly always
  }
  const auto tier = cluster_.tier_of_pick(instance, asked.wanted);
  const bool in_wanted = tier >= 0 && static_cast<std::size_t>(tier) < balancer::kMostTiers &&
                         (asked.wanted >> static_cast<unsigned>(tier) & 1U) != 0;
  const bool came_true = asked.wish == Wish::kCookie ? kept(asked.cookie) == &instance : in_wanted;
  if (asked.wish != Wish::kNone && came_true) {
    return {tier, asked.wish};
  }
  return {tier, tier == serving    ? Wish::kNone
                : asked.retries    ? Wish::kRetry
                : instance.probing ? Wish::kProbe
                                   : Wish::kNone};
}

void Upstream::try_started(InstanceState& instance, TimePoint now) {
  cluster_.started(instance, now);
}

void Upstream::try_finished(InstanceState& instance, balancer::Outcome outcome, Duration latency,
                            TimePoint now) {
  cluster_.finished(instance, outcome, latency, now);
  publish_events();
}

void Upstream::reached(InstanceState& instance, TimePoint now) {
  cluster_.reached(instance, now);
  publish_events();
}

balancer::RetryVerdict Upstream::decide_retry(const balancer::RetryQuestion& question,
                                              TimePoint now) {
  const auto verdict = balancer::decide_retry(options_.retry, question, budget_, now);
  if (verdict == balancer::RetryVerdict::kOtherInstance ||
      verdict == balancer::RetryVerdict::kFreshConnection) {
    metrics_.retried(verdict == balancer::RetryVerdict::kFreshConnection
                         ? balancer::RetryCause::kReused
                         : question.cause);
    (void)claim(now);  // the answer that led here is doubtful: look again, do not wait
  } else if (verdict == balancer::RetryVerdict::kDenied) {
    metrics_.retry_denied();
  }
  return verdict;
}

// --- sight -----------------------------------------------------------------------------------

UpstreamStatus Upstream::status(TimePoint now, bool with_instances) const {
  UpstreamStatus out;
  out.name = options_.name;
  out.required = options_.required && options_.enabled;
  out.tier = options_.enabled ? cluster_.serving_tier() : -1;
  out.reason = reason();
  if (const auto asked = cluster_.serving_asked(); asked != TimePoint{}) {
    out.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - asked).count();
  }
  out.tier_names = cluster_.tier_names();
  const std::string limited = slots_->full()
                                  ? "limits.connections (" + std::to_string(slots_->open()) +
                                        " here) is reached: " + std::to_string(slots_->pending()) +
                                        " requests wait for a connection"
                                  : std::string();
  const auto views = with_instances ? cluster_.view(now) : std::vector<balancer::InstanceView>();
  for (const auto& view : views) {
    const auto& state = *view.state;
    out.instances.push_back({state.name, state.weight, state.priority, state.tags, state.tier,
                             std::string(view.status), view.why.empty() ? limited : view.why,
                             state.in_flight, state.requests, state.failures});
  }
  if (pending_) {
    out.reason += "; these are the instances from before the reload, until its source names one";
  } else {
    out.answers = resolver_->last_answers();
  }
  return out;
}

void Upstream::refresh_gauges(TimePoint now) {
  UpstreamMetrics::Gauges gauges;
  gauges.active = static_cast<double>(active);
  gauges.connections = static_cast<double>(clients);
  gauges.tier = options_.enabled ? cluster_.serving_tier() : -1;
  if (const auto asked = cluster_.serving_asked(); asked != TimePoint{}) {
    gauges.age_seconds = std::chrono::duration<double>(now - asked).count();
  }
  const auto tally = cluster_.tally(now);
  gauges.instances = {static_cast<double>(tally.healthy), static_cast<double>(tally.unhealthy),
                      static_cast<double>(tally.ejected), static_cast<double>(tally.draining),
                      static_cast<double>(tally.absent)};
  metrics_.set_gauges(gauges);
}

}  // namespace pilotfish::proxy
