#pragma once

#include <cstddef>
#include <string_view>

namespace pilotfish::http {

/// Looks for the end of a head in bytes that arrive piece by piece, each byte once, and refuses
/// what no later byte can mend: a bare LF, a line that begins with white space (obs-fold), a first
/// byte that begins no head. Pure. RFC 9112 sections 2.2, 5.2.
class HeadScan {
 public:
  enum class State { kMore, kFound, kBad };

  /// `bytes` are all bytes of the head so far (those of earlier calls included).
  [[nodiscard]] State scan(std::string_view bytes);
  /// After kFound: how long the head is, its empty line included.
  [[nodiscard]] std::size_t length() const { return scanned_; }
  void reset() { *this = HeadScan{}; }

 private:
  std::size_t scanned_ = 0;     ///< bytes looked at
  std::size_t line_start_ = 0;  ///< where the current line begins
};

/// How many bytes of empty lines precede a request (RFC 9112 section 2.2: at least one is ignored;
/// we ignore up to two). `skipped`: bytes of them that were taken away before.
[[nodiscard]] std::size_t leading_empty_lines(std::string_view bytes, std::size_t skipped = 0);

}  // namespace pilotfish::http
