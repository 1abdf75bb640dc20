#include "registry/consul_completer.hpp"

#include <algorithm>

#include "registry/consul_agent.hpp"
#include "registry/consul_health_codec.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {

ConsulCompleter::ConsulCompleter(net::Executor executor, ConsulHttp options, Logger& logger)
    : executor_(executor),
      options_(std::move(options)),
      target_(http::ClientTarget::parse(options_.url)),
      logger_(logger) {}

void ConsulCompleter::set_options(ConsulHttp options) {
  options_ = std::move(options);
  target_ = http::ClientTarget::parse(options_.url);
}

net::Awaitable<std::optional<InstanceList>> ConsulCompleter::complete(
    const resolver::ConsulSource& source, const std::vector<std::string>& tags,
    TimePoint deadline) {
  const auto service = source.service;
  auto wanted = tags;
  std::sort(wanted.begin(), wanted.end());
  if (!target_) {
    complain(service, options_.url + ": not an address of an agent");
    co_return std::nullopt;
  }
  auto path = "/v1/health/service/" + percent_encode(service) + "?stale";
  if (!source.datacenter.empty()) {
    path += "&dc=" + percent_encode(source.datacenter);
  }
  for (const auto& tag : wanted) {
    path += "&tag=" + percent_encode(tag);
  }
  auto request = consul_request(options_, "GET", std::move(path));
  const auto result = co_await http::fetch(executor_, *target_, std::move(request), deadline);
  auto listing = result.ok() ? decode_health(result.body) : std::nullopt;
  if (!listing) {
    complain(service, result.ok() ? "the agent's answer is not understood"
                                  : consul_problem(result, service, "service:read"));
    co_return std::nullopt;
  }
  std::erase_if(listing->instances,
                [&](const Instance& instance) { return !has_tags(instance.tags, wanted); });
  for (auto& instance : listing->instances) {
    instance.tags = wanted;
  }
  if (listing->skipped > 0) {
    complain(service,
             std::to_string(listing->skipped) + " instances skipped: no IP address or no port");
  }
  co_return std::move(listing->instances);
}

void ConsulCompleter::complain(const std::string& service, const std::string& problem) {
  const auto now = Clock::now();
  if (!complained_ || now - *complained_ >= std::chrono::minutes(1)) {
    complained_ = now;
    logger_.warn("listing a service from Consul's API", {{"service", service}, {"error", problem}});
  }
}

}  // namespace pilotfish::registry
