#pragma once

#include <string_view>

#include "http/head.hpp"

namespace pilotfish::http {

// What a request is about: RFC 9110 section 7.2, RFC 9112 section 3.2. Pure.

/// `uri-host [ ":" port ]`, without userinfo; a single one.
[[nodiscard]] bool good_host(std::string_view host);

/// Splits `head.target` into `path`, which is sent on, and for absolute-form the `authority`. Needs
/// the method. False for what no instance should have to understand: other forms, bytes that are
/// not visible ASCII, fragments.
[[nodiscard]] bool digest_target(RequestHead& head);

}  // namespace pilotfish::http
