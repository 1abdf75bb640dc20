#include "registry/check_probe.hpp"

#include "http/client.hpp"

namespace pilotfish::registry {

net::Awaitable<std::string> probe(net::Executor executor, CheckOptions check) {
  if (check.kind == CheckKind::kNone || check.kind == CheckKind::kTtl) {
    co_return std::string();
  }
  const auto target = http::ClientTarget::parse(check.target);
  if (!target) {
    co_return check.target + ": not an address that can be checked";
  }
  const auto deadline = Clock::now() + check.timeout;
  if (check.kind == CheckKind::kTcp) {
    auto why = co_await http::try_connect(executor, *target, deadline);
    co_return why;
  }
  http::ClientRequest request;
  const auto result = co_await http::fetch(executor, *target, std::move(request), deadline);
  if (result.ok() || result.status == 429) {
    co_return std::string();
  }
  co_return result.answered() ? check.target + " answered " + std::to_string(result.status)
                              : result.error;
}

}  // namespace pilotfish::registry
