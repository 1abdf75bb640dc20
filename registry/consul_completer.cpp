#include "registry/consul_completer.hpp"

#include <algorithm>

#include "registry/consul_agent.hpp"
#include "registry/consul_health_codec.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {

namespace {

/// Those that carry all of `wanted`, without their tags: what DNS would have said.
std::optional<HealthListing> read_listing(const std::string& body,
                                          const std::vector<std::string>& wanted) {
  auto listing = decode_health(body);
  if (listing) {
    std::erase_if(listing->instances,
                  [&](const Instance& instance) { return !has_tags(instance.tags, wanted); });
    for (auto& instance : listing->instances) {
      instance.tags.clear();
    }
  }
  return listing;
}

}  // namespace

ConsulCompleter::ConsulCompleter(net::Executor executor, ConsulHttp options, Logger& logger,
                                 net::Offload* offload)
    : executor_(executor),
      options_(std::move(options)),
      target_(http::ClientTarget::parse(options_.url)),
      logger_(logger),
      offload_(offload) {}

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
  auto result = co_await http::fetch(executor_, *target_, std::move(request), deadline);
  std::optional<HealthListing> listing;
  if (result.ok() && offload_ != nullptr) {
    // Some thousand instances are megabytes of JSON, and a tenth of a second.
    auto job = [body = std::move(result.body), wanted] { return read_listing(body, wanted); };
    listing = co_await offload_->run(executor_, std::move(job));
  } else if (result.ok()) {
    listing = read_listing(result.body, wanted);
  }
  if (!listing) {
    complain(service, result.ok() ? "the agent's answer is not understood"
                                  : consul_problem(result, service, "service:read"));
    co_return std::nullopt;
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
