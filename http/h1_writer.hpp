#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/head.hpp"
#include "http/hop_by_hop.hpp"

namespace pilotfish::http {

// Heads to HTTP/1.1 bytes, rewritten as a proxy must (RFC 9110 section 7.6): hop-by-hop fields and
// those named in Connection go, Via and X-Forwarded-For are added, framing is written anew. Pure.

/// What a proxy adds to a request.
struct RequestRewrite {
  std::string_view client_address;  ///< without port, for X-Forwarded-For
  std::string_view fallback_host;   ///< Host where an HTTP/1.0 request brought none
  std::string_view
      host{};  ///< Host whatever the request says, in the line behind the first; or none
};
/// Appends the whole head, its empty line included, to `out`. `Trailer` goes too: request trailers
/// are not sent on (proxy/request_body.hpp).
void write_request(const RequestHead& head, const RequestRewrite& rewrite, std::string& out);

/// How the answer goes to the client.
struct ResponseRewrite {
  Framing framing = Framing::kNone;  ///< as it will be sent, not as it came
  bool close = false;                ///< the connection ends after this answer
  bool client_is_10 = false;
  std::string_view date;    ///< for a final answer without `Date` (RFC 9110 section 6.6.1)
  std::string_view more{};  ///< whole field lines that are added
};
void write_response(const ResponseHead& head, const ResponseRewrite& rewrite, std::string& out);

/// Appends the trailer fields that `hop` lets pass, and the final empty line.
void write_trailers(const std::vector<Field>& fields, const HopByHop& hop, std::string& out);

/// An answer of our own (docs/how-it-decides.md, "What the application sees").
struct OwnAnswer {
  int status = 500;
  std::string_view error;  ///< an RFC 9209 section 2.3 name; empty: it is no error
  std::string_view text;   ///< for people: what happened and what to do; one line
  std::string_view body;   ///< instead of `text`, as it is
  std::string_view type = "text/plain";
  bool close = true;
  bool client_is_10 = false;
  bool head_only = false;    ///< the request was HEAD
  unsigned retry_after = 0;  ///< seconds; 0: no field
  std::string_view date;
};
/// Appends it; returns how many bytes of body are in it.
std::size_t write_own_answer(const OwnAnswer& answer, std::string& out);

/// The request as it was received, without what is secret in it: the body of an answer to TRACE
/// (RFC 9110 section 9.3.8).
void write_trace(const RequestHead& head, std::string& out);

[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace pilotfish::http
