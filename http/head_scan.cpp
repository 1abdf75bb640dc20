#include "http/head_scan.hpp"

#include <cstring>

namespace pilotfish::http {
namespace {

/// A head begins with a letter of a method or of "HTTP/": any tchar will do here.
bool may_begin(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::strchr("!#$%&'*+-.^_`|~", c) != nullptr;
}

}  // namespace

HeadScan::State HeadScan::scan(std::string_view bytes) {
  if (!bytes.empty() && scanned_ == 0 && (bytes[0] == '\0' || !may_begin(bytes[0]))) {
    return State::kBad;
  }
  while (scanned_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      return State::kMore;
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (at == line_start_ || bytes[at - 1] != '\r') {
      return State::kBad;
    }
    scanned_ = at + 1;
    if (at - 1 == line_start_) {
      return State::kFound;
    }
    if (line_start_ > 0 && (bytes[line_start_] == ' ' || bytes[line_start_] == '\t')) {
      return State::kBad;
    }
    line_start_ = scanned_;
  }
  return State::kMore;
}

std::size_t leading_empty_lines(std::string_view bytes, std::size_t skipped) {
  constexpr std::size_t kMost = 4;
  std::size_t found = 0;
  while (skipped + found < kMost && bytes.substr(found).starts_with("\r\n")) {
    found += 2;
  }
  return found;
}

}  // namespace pilotfish::http
