#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "net/asio.hpp"

namespace pilotfish::bench {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// One GET over a connection of its own, any framing; for admin endpoints. Blocks the calling
/// thread for at most `limit`.
[[nodiscard]] net::Result<HttpAnswer> http_get(const Endpoint& server, std::string_view path,
                                               Duration limit);

}  // namespace pilotfish::bench
