#include "registry/check_probe.hpp"

#include "http/client.hpp"

namespace pilotfish::registry {
namespace {

constexpr std::string_view kTls = "https://";

/// Where an https:// check connects to.
std::optional<http::ClientTarget> tls_target(const std::string& url) {
  const auto authority_ends = url.find_first_of("/?#", kTls.size());
  auto authority = url.substr(kTls.size(), authority_ends - kTls.size());
  const auto colon = authority.rfind(':');
  if (colon == std::string::npos || authority.find(']', colon) != std::string::npos) {
    authority += ":443";
  }
  return http::ClientTarget::parse(authority);
}

}  // namespace

net::Awaitable<Probed> probe(net::Executor executor, CheckOptions check) {
  if (check.kind == CheckKind::kNone || check.kind == CheckKind::kTtl) {
    co_return Probed{};
  }
  const bool tls = check.target.starts_with(kTls);
  const auto target = tls ? tls_target(check.target) : http::ClientTarget::parse(check.target);
  if (!target) {
    co_return Probed{Verdict::kUnknown, check.target + ": not an address that can be checked"};
  }
  const auto deadline = Clock::now() + check.timeout;
  if (check.kind == CheckKind::kTcp || tls) {
    auto why = co_await http::try_connect(executor, *target, deadline);
    const auto connected = tls ? Verdict::kUnknown : Verdict::kPassing;
    co_return Probed{why.empty() ? connected : Verdict::kCritical, std::move(why)};
  }
  http::ClientRequest request;
  const auto result = co_await http::fetch(executor, *target, std::move(request), deadline);
  if (result.ok() || result.status == 429) {
    co_return Probed{};
  }
  const bool redirects = result.status >= 300 && result.status < 400;
  co_return Probed{redirects ? Verdict::kUnknown : Verdict::kCritical,
                   result.answered() ? check.target + " answered " + std::to_string(result.status)
                                     : result.error};
}

}  // namespace pilotfish::registry
