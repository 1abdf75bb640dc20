#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace pilotfish {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// A named value beside a message. `key` must outlive the call; it is a literal everywhere.
struct LogField {
  std::string_view key;
  std::string value;
};

/// Where the program's own messages go (not the access log). Implemented in app/ over spdlog and
/// by a capturing fake in tests. Thread-safety: implementations accept calls from any thread.
/// Values are escaped by the implementation, so that data from outside cannot forge a line.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void log(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) = 0;

  void debug(std::string_view m, std::initializer_list<LogField> f = {}) {
    log(LogLevel::kDebug, m, f);
  }
  void info(std::string_view m, std::initializer_list<LogField> f = {}) {
    log(LogLevel::kInfo, m, f);
  }
  void warn(std::string_view m, std::initializer_list<LogField> f = {}) {
    log(LogLevel::kWarn, m, f);
  }
  void error(std::string_view m, std::initializer_list<LogField> f = {}) {
    log(LogLevel::kError, m, f);
  }
};

}  // namespace pilotfish
