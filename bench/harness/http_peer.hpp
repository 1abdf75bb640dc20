#pragma once

#include <memory>
#include <string_view>

#include "bench/harness/http_get.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "net/asio.hpp"

namespace pilotfish::bench {

/// An HTTP API that is asked again and again over one kept connection, which is opened anew where
/// it has ended. Thread-safety: none; one thread at a time.
class HttpPeer {
 public:
  explicit HttpPeer(const Endpoint& server);
  ~HttpPeer();
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  /// Blocks the calling thread for at most `limit`. A kept connection that turns out to have ended
  /// is replaced once, so that a request may arrive twice: what is asked must bear that.
  [[nodiscard]] net::Result<HttpAnswer> call(std::string_view method, std::string_view path,
                                             std::string_view body, Duration limit);
  [[nodiscard]] net::Result<HttpAnswer> get(std::string_view path, Duration limit) {
    return call("GET", path, {}, limit);
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pilotfish::bench
