#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/clock.hpp"
#include "net/asio.hpp"

namespace pilotfish::net {

class Deadlines;

/// One thing that must not last for ever. Setting it again costs a store: the wheel looks at the
/// real time only when the slot it was filed under comes up (one coarse sweep instead of a timer
/// per operation; kGrain late at most). Base of whoever owns it: derive and override on_deadline().
/// Thread-safety: none; one worker. Destroying an armed one is fine.
class Deadline {
 public:
  explicit Deadline(Deadlines& wheel) : wheel_(&wheel) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  virtual ~Deadline();

  void set(TimePoint at);
  /// Not due any more; stays filed until its slot comes up.
  void clear() { at_ = TimePoint::max(); }
  [[nodiscard]] bool armed() const { return at_ != TimePoint::max(); }

 protected:
  /// Runs once per set(), from the sweep. May set() again, and may set or destroy other deadlines,
  /// but not itself.
  virtual void on_deadline() = 0;

 private:
  friend class Deadlines;
  Deadlines* wheel_;
  TimePoint at_ = TimePoint::max();
  std::size_t slot_ = 0;
  bool filed_ = false;
  Deadline* next_ = nullptr;
  Deadline* previous_ = nullptr;
};

/// The wheel of one worker: slots of kGrain, sleeping while nothing is filed.
/// Ownership: must outlive its deadlines. Thread-safety: none.
class Deadlines {
 public:
  static constexpr Duration kGrain = std::chrono::milliseconds(8);
  static constexpr std::size_t kSlots = 1024;  // 8 s around; later ones are filed again

  explicit Deadlines(Executor executor) : timer_(executor) {}
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines() { stop(); }

  /// Ends the sweep for good.
  void stop();
  /// Runs what is due at `now`; called by the timer, and by tests.
  void sweep(TimePoint now);
  [[nodiscard]] std::size_t filed() const { return filed_; }

 private:
  friend class Deadline;
  void file(Deadline& deadline, TimePoint not_before);
  void unfile(Deadline& deadline);
  void schedule();

  [[nodiscard]] static std::int64_t tick_of(TimePoint at) { return at.time_since_epoch() / kGrain; }

  /// Behind the wheel's slots: what is being swept right now.
  static constexpr std::size_t kDueSlot = kSlots;

  Timer timer_;
  std::array<Deadline*, kSlots + 1> slots_{};
  std::size_t filed_ = 0;
  std::int64_t swept_ = 0;    ///< last tick that was swept
  std::int64_t wake_at_ = 0;  ///< tick the timer is set for; 0: not set
  bool stopped_ = false;
};

}  // namespace pilotfish::net
