#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pilotfish::fuzz {

// A second opinion on HTTP/1.1 bytes, written from RFC 9112 alone and shared with nothing of the
// product: whole strings, no state, the strictest reading everywhere. It judges what we would send.

struct ReferenceMessage {
  std::string start;  ///< the start line without its end
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::vector<std::pair<std::string, std::string>> trailers;
  bool until_close = false;
  friend bool operator==(const ReferenceMessage&, const ReferenceMessage&) = default;
};

struct ReferenceReading {
  std::vector<ReferenceMessage> messages;  ///< whole ones
  std::size_t used = 0;                    ///< bytes of them
  std::optional<std::string> broken;       ///< why the rest is no message and never can be one
};

/// Reads requests until the bytes end or cannot be understood. What is left after `used` and not
/// broken is the beginning of one more.
ReferenceReading read_requests(std::string_view bytes);

/// Reads the answer to one request: interim ones and a final one. `closed`: the bytes are followed
/// by a close, which ends a body that has no other end.
ReferenceReading read_answer(std::string_view bytes, bool head, bool closed);

/// Decodes a chunked body, trailers included. `used` is set where it ends; `broken` as above.
struct ReferenceBody {
  std::string data;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::size_t used = 0;
  bool done = false;
  bool broken = false;
};
ReferenceBody read_chunks(std::string_view bytes);

/// Lower-case of ASCII letters.
std::string lowered(std::string_view text);
/// Values of every field of that name (in lower case).
std::vector<std::string> values_of(const ReferenceMessage& message, std::string_view name);

}  // namespace pilotfish::fuzz
