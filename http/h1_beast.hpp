#pragma once

#include <string_view>
#include <vector>

#include "http/h1_plain.hpp"
#include "http/head.hpp"

namespace pilotfish::http {

// The long way through a head: Beast's basic_parser, which knows the grammar, for all that is not
// of the plainest form (h1_plain.hpp). Pure. Views point into `bytes`. False: no HTTP/1; `fields`
// then has those before what was refused.

[[nodiscard]] bool split_request(std::string_view bytes, PlainRequestLine& line,
                                 std::vector<Field>& fields);
[[nodiscard]] bool split_response(std::string_view bytes, PlainStatusLine& line,
                                  std::vector<Field>& fields);

}  // namespace pilotfish::http
