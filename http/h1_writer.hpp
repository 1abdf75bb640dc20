#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/head.hpp"

namespace pilotfish::http {

// Heads to HTTP/1.1 bytes, rewritten as a proxy must (RFC 9110 section 7.6): hop-by-hop fields and
// those named in Connection go, Via and X-Forwarded-For are added, framing is written anew. Pure.

/// What a proxy adds to a request.
struct RequestRewrite {
  std::string_view client_address;  ///< without port, for X-Forwarded-For
  std::string_view fallback_host;   ///< Host where an HTTP/1.0 request brought none
};
/// Appends the whole head, its empty line included, to `out`.
void write_request(const RequestHead& head, const RequestRewrite& rewrite, std::string& out);

/// How the answer goes to the client.
struct ResponseRewrite {
  Framing framing = Framing::kNone;  ///< as it will be sent, not as it came
  bool close = false;                ///< the connection ends after this answer
  bool client_is_10 = false;
};
void write_response(const ResponseHead& head, const ResponseRewrite& rewrite, std::string& out);

/// Appends trailer fields and the final empty line.
void write_trailers(const std::vector<Field>& fields, std::string& out);

/// An answer of our own (design.md section 3, Errors). `error` is an RFC 9209 section 2.3 name.
struct OwnAnswer {
  int status = 500;
  std::string_view error;
  std::string_view text;  ///< for people: what happened and what to do; one line
  bool close = true;
  bool head_only = false;    ///< the request was HEAD
  unsigned retry_after = 0;  ///< seconds; 0: no field
};
void write_own_answer(const OwnAnswer& answer, std::string& out);

[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace pilotfish::http
