#include "balancer/ejection.hpp"

#include <algorithm>

namespace pilotfish::balancer {

void Ejection::started(InstanceState& instance, TimePoint now) {
  if (instance.probing && !instance.probe_in_flight) {
    instance.probe_in_flight = true;
    // From here on this is the time after which a probe without an end is given up.
    instance.ejected_until = now + options_.base;
  }
}

Ejection::Effect Ejection::on_ejected_outcome(InstanceState& instance, Outcome outcome,
                                              bool ignored, TimePoint now) {
  const bool probe = instance.probe_in_flight;
  if (outcome == Outcome::kSuccess && (probe || ignored)) {
    release(instance);
    instance.consecutive_failures = 0;
    instance.returned_at = now;
    return Effect::kReturned;
  }
  if (!probe) {
    return Effect::kNone;  // it began before the ejection and says nothing new
  }
  instance.probe_in_flight = false;
  if (outcome == Outcome::kNeutral) {
    return Effect::kProbeOver;
  }
  release(instance);
  eject(instance, now);
  return Effect::kEjected;
}

void Ejection::eject(InstanceState& instance, TimePoint now) {
  const auto memory = std::max<Duration>(options_.max, std::chrono::minutes(10));
  if (instance.ejections > 0 && instance.returned_at != TimePoint{} &&
      instance.returned_at >= instance.ejected_since && now - instance.returned_at >= memory) {
    instance.ejections = 0;
  }
  ++instance.ejections;
  const auto base = std::max(options_.base, Duration(1));
  const bool capped = instance.ejections >= options_.max / base + 1;
  const auto time = capped ? options_.max : std::min(options_.max, base * instance.ejections);
  instance.ejected = true;
  instance.probing = false;
  instance.probe_in_flight = false;
  instance.ejected_since = now;
  instance.ejected_until = now + time;
  ejected_.push_back(&instance);
}

void Ejection::release(InstanceState& instance) {
  probing_ -= instance.probing ? 1 : 0;
  instance.ejected = false;
  instance.probing = false;
  instance.probe_in_flight = false;
  std::erase(ejected_, &instance);
}

bool Ejection::expire(TimePoint now) {
  bool changed = false;
  for (auto* instance : ejected_) {
    if (now < instance->ejected_until) {
      continue;
    }
    if (!instance->probing) {
      instance->probing = true;
      ++probing_;
      changed = true;
    }
    instance->probe_in_flight = false;
  }
  return changed;
}

void Ejection::return_on_trust(InstanceState& instance, TimePoint now) {
  release(instance);
  instance.consecutive_failures = options_.consecutive > 0 ? options_.consecutive - 1 : 0;
  instance.returned_at = now;
}

void Ejection::on_departed(InstanceState& instance, TimePoint now) {
  if (instance.ejected) {
    release(instance);
    instance.returned_at = now;
  }
  instance.consecutive_failures = 0;
}

TimePoint Ejection::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const auto* instance : ejected_) {
    if (!instance->probing || instance->probe_in_flight) {
      next = std::min(next, instance->ejected_until);
    }
  }
  return next;
}

}  // namespace pilotfish::balancer
