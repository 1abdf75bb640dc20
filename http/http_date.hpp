#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pilotfish::http {

/// The text of a `Date` field (IMF-fixdate, RFC 9110 section 5.6.7), made anew when the second
/// changes. Pure: the time is an argument. Thread-safety: none; one per worker.
class HttpDate {
 public:
  /// `seconds` since 1970 of the wall clock. The view is good until the next call.
  [[nodiscard]] std::string_view text(std::int64_t seconds) {
    if (seconds != made_for_) {
      make(seconds);
    }
    return {text_.data(), text_.size()};
  }

 private:
  void make(std::int64_t seconds);

  std::int64_t made_for_ = -1;
  std::array<char, 29> text_{};
};

}  // namespace pilotfish::http
