#pragma once

#include <atomic>
#include <memory>

#include "app/line_writer.hpp"
#include "config/root_options.hpp"
#include "core/log.hpp"

namespace spdlog {
class logger;  // NOLINT(readability-identifier-naming): their name
}

namespace pilotfish::app {

/// The program's own messages, as text or JSON lines, through spdlog into a LineWriter: who logs
/// never waits for the sink. Every message and value is escaped.
/// Thread-safety: any thread.
class SpdLogger final : public Logger {
 public:
  /// `writer` outlives the logger.
  SpdLogger(LineWriter& writer, LogLevel level, config::LogFormat format);
  ~SpdLogger() override;
  void log(LogLevel level, std::string_view message,
           std::initializer_list<LogField> fields) override;
  void set_level(LogLevel level);
  void set_format(config::LogFormat format) { format_ = format; }

 private:
  [[nodiscard]] spdlog::logger& in(config::LogFormat format) {
    return format == config::LogFormat::kJson ? *json_ : *text_;
  }
  std::unique_ptr<spdlog::logger> text_;
  std::unique_ptr<spdlog::logger> json_;
  std::atomic<config::LogFormat> format_;
};

}  // namespace pilotfish::app
