#include "bench/harness/answer_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace pilotfish::bench {
namespace {

constexpr std::size_t kLargestHead = 65536;

bool same(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::size_t head_size(std::string_view bytes) {
  const void* end = ::memmem(bytes.data(), bytes.size(), "\r\n\r\n", 4);
  if (end == nullptr) return 0;
  return static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) + 4;
}

Framing framing_of(std::string_view head) {
  Framing framing;
  for (auto end = head.find('\n'); end != std::string_view::npos; end = head.find('\n')) {
    head.remove_prefix(end + 1);
    // Only fields that begin with c or t matter.
    if (head.empty() || ((head.front() | 0x20) != 'c' && (head.front() | 0x20) != 't')) continue;
    const auto line = head.substr(0, head.find('\n'));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (same(name, "content-length")) {
      const auto* last = value.data() + value.size();
      const auto parsed = std::from_chars(value.data(), last, framing.length);
      framing.has_length = true;
      framing.bad |= parsed.ec != std::errc() || parsed.ptr != last;
    } else if (same(name, "connection")) {
      framing.close |= same(value, "close");
    } else if (same(name, "transfer-encoding")) {
      framing.bad = true;
    }
  }
  return framing;
}

void AnswerReader::expect_http() {
  in_head_ = true;
  begun_ = false;
  close_ = false;
  status_ = 0;
  left_ = 0;
  partial_.clear();
}

void AnswerReader::expect_bytes(std::size_t count) {
  expect_http();
  in_head_ = false;
  left_ = count;
  status_ = 200;
}

AnswerReader::Progress AnswerReader::feed(std::string_view bytes) {
  if (bytes.empty()) return Progress::kMore;
  begun_ = true;
  if (!in_head_) return body(bytes);
  const auto before = partial_.size();
  if (before != 0) {
    partial_.append(bytes);
    const auto size = head_size(partial_);
    if (size == 0) return partial_.size() > kLargestHead ? Progress::kBad : Progress::kMore;
    if (!head(std::string_view(partial_).substr(0, size))) return Progress::kBad;
    return body(bytes.substr(size - before));
  }
  const auto size = head_size(bytes);
  if (size == 0) {
    partial_.assign(bytes);
    return Progress::kMore;
  }
  if (!head(bytes.substr(0, size))) return Progress::kBad;
  return body(bytes.substr(size));
}

bool AnswerReader::head(std::string_view text) {
  if (text.size() < 12 || text.substr(0, 7) != "HTTP/1.") return false;
  const auto* digits = text.data() + 9;
  if (std::from_chars(digits, digits + 3, status_).ptr != digits + 3) return false;
  const auto framing = framing_of(text);
  if (!framing.has_length || framing.bad) return false;
  close_ = framing.close;
  left_ = framing.length;
  in_head_ = false;
  return true;
}

AnswerReader::Progress AnswerReader::body(std::string_view bytes) {
  if (bytes.size() > left_) return Progress::kBad;
  left_ -= bytes.size();
  return left_ == 0 ? Progress::kDone : Progress::kMore;
}

}  // namespace pilotfish::bench
