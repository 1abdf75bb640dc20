#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "core/log.hpp"
#include "core/repeat_filter.hpp"
#include "net/deadlines.hpp"

namespace pilotfish::proxy {

/// "1,234": as people read counts.
[[nodiscard]] std::string grouped(std::uint64_t number);

/// Log lines about what goes wrong, one per upstream and kind of trouble at once, and one for all
/// that follows within 10 s: "... (1,234 more in the last 10 s)", with the newest cause.
/// Ownership: `logger` and the wheel outlive it. Thread-safety: none; one worker.
class TroubleLog final : private net::Deadline {
 public:
  TroubleLog(net::Deadlines& wheel, Logger& logger) : Deadline(wheel), logger_(logger) {}

  /// `what` names the kind of trouble and is the same for each of it; `why` has cause and numbers.
  /// `burst`: so many are said before the rest is counted.
  void say(LogLevel level, std::string_view upstream, std::string_view what, std::string why,
           std::initializer_list<LogField> more = {}, std::uint32_t burst = 1);
  /// Says now what was withheld; at the end.
  void flush();

 private:
  void on_deadline() override;
  void tell(TimePoint now);

  struct Last {
    LogLevel level{};
    std::string upstream;
    std::string what;
    std::string why;
  };
  Logger& logger_;
  RepeatFilter filter_;
  std::map<std::string, Last, std::less<>> last_;  ///< of what was withheld, by the filter's key
};

}  // namespace pilotfish::proxy
