#include "registry/consul_completer.hpp"

#include <algorithm>

#include "registry/consul_agent.hpp"
#include "registry/consul_health_codec.hpp"
#include "registry/consul_settings.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {

namespace {

/// Those that carry all of `wanted`, without their tags: what DNS would have said.
std::optional<HealthListing> read_listing(const std::string& body,
                                          const std::vector<std::string>& wanted,
                                          bool only_passing) {
  auto listing = decode_health(body, kMaxJsonSize, only_passing);
  if (listing) {
    std::erase_if(listing->instances,
                  [&](const Instance& instance) { return !has_tags(instance.tags, wanted); });
    for (auto& instance : listing->instances) {
      instance.tags.clear();
    }
  }
  return listing;
}

using Kind = resolver::AbsenceVerdict::Kind;

constexpr auto kRetryStarting = std::chrono::milliseconds(20);

/// A Consul that starts answers over DNS some milliseconds before its API listens: when half of its
/// catalogue is read.
bool is_starting(const http::ClientResult& result) {
  return !result.answered() && !result.sent && !result.timed_out;
}

bool knows_no_leader(const http::ClientResult& result) {
  return result.header("X-Consul-Knownleader") == "false";
}

/// True where an empty list may only be one that we must not see.
bool may_hide(const http::ClientResult& result, const ConsulHttp& options) {
  return result.header("X-Consul-Results-Filtered-By-ACLs") == "true" ||
         (options.token.empty() && result.header("X-Consul-Default-Acl-Policy") == "deny");
}

void judge(std::optional<HealthListing> listing, bool hidden, bool leaderless,
           resolver::AbsenceVerdict& out) {
  if (!listing) {
    out.why = "the agent's answer is not understood";
  } else if (const auto count = listing->instances.size() + listing->skipped + listing->named;
             count != 0) {
    out.kind = Kind::kPresent;
    out.why = "the agent's API has " + std::to_string(count) +
              (count == 1 ? " passing instance" : " passing instances");
    out.instances = std::move(listing->instances);
  } else if (leaderless) {
    out.kind = Kind::kFailed;
    out.why = "the agent knows no leader";
  } else if (hidden) {
    out.why = "it shows nothing without a token that has service:read (CONSUL_HTTP_TOKEN)";
  } else {
    out.kind = Kind::kAbsent;
  }
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
  asked_.reset();
}

net::Awaitable<bool> ConsulCompleter::only_passing(TimePoint deadline) {
  constexpr auto kAskEvery = std::chrono::minutes(1);
  if (options_.only_passing) {
    co_return *options_.only_passing;
  }
  const auto now = Clock::now();
  if (!asked_ || now - *asked_ >= kAskEvery) {
    asked_ = now;
    const auto said = co_await ask_only_passing(executor_, options_, *target_, nullptr, deadline);
    only_passing_ = said.value.value_or(only_passing_);
  }
  co_return only_passing_;
}

net::Awaitable<http::ClientResult> ConsulCompleter::ask(const resolver::ConsulSource& source,
                                                        const std::vector<std::string>& tags,
                                                        Consistency how, TimePoint deadline) {
  auto wanted = tags;
  std::sort(wanted.begin(), wanted.end());
  auto path = "/v1/health/service/" + percent_encode(source.service) +
              (how == Consistency::kStale ? "?stale" : "?passing");
  if (!source.datacenter.empty()) {
    path += "&dc=" + percent_encode(source.datacenter);
  }
  for (const auto& tag : wanted) {
    path += "&tag=" + percent_encode(tag);
  }
  auto request = consul_request(options_, "GET", std::move(path));
  auto result = co_await http::fetch(executor_, *target_, std::move(request), deadline);
  co_return result;
}

net::Awaitable<std::optional<HealthListing>> ConsulCompleter::read(std::string body,
                                                                   std::vector<std::string> tags,
                                                                   bool only_passing) {
  if (offload_ == nullptr) {
    co_return read_listing(body, tags, only_passing);
  }
  // Some thousand instances are megabytes of JSON, and a tenth of a second.
  auto job = [text = std::move(body), wanted = std::move(tags), only_passing] {
    return read_listing(text, wanted, only_passing);
  };
  auto listing = co_await offload_->run(executor_, std::move(job));
  co_return listing;
}

net::Awaitable<std::optional<InstanceList>> ConsulCompleter::complete(
    const resolver::ConsulSource& source, const std::vector<std::string>& tags,
    TimePoint deadline) {
  const auto service = source.service;
  auto wanted = tags;
  if (!target_) {
    complain(service, options_.url + ": not an address of an agent");
    co_return std::nullopt;
  }
  auto result = co_await ask(source, tags, Consistency::kStale, deadline);
  std::optional<HealthListing> listing;
  if (result.ok()) {
    const bool strict = co_await only_passing(deadline);
    auto body = std::move(result.body);
    listing = co_await read(std::move(body), std::move(wanted), strict);
  }
  if (!listing) {
    complain(service, result.ok() ? "the agent's answer is not understood"
                                  : consul_problem(result, service, "service:read"));
    co_return std::nullopt;
  }
  if (const auto skipped = listing->skipped + listing->named; skipped > 0) {
    complain(service, std::to_string(skipped) + " instances skipped: no IP address or no port");
  }
  co_return std::move(listing->instances);
}

net::Awaitable<resolver::AbsenceVerdict> ConsulCompleter::confirm_absence(
    const resolver::ConsulSource& source, const std::vector<std::string>& tags,
    TimePoint deadline) {
  resolver::AbsenceVerdict out;
  const auto service = source.service;
  auto wanted = tags;
  if (!target_) {
    out.why = options_.url + ": not an address of an agent";
    co_return out;
  }
  const auto began = Clock::now();
  const auto half = began + (deadline - began) / 2;
  auto result = co_await ask(source, tags, Consistency::kDefault, half);
  while (is_starting(result) && Clock::now() < began + (half - began) / 2) {
    net::Timer pause(executor_, Clock::now() + kRetryStarting);
    (void)co_await pause.async_wait(net::kTuple);
    result = co_await ask(source, tags, Consistency::kDefault, half);
  }
  if (result.timed_out) {
    // Either the agent is gone, or it waits for a leader: without one it still answers this.
    const auto stale = co_await ask(source, tags, Consistency::kStale, deadline);
    if (stale.ok() && knows_no_leader(stale)) {
      out.kind = Kind::kFailed;
      out.why = "the agent knows no leader";
      co_return out;
    }
  }
  if (!result.ok()) {
    const bool refused = result.status == 401 || result.status == 403;
    out.kind = refused || result.status >= 500 ? Kind::kFailed : Kind::kUntold;
    out.failure = consul_failure(result);
    out.why = consul_problem(result, service, "service:read");
    co_return out;
  }
  const bool hidden = may_hide(result, options_);
  const bool leaderless = knows_no_leader(result);
  auto body = std::move(result.body);
  auto listing = co_await read(std::move(body), std::move(wanted), false);
  judge(std::move(listing), hidden, leaderless, out);
  co_return out;
}

void ConsulCompleter::complain(const std::string& service, const std::string& problem) {
  const auto now = Clock::now();
  if (!complained_ || now - *complained_ >= std::chrono::minutes(1)) {
    complained_ = now;
    logger_.warn("listing a service from Consul's API", {{"service", service}, {"error", problem}});
  }
}

}  // namespace pilotfish::registry
