// An upstream whose instances are checked from outside: it says whom there is, and hears verdicts.
#include "proxy/check_feed.hpp"
#include "proxy/upstream.hpp"

namespace pilotfish::proxy {

bool Upstream::is_checked() const {
  return worker_.shared.check_feed != nullptr && !leaving_ &&
         options_.check.kind != ActiveCheckKind::kNone;
}

void Upstream::leave() {
  leaving_ = true;
  check_anew();
}

void Upstream::check_anew() {
  const auto now = Clock::now();
  if (!is_checked()) {
    if (!checked_.empty()) {
      worker_.shared.check_feed->changed(options_.name, {}, {checked_.begin(), checked_.end()});
      checked_.clear();
    }
    cluster_.forget_verdicts(now);
    publish_events();
    return;
  }
  std::vector<CheckTarget> arrived;
  for (const auto& view : cluster_.view(now)) {
    const auto& state = *view.state;
    if (state.place != balancer::InstanceState::kNowhere &&
        checked_.insert(state.endpoint).second) {
      arrived.push_back({state.endpoint, state.authority()});
    }
  }
  if (!arrived.empty()) {
    worker_.shared.check_feed->changed(options_.name, std::move(arrived), {});
  }
}

void Upstream::tell_checks(const balancer::ClusterEvents& events) {
  if ((events.arrived.empty() && events.departed.empty()) || !is_checked()) {
    return;
  }
  std::vector<CheckTarget> arrived;
  std::vector<Endpoint> left;
  for (const auto& state : events.arrived) {
    if (checked_.insert(state->endpoint).second) {
      arrived.push_back({state->endpoint, state->authority()});
    }
  }
  for (const auto& state : events.departed) {
    if (checked_.erase(state->endpoint) > 0) {
      left.push_back(state->endpoint);
    }
  }
  if (!arrived.empty() || !left.empty()) {
    worker_.shared.check_feed->changed(options_.name, std::move(arrived), std::move(left));
  }
}

void Upstream::take_verdicts(std::span<const balancer::CheckVerdict> verdicts) {
  if (is_checked()) {
    cluster_.set_verdicts(verdicts, Clock::now());
    publish_events();
  }
}

}  // namespace pilotfish::proxy
