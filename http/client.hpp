#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "net/asio.hpp"

namespace pilotfish::http {

/// Where a control-plane request goes. A value.
struct ClientTarget {
  std::string host;  ///< literal (without brackets) or name; empty for a unix socket
  std::uint16_t port = 80;
  std::string unix_path;   ///< set: a unix stream socket instead of TCP
  std::string path = "/";  ///< what follows the authority, always with a leading slash

  /// Accepts http://HOST[:PORT][/PATH], HOST:PORT[/PATH] and unix://PATH. Nothing where it is none
  /// of them (https among others: there is no TLS here).
  static std::optional<ClientTarget> parse(std::string_view url);

  /// What people read in messages: "127.0.0.1:8500", "[::1]:80", "unix:///run/consul.sock".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const ClientTarget&, const ClientTarget&) = default;
};

inline constexpr std::size_t kMaxClientBody = std::size_t{16} * 1024 * 1024;
inline constexpr std::size_t kMaxClientHead = std::size_t{64} * 1024;

/// Ends a request from outside. Thread-safety: none; the request's executor.
class ClientCancel {
 public:
  /// The request ends soon, with an error; one that has not begun yet ends at once. Idempotent.
  void cancel();
  [[nodiscard]] bool cancelled() const { return cancelled_; }

 private:
  friend struct ClientCancelAccess;
  bool cancelled_ = false;
  std::function<void()> close_;
};

struct ClientRequest {
  std::string method = "GET";
  std::string path;  ///< already percent-encoded, with its query; replaces the target's
  std::string body;
  std::string content_type = "application/json";  ///< sent where there is a body
  std::vector<std::pair<std::string, std::string>> headers;
  std::size_t max_body = kMaxClientBody;  ///< a larger answer is an error
  std::shared_ptr<ClientCancel> cancel;   ///< optional
};

/// One answer, or why there is none.
struct ClientResult {
  unsigned status = 0;  ///< 0: no answer, see `error`
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string error;       ///< for people: "127.0.0.1:8500: connection refused"
  bool sent = false;       ///< the request may have reached the server
  bool timed_out = false;  ///< the deadline ended it
  bool broken = false;     ///< the connection ended before the answer did

  [[nodiscard]] bool answered() const { return status != 0; }
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  /// The first field of that name, case-insensitive; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// One request over a connection of its own, for registries and checks; never on the data path.
/// Ends at the deadline whatever the other side does. Does not throw. A field, method or path with
/// a control character is refused before anything is sent. Redirects are not followed.
/// Thread-safety: runs on `executor` alone.
net::Awaitable<ClientResult> fetch(net::Executor executor, ClientTarget target,
                                   ClientRequest request, TimePoint deadline);

/// Connects and closes again; empty where it worked, else why not.
net::Awaitable<std::string> try_connect(net::Executor executor, ClientTarget target,
                                        TimePoint deadline);

/// Addresses of a host: a literal, "localhost" (127.0.0.1, then ::1; asks nobody), or what the
/// system's resolver says. Empty where there is none by the deadline.
net::Awaitable<std::vector<net::asio::ip::address>> resolve_host(net::Executor executor,
                                                                 std::string host,
                                                                 TimePoint deadline);

}  // namespace pilotfish::http
