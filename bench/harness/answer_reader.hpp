#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pilotfish::bench {

/// Reads the answers to one connection's requests, one outstanding at a time, without keeping their
/// bodies. Allocates only where a head arrives in pieces. Pure. Thread-safety: none.
class AnswerReader {
 public:
  enum class Progress : std::uint8_t { kMore, kDone, kBad };

  /// The next answer is a head with a Content-Length and that many bytes.
  void expect_http();
  /// The next answer is just this many bytes.
  void expect_bytes(std::size_t count);
  /// Bytes as they arrive. kBad: not HTTP, no Content-Length, or more than the answer.
  Progress feed(std::string_view bytes);

  [[nodiscard]] unsigned status() const { return status_; }
  /// The peer will close after this answer.
  [[nodiscard]] bool close() const { return close_; }
  /// Whether anything of the answer has arrived.
  [[nodiscard]] bool begun() const { return begun_; }

 private:
  Progress body(std::string_view bytes);
  bool head(std::string_view text);

  bool in_head_ = false;
  bool begun_ = false;
  bool close_ = false;
  unsigned status_ = 0;
  std::size_t left_ = 0;
  std::string partial_;
};

/// The end of the head, after its empty line; 0 where it is not there yet. Pure.
[[nodiscard]] std::size_t head_size(std::string_view bytes);

/// Content-Length and `Connection: close` of a head, whatever its first line. Pure.
struct Framing {
  bool has_length = false;
  bool bad = false;  ///< a length that is no number, or a transfer coding
  bool close = false;
  std::size_t length = 0;
};
[[nodiscard]] Framing framing_of(std::string_view head);

}  // namespace pilotfish::bench
