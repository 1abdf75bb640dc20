#pragma once

#include <functional>
#include <string>

#include "core/log.hpp"
#include "core/random.hpp"
#include "net/asio.hpp"
#include "registry/registrar.hpp"

namespace pilotfish::registry {

/// What the registrar's coroutines share. They may outlive the Registrar by one request: then
/// `closing` is set and the logger and the callbacks are gone. Thread-safety: none; one executor.
struct RegistrarContext {
  net::Executor executor;
  RegistrarOptions options;
  Random random;
  Logger* logger = nullptr;
  bool closing = false;
  /// An entry (by identity) is announced, or not.
  std::function<void(const std::string& identity, bool up)> report;
  /// An entry was withdrawn and its coroutines ended.
  std::function<void(const std::string& identity)> gone;
  /// Of this process, for KnownService::owner.
  std::string owner{};

  void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
    if (logger != nullptr) {
      logger->log(level, message, fields);
    }
  }
};

/// At most this long for one request to a registry on the machine, or near it.
inline constexpr Duration kRequestTimeout = std::chrono::seconds(2);
inline constexpr Duration kBackoffBase = std::chrono::milliseconds(100);
inline constexpr Duration kBackoffMax = std::chrono::seconds(3);
/// A registry on this machine that cannot be reached is asked more often: a refusal costs nothing,
/// and who comes back empty is to be told soon.
inline constexpr Duration kUnreachableMax = std::chrono::milliseconds(500);
/// On stop a withdrawal is tried this often before it is given up.
inline constexpr int kWithdrawTries = 3;

/// One announcement on its way into a registry and out again. Thread-safety: none.
class Entry {
 public:
  virtual ~Entry() = default;
  /// Wanted from now on, in this form.
  virtual void want(const Announcement& announcement) = 0;
  /// Not wanted any more: withdrawn as soon as the registry lets us. With `give_up` the attempt
  /// ends at that time, or after kWithdrawTries.
  virtual void withdraw(std::optional<TimePoint> give_up) = 0;
  /// Looks at the plan again, e.g. because the registrar closes.
  virtual void wake() = 0;
  /// The loop; ends when withdrawn or closing.
  virtual net::Awaitable<void> run() = 0;
  /// Instead of want() and run(): once, whatever its check says.
  virtual net::Awaitable<bool> register_once(const Announcement& announcement,
                                             TimePoint deadline) = 0;
  virtual net::Awaitable<bool> deregister_once(const Announcement& announcement,
                                               TimePoint deadline) = 0;
  /// After deregister_once(): a running process had announced it, and may do so again.
  [[nodiscard]] virtual bool may_return() const = 0;
  /// Asks; where it is there again says so in the log, with what to do.
  virtual net::Awaitable<bool> returned(TimePoint deadline) = 0;
};

}  // namespace pilotfish::registry
