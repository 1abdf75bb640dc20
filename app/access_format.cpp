#include "app/access_format.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "app/escape.hpp"

namespace pilotfish::app {
namespace {

void append_time(std::string& out, std::chrono::system_clock::time_point when) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(when - seconds).count();
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec, static_cast<int>(millis));
  out.append(text.data(), static_cast<std::size_t>(length));
}

/// Writes fields in either form, so that both always have the same ones in the same order.
class LineBuilder {
 public:
  LineBuilder(std::string& out, config::LogFormat format)
      : out_(out), json_(format == config::LogFormat::kJson) {
    if (json_) {
      out_ += '{';
    }
  }

  void text(std::string_view key, std::string_view value) {
    if (json_) {
      begin(key);
      append_json_string(out_, value);
    } else if (!value.empty()) {
      begin(key);
      append_text_value(out_, value);
    }
  }

  void number(std::string_view key, std::int64_t value) {
    begin(key);
    append(value);
  }

  void millis(std::string_view key, Duration value) {
    begin(key);
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    append(micros / 1000);
    const auto rest = std::to_string(1000 + micros % 1000);
    out_ += '.';
    out_.append(rest, 1);
  }

  void time(std::chrono::system_clock::time_point when) {
    begin("time");
    out_.append(json_ ? "\"" : "");
    append_time(out_, when);
    out_.append(json_ ? "\"" : "");
  }

  void end() { out_ += json_ ? "}\n" : "\n"; }

 private:
  void begin(std::string_view key) {
    if (json_) {
      out_.append(first_ ? "\"" : ",\"").append(key).append("\":");
    } else {
      out_.append(first_ ? "" : " ").append(key).append("=");
    }
    first_ = false;
  }

  void append(std::int64_t value) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.append(digits.data(), end);
  }

  std::string& out_;
  bool json_;
  bool first_ = true;
};

}  // namespace

void append_access_line(std::string& out, const proxy::AccessRecord& record,
                        std::chrono::system_clock::time_point when, config::LogFormat format) {
  LineBuilder line(out, format);
  line.time(when);
  line.text("upstream", record.upstream);
  line.text("client", record.client.to_string());
  if (!record.method.empty() || record.status != 0) {
    line.text("method", record.method);
    line.text("target", record.target);
    line.number("status", record.status);
  }
  line.number("bytes_in", static_cast<std::int64_t>(record.bytes_in));
  line.number("bytes_out", static_cast<std::int64_t>(record.bytes_out));
  line.millis("duration_ms", record.duration);
  line.text("instance", record.instance);
  line.number("tier", record.tier);
  line.text("tier_name", record.tier_name);
  line.text("tier_reason", record.tier_reason);
  line.number("tries", record.tries);
  line.text("error", record.error);
  line.end();
}

}  // namespace pilotfish::app
