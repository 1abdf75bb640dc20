#pragma once

#include <cstdint>
#include <string_view>

namespace pilotfish::bench {

/// Just enough HTTP/1.1 for backends and load, independent of the proxy's own parser. Pure; what
/// it returns are views into the bytes.

/// One request at the beginning of the bytes: head and, by Content-Length, body.
struct RequestText {
  bool complete = false;
  bool malformed = false;  ///< no Content-Length that can be read, a chunked body, or too large
  bool close = false;      ///< `Connection: close`, or HTTP/1.0 without keep-alive
  bool head = false;       ///< method HEAD: the answer has no body
  std::size_t size = 0;    ///< of the whole request
};
[[nodiscard]] RequestText parse_request(std::string_view bytes);

/// One final answer to a GET at the beginning of the bytes, framed by Content-Length.
struct ResponseText {
  bool complete = false;
  bool malformed = false;
  bool close = false;
  unsigned status = 0;
  std::string_view instance;  ///< X-Instance
  std::string_view body;
  std::size_t size = 0;
};
[[nodiscard]] ResponseText parse_response(std::string_view bytes);

}  // namespace pilotfish::bench
