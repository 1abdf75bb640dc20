#include "registry/consul_settings.hpp"

#include <utility>

#include "registry/consul_agent.hpp"
#include "registry/consul_health_codec.hpp"

namespace pilotfish::registry {

net::Awaitable<OnlyPassing> ask_only_passing(net::Executor executor, ConsulHttp options,
                                             http::ClientTarget target,
                                             std::shared_ptr<http::ClientCancel> cancel,
                                             TimePoint deadline) {
  OnlyPassing out;
  auto request = consul_request(options, "GET", "/v1/agent/self");
  request.cancel = std::move(cancel);
  const auto result =
      co_await http::fetch(executor, std::move(target), std::move(request), deadline);
  if (result.ok()) {
    out.value = decode_only_passing(result.body);
    out.problem = out.value ? "" : "its /v1/agent/self does not say";
  } else {
    out.denied = result.status == 401 || result.status == 403;
    out.problem = !result.answered() ? result.error
                                     : "/v1/agent/self answered " + std::to_string(result.status);
  }
  co_return out;
}

}  // namespace pilotfish::registry
