#pragma once

#include <string_view>
#include <vector>

#include "http/head.hpp"

namespace pilotfish::http {

// The short way through a head of the plainest form, which nearly every one has: one pass, sixteen
// bytes at a time. It takes nothing that Beast's parser refuses, and whatever is not plain is left
// to that one: false says nothing about the head. Pure. Views point into `bytes`.

struct PlainRequestLine {
  std::string_view method;
  std::string_view target;
  Version version = Version::k11;
};
struct PlainStatusLine {
  int status = 0;
  std::string_view reason;
  Version version = Version::k11;
};

/// Plain: a method in capitals, visible ASCII as target, fields without empty or non-ASCII values,
/// at most one Content-Length, Connection with one of its two usual words, no Transfer-Encoding,
/// Upgrade or Proxy-Connection. Every value is printable ASCII or tabs. `bytes` is a whole head.
[[nodiscard]] bool split_plain_request(std::string_view bytes, PlainRequestLine& line,
                                       std::vector<Field>& fields);
[[nodiscard]] bool split_plain_response(std::string_view bytes, PlainStatusLine& line,
                                        std::vector<Field>& fields);

}  // namespace pilotfish::http
