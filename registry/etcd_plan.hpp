#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"

namespace pilotfish::registry {

/// Decides, for one record, what to tell etcd next: a record under a lease while it is wanted and
/// its check passes, none otherwise. The shell carries out one step at a time and reports how it
/// went. Pure: time and back-off delays are arguments. Thread-safety: none.
class EtcdPlan {
 public:
  enum class Step {
    kWait,       ///< nothing to do before `at`
    kGrant,      ///< a new lease
    kPut,        ///< the record under lease()
    kKeepAlive,  ///< prolong lease()
    kVerify,     ///< is the record still there, as we put it?
    kWithdraw,   ///< delete the record, revoke the lease
    kGone,       ///< no longer wanted and withdrawn: forget it
  };
  struct Decision {
    Step step = Step::kWait;
    TimePoint at{};
  };

  /// Wanted from now on, in a new or changed form. `new_lease`: the old one has another length.
  void want(bool new_lease);
  void withdraw();
  [[nodiscard]] bool wanted() const { return wanted_; }
  /// The check's verdict; without a check call it once with true.
  void set_healthy(bool healthy);
  [[nodiscard]] bool healthy() const { return healthy_; }

  [[nodiscard]] Decision next(TimePoint now) const;
  [[nodiscard]] std::optional<std::int64_t> lease() const { return lease_; }
  /// Where a replaced lease is left over, it has to be revoked after the next put.
  [[nodiscard]] std::optional<std::int64_t> take_old_lease();

  void granted(std::int64_t id, Duration ttl, TimePoint now);
  void put_done();
  void kept(TimePoint now);
  /// Keep-alive or put said that there is no such lease.
  void lease_lost();
  void verified(bool as_put);
  void withdrawn();
  /// A step failed; nothing more before `retry_in`. `perhaps_done`: etcd may have carried it out.
  void failed(TimePoint now, Duration retry_in, bool perhaps_done);

 private:
  [[nodiscard]] bool active() const { return wanted_ && healthy_; }

  bool wanted_ = false;
  bool healthy_ = false;
  bool put_ = false;
  bool may_exist_ = false;
  bool verify_ = false;
  std::optional<std::int64_t> lease_;
  std::optional<std::int64_t> old_lease_;
  Duration ttl_{};
  TimePoint keep_at_{};
  TimePoint retry_at_{};
};

}  // namespace pilotfish::registry
