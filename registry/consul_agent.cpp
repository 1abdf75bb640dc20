#include "registry/consul_agent.hpp"

#include "registry/consul_codec.hpp"
#include "registry/local_end.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {

http::ClientRequest consul_request(const ConsulHttp& options, std::string method, std::string path,
                                   std::string body) {
  http::ClientRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  if (!options.token.empty()) {
    request.headers.emplace_back("X-Consul-Token", options.token);
  }
  return request;
}

bool is_crowded(const http::ClientResult& result) {
  return result.status == 429 && result.body.find("concurrent connections") != std::string::npos;
}

std::string consul_problem(const http::ClientResult& result, const std::string& service,
                           std::string_view right) {
  if (!result.answered()) {
    return result.error;
  }
  auto text = "the agent answered " + std::to_string(result.status);
  if (const auto words = shorten(result.body); !words.empty()) {
    text += ": " + words;
  }
  if (result.status == 401 || result.status == 403) {
    text += " (the token needs " + std::string(right) + " for \"" + service +
            "\"; set it with CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE)";
  }
  return text;
}

LookupResult consul_failure(const http::ClientResult& result) {
  if (!result.answered()) {
    return result.timed_out                ? LookupResult::kTimeout
           : result.sent && !result.broken ? LookupResult::kMalformed
                                           : LookupResult::kUnreachable;  // killed while it waited
  }
  if (result.status >= 500 || result.status == 429) {
    return LookupResult::kServfail;
  }
  return result.status >= 400 ? LookupResult::kRefused : LookupResult::kMalformed;
}

ConsulAgent::ConsulAgent(std::shared_ptr<RegistrarContext> context)
    : context_(std::move(context)),
      target_(http::ClientTarget::parse(context_->options.consul.url)) {}

net::Awaitable<http::ClientResult> ConsulAgent::call(std::string method, std::string path,
                                                     std::string body, TimePoint deadline) {
  http::ClientResult result;
  if (!target_) {
    result.error = context_->options.consul.url +
                   ": not an address of an agent (http://HOST:PORT or unix://PATH)";
  } else {
    auto request = consul_request(context_->options.consul, std::move(method), std::move(path),
                                  std::move(body));
    result = co_await http::fetch(context_->executor, *target_, std::move(request), deadline);
  }
  note(result);
  co_return result;
}

void ConsulAgent::note(const http::ClientResult& result) {
  const bool lost = !result.answered();
  if (lost && !unreachable_) {
    context_->log(LogLevel::kWarn, "Consul agent not reachable; registrations wait for it",
                  {{"error", result.error}});
  } else if (!lost && unreachable_) {
    context_->log(LogLevel::kInfo, "Consul agent answers again",
                  {{"agent", context_->options.consul.url}});
  }
  unreachable_ = lost;
  const auto& options = context_->options;
  if (is_crowded(result) && options.on_crowded && context_->logger != nullptr) {
    options.on_crowded();
  }
}

net::Awaitable<ConsulAgent::NodeAddress> ConsulAgent::node_address(TimePoint deadline) {
  NodeAddress node{node_address_, {}};
  if (!node.address.empty()) {
    co_return node;
  }
  auto result = co_await call("GET", "/v1/agent/self", {}, deadline);
  // A token that may only write this service is good practice: it is no reason to stop.
  const bool forbidden = result.status == 401 || result.status == 403;
  bool instead = forbidden;
  if (result.answered() && !result.ok() && !forbidden) {
    const auto now = Clock::now();
    refused_since_ = refused_since_.value_or(now);
    instead = now - *refused_since_ >= context_->options.patience;
  }
  if (result.ok()) {
    node.address = decode_member_address(result.body).value_or("");
    node.why = "the agent's /v1/agent/self does not say its address";
  } else if (instead && target_) {
    node.address = target_->unix_path.empty() ? "" : "127.0.0.1";
    if (node.address.empty()) {
      node.address = co_await local_end(context_->executor, target_->host, target_->port, deadline);
    }
    node.why = "no route to the agent";
    if (!forbidden) {
      context_->log(
          LogLevel::kWarn,
          "the agent does not tell its address; ids have the local end of the route to it",
          {{"address", node.address}, {"error", consul_problem(result, "")}});
    }
  } else {
    node.why = consul_problem(result, "");
  }
  node_address_ = node.address;
  node.result = std::move(result);
  co_return node;
}

}  // namespace pilotfish::registry
