#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/asio.hpp"

namespace pilotfish::test {

struct FakeRequest {
  std::string method;
  std::string target;  ///< path and query as sent
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  [[nodiscard]] std::string header(const std::string& name) const;  ///< exact case; "" if absent
};

struct FakeReply {
  unsigned status = 200;
  std::string body;
  Duration delay{};
  bool hang = false;  ///< never answers; the connection stays open
  std::string raw;    ///< set: these bytes instead of an answer, then close
  std::vector<std::pair<std::string, std::string>> headers;
  /// Set: asked every few milliseconds until it gives the answer (a blocking query).
  std::function<std::optional<FakeReply>()> later;
};

/// An HTTP server on loopback, one request a connection, answered by a function. Can be taken down
/// and brought up again on the same port. Runs on the test's own io_context; must not outlive it.
class FakeHttp {
 public:
  using Handler = std::function<FakeReply(const FakeRequest&)>;
  FakeHttp(net::IoContext& io, Handler handler);
  /// On a unix socket at `path` instead.
  FakeHttp(net::IoContext& io, Handler handler, std::string path);
  ~FakeHttp();
  FakeHttp(const FakeHttp&) = delete;
  FakeHttp& operator=(const FakeHttp&) = delete;

  void up();
  void down();  ///< refuses connections and cuts those there are
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pilotfish::test
