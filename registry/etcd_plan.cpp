#include "registry/etcd_plan.hpp"

#include <utility>

namespace pilotfish::registry {

void EtcdPlan::want(bool new_lease) {
  wanted_ = true;
  put_ = false;
  retry_at_ = {};
  if (new_lease && lease_) {
    old_lease_ = std::exchange(lease_, std::nullopt);
  }
}

void EtcdPlan::withdraw() {
  wanted_ = false;
  retry_at_ = {};
}

void EtcdPlan::set_healthy(bool healthy) {
  if (healthy_ != healthy) {
    healthy_ = healthy;
    retry_at_ = {};
  }
}

EtcdPlan::Decision EtcdPlan::next(TimePoint now) const {
  if (!active() && !lease_ && !may_exist_) {
    return wanted_ ? Decision{Step::kWait, TimePoint::max()} : Decision{Step::kGone, now};
  }
  if (now < retry_at_) {
    return {Step::kWait, retry_at_};
  }
  if (!active()) {
    return {Step::kWithdraw, now};
  }
  if (!lease_) {
    return {Step::kGrant, now};
  }
  if (!put_) {
    return {Step::kPut, now};
  }
  if (now >= keep_at_) {
    return {Step::kKeepAlive, now};
  }
  if (verify_) {
    return {Step::kVerify, now};
  }
  return {Step::kWait, keep_at_};
}

std::optional<std::int64_t> EtcdPlan::take_old_lease() {
  return std::exchange(old_lease_, std::nullopt);
}

void EtcdPlan::granted(std::int64_t id, Duration ttl, TimePoint now) {
  lease_ = id;
  ttl_ = ttl;
  put_ = false;
  verify_ = false;
  keep_at_ = now + ttl_ / 3;
}

void EtcdPlan::put_done() {
  put_ = true;
  may_exist_ = true;
  verify_ = false;
}

void EtcdPlan::kept(TimePoint now) {
  keep_at_ = now + ttl_ / 3;
  verify_ = true;
}

void EtcdPlan::lease_lost() {
  lease_.reset();
  put_ = false;
}

void EtcdPlan::verified(bool as_put) {
  verify_ = false;
  put_ = put_ && as_put;
}

void EtcdPlan::withdrawn() {
  lease_.reset();
  put_ = false;
  may_exist_ = false;
  verify_ = false;
}

void EtcdPlan::failed(TimePoint now, Duration retry_in, bool perhaps_done) {
  retry_at_ = now + retry_in;
  may_exist_ = may_exist_ || perhaps_done;
}

}  // namespace pilotfish::registry
