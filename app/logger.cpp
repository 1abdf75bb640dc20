#include "app/logger.hpp"

#include <mutex>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <string>

#include "app/escape.hpp"

namespace pilotfish::app {
namespace {

class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit WriterSink(LineWriter& writer) : writer_(writer) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_.write({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  LineWriter& writer_;
};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

SpdLogger::SpdLogger(LineWriter& writer, LogLevel level, config::LogFormat format)
    : text_(std::make_unique<spdlog::logger>("pilotfish", std::make_shared<WriterSink>(writer))),
      json_(std::make_unique<spdlog::logger>("pilotfish", std::make_shared<WriterSink>(writer))),
      format_(format) {
  text_->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-7l %v");
  json_->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})");
  set_level(level);
}

SpdLogger::~SpdLogger() = default;

void SpdLogger::set_level(LogLevel level) {
  text_->set_level(to_spdlog(level));
  json_->set_level(to_spdlog(level));
}

void SpdLogger::log(LogLevel level, std::string_view message,
                    std::initializer_list<LogField> fields) {
  const config::LogFormat format = format_;  // one line, one format
  spdlog::logger& logger = in(format);
  if (!logger.should_log(to_spdlog(level))) {
    return;
  }
  std::string text;
  if (format == config::LogFormat::kJson) {
    text += "\"message\":";
    append_json_string(text, message);
    for (const LogField& field : fields) {
      text += ',';
      append_json_string(text, field.key);
      text += ':';
      append_json_string(text, field.value);
    }
  } else {
    append_text_message(text, message);
    for (const LogField& field : fields) {
      text += ' ';
      text += field.key;
      text += '=';
      append_text_value(text, field.value);
    }
  }
  logger.log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace pilotfish::app
