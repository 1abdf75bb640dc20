#pragma once

#include <string_view>

#include "http/head.hpp"

namespace pilotfish::http {

// The HTTP/1.1 codec: a whole head (as HeadScan found it) to a digested one. Syntax is Beast's
// basic_parser (h1_beast.hpp), with a short way for plain heads (h1_plain.hpp); on top of it stands
// everything that could be read two ways and is refused (docs/hostile-input.md; RFC 9112
// sections 3, 5, 6). Pure. Views point into `bytes`.

/// Digests a request head. kNone where it is good; `head` is meaningful only then.
[[nodiscard]] Refusal parse_request(std::string_view bytes, RequestHead& head);

/// Digests an answer's head to a request whose method was `method`.
[[nodiscard]] Refusal parse_response(std::string_view bytes, Method method, ResponseHead& head);

/// Checks a request's trailer fields (the bytes between the last chunk and the final empty line,
/// that line included). Fields of framing, routing and the connection are not allowed.
[[nodiscard]] bool good_trailers(std::string_view bytes);
/// Splits those of an answer. Framing fields and Host are not allowed; which of the others end here
/// is said elsewhere (hop_by_hop.hpp).
[[nodiscard]] bool parse_trailers(std::string_view bytes, std::vector<Field>& fields);

}  // namespace pilotfish::http
