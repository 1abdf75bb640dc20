#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bench/harness/loop_thread.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "net/asio.hpp"

namespace pilotfish::bench {

struct BackendOptions {
  Endpoint listen{IpAddress::v4({127, 0, 0, 1}), 0};
  std::string version = "v1";  ///< X-Version
  std::string instance =
      "#1";  ///< X-Instance is version and instance: `v4 #3`; the body says so too
  std::size_t body_bytes = 0;  ///< the body is padded to this size with spaces
  Duration delay{};            ///< before each answer
  /// Told of each request once it is here, on the loop's thread. May be empty.
  std::function<void(TimePoint)> on_request;
};

/// A small HTTP/1.1 server: keep-alive, pipelining, request bodies with a Content-Length; every
/// request is answered with 200, who it is, and the headers X-Version and X-Instance. It can be
/// hurt in the ways that instances are hurt. Ownership: outlived by its loop. Thread-safety: full,
/// but for the loop's own thread, from which nothing here may be called.
class Backend {
 public:
  /// Throws boost::system::system_error where the port is taken.
  Backend(LoopThread& loop, const BackendOptions& options);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  [[nodiscard]] Endpoint endpoint() const;
  [[nodiscard]] const std::string& name() const;  ///< `v4 #3`
  [[nodiscard]] const std::string& version() const;
  [[nodiscard]] std::uint64_t requests() const;  ///< answered
  [[nodiscard]] std::size_t connections() const;

  /// As SIGKILL does: the listener is closed, every connection is reset.
  void kill();
  /// Listens again on the same port after kill() or stop(); throws where it was taken meanwhile.
  void revive();
  /// Orderly end: listener closed, running requests answered with `Connection: close`, idle
  /// connections closed.
  void stop();
  /// As SIGSTOP does: the kernel still accepts, nothing is answered until resume().
  void pause();
  void resume();
  void set_delay(Duration delay);
  /// The status of the answers from now on: 503 for an instance that is up and useless.
  void set_status(unsigned status);

 private:
  struct State;
  LoopThread& loop_;
  std::shared_ptr<State> state_;
};

}  // namespace pilotfish::bench
