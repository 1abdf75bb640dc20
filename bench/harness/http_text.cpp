#include "bench/harness/http_text.hpp"

#include <charconv>
#include <optional>

namespace pilotfish::bench {
namespace {

constexpr std::size_t kMaxHead = 64U * 1024U;

bool same_word(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] - 'A' + 'a') : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

struct Head {
  std::string_view first_line;
  std::size_t size = 0;
  std::size_t content_length = 0;
  bool has_length = false;
  bool malformed = false;
  bool close = false;
  bool keep_alive = false;
  std::string_view instance;
};

void take_field(Head& head, std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) {
    head.malformed = true;
    return;
  }
  const auto name = line.substr(0, colon);
  auto value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (same_word(name, "content-length")) {
    const auto read =
        std::from_chars(value.data(), value.data() + value.size(), head.content_length);
    head.has_length = true;
    if (read.ec != std::errc() || read.ptr != value.data() + value.size()) head.malformed = true;
  } else if (same_word(name, "transfer-encoding")) {
    head.malformed = true;
  } else if (same_word(name, "connection")) {
    head.close = same_word(value, "close");
    head.keep_alive = same_word(value, "keep-alive");
  } else if (same_word(name, "x-instance")) {
    head.instance = value;
  }
}

/// Empty where the head has not arrived whole.
std::optional<Head> parse_head(std::string_view bytes) {
  Head head;
  const auto end = bytes.substr(0, kMaxHead).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() < kMaxHead) return std::nullopt;
    head.malformed = true;
    return head;
  }
  head.size = end + 4;
  auto rest = bytes.substr(0, end + 2);
  for (bool first = true; !rest.empty(); first = false) {
    const auto line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    if (first) {
      head.first_line = line;
    } else {
      take_field(head, line);
    }
  }
  return head;
}

}  // namespace

RequestText parse_request(std::string_view bytes) {
  RequestText result;
  const auto head = parse_head(bytes);
  if (!head) return result;
  result.malformed = head->malformed;
  if (head->malformed) return result;
  result.size = head->size + head->content_length;
  result.complete = bytes.size() >= result.size;
  result.head = head->first_line.starts_with("HEAD ");
  result.close = head->close || (head->first_line.ends_with("HTTP/1.0") && !head->keep_alive);
  return result;
}

ResponseText parse_response(std::string_view bytes) {
  ResponseText result;
  const auto head = parse_head(bytes);
  if (!head) return result;
  const auto& line = head->first_line;
  result.malformed = head->malformed || line.size() < 12 || !line.starts_with("HTTP/1.");
  if (result.malformed) return result;
  const auto read = std::from_chars(line.data() + 9, line.data() + 12, result.status);
  result.malformed = read.ec != std::errc() || read.ptr != line.data() + 12 || !head->has_length;
  if (result.malformed) return result;
  result.size = head->size + head->content_length;
  result.complete = bytes.size() >= result.size;
  result.close = head->close;
  result.instance = head->instance;
  if (result.complete) result.body = bytes.substr(head->size, head->content_length);
  return result;
}

}  // namespace pilotfish::bench
