#pragma once

#include <string>
#include <string_view>

#include "app/merge_status.hpp"
#include "net/asio.hpp"

namespace pilotfish::app {

/// What the admin pages show. Called on the admin server's executor.
class AdminSource {
 public:
  virtual ~AdminSource() = default;
  /// Every worker's status; bounded in time, workers that do not answer are counted.
  virtual net::Awaitable<MergedStatus> status() = 0;
  /// The same without instances, which a worker has to list one by one.
  virtual net::Awaitable<MergedStatus> summary() { return status(); }
  virtual net::Awaitable<std::string> metrics() = 0;
  [[nodiscard]] virtual std::string config() = 0;
  /// What keeps the whole process from being ready: it starts, or drains. Empty where nothing does.
  [[nodiscard]] virtual std::string not_ready() const = 0;
};

struct AdminRequest {
  std::string method;
  std::string target;
  std::string host;  ///< empty where there is none
  bool http_1_0 = false;
};

struct AdminReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// One request to one reply: paths, methods and the check of Host. `any_host`: admin_public.
[[nodiscard]] net::Awaitable<AdminReply> answer_admin(const AdminRequest& request, bool any_host,
                                                      AdminSource& source);

/// False where a page in somebody's browser could have been tricked into asking us (DNS
/// rebinding): only IP literals and localhost are ours, whatever the port. Pure.
[[nodiscard]] bool host_is_local(std::string_view host);

}  // namespace pilotfish::app
