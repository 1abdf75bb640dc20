#include "tests/support/fake_consul.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace pilotfish::test {
namespace {

namespace json = boost::json;

/// What the agent says of a service it was told of.
std::string describe(const std::string& registration, const std::string& status) {
  const auto body = json::parse(registration).as_object();
  json::object service{{"ID", body.at("ID")},          {"Service", body.at("Name")},
                       {"Port", body.at("Port")},      {"Address", ""},
                       {"Tags", body.at("Tags")},      {"Meta", body.at("Meta")},
                       {"Weights", body.at("Weights")}};
  if (const auto* address = body.if_contains("Address")) {
    service["Address"] = *address;
  }
  json::array checks;
  if (const auto* found = body.if_contains("Check")) {
    const auto& check = found->as_object();
    const auto* type = check.contains("TTL") ? "ttl" : check.contains("HTTP") ? "http" : "tcp";
    checks.push_back({{"CheckID", check.at("CheckID")}, {"Type", type}, {"Status", status}});
  }
  return json::serialize(
      json::object{{"AggregatedStatus", status}, {"Service", service}, {"Checks", checks}});
}

}  // namespace

std::size_t FakeConsul::count(const std::string& method, const std::string& prefix) const {
  return static_cast<std::size_t>(
      std::count_if(requests.begin(), requests.end(), [&](const FakeRequest& request) {
        return request.method == method && request.target.starts_with(prefix);
      }));
}

std::string FakeConsul::registration(const std::string& id) const {
  const auto found = services.find(id);
  return found == services.end() ? std::string() : found->second;
}

FakeReply FakeConsul::answer_health(const FakeRequest& request) {
  const auto field = [&request](const std::string& name) -> std::string {
    const auto at = request.target.find(name);
    return at == std::string::npos ? "0" : request.target.substr(at + name.size());
  };
  const std::uint64_t asked = std::stoull(field("&index="));
  if (asked != 0 && indexed_reply) {
    return *indexed_reply;
  }
  if (health_reply && (asked == 0 || !view)) {
    return *health_reply;
  }
  if (index == 0) {
    return {.body = health};
  }
  const bool streams = asked != 0 && view;
  const auto newest = [this, streams] { return streams ? view_index : index; };
  const auto now = [this, streams, newest] {
    FakeReply reply{.body = streams ? *view : health,
                    .headers = {{"X-Consul-Index", std::to_string(newest())}}};
    if (streams) {
      reply.headers.emplace_back("X-Consul-Query-Backend", "streaming");
      reply.headers.emplace_back("X-Consul-Knownleader", "false");
    }
    return reply;
  };
  if (streams ? asked < newest() : asked != newest()) {
    return now();
  }
  const auto wait = field("&wait=");
  const bool in_ms = wait.find("ms") != std::string::npos;
  const Duration length = in_ms ? Duration(std::chrono::milliseconds(std::stoull(wait)))
                                : Duration(std::chrono::seconds(std::stoull(wait)));
  const auto until = Clock::now() + length;
  return {.later = [this, now, newest, asked, until]() -> std::optional<FakeReply> {
    if (newest() == asked && Clock::now() < until) {
      return std::nullopt;
    }
    return now();
  }};
}

FakeReply FakeConsul::answer(const FakeRequest& request) {
  requests.push_back(request);
  if (instead) {
    if (auto reply = instead(request)) {
      return *reply;
    }
  }
  if (always) {
    return *always;
  }
  const auto path = request.target.substr(0, request.target.find('?'));
  const auto rest = [&](std::string_view prefix) { return path.substr(prefix.size()); };
  constexpr std::string_view kHealth = "/v1/agent/health/service/id/";
  constexpr std::string_view kDeregister = "/v1/agent/service/deregister/";
  constexpr std::string_view kDropCheck = "/v1/agent/check/deregister/service:";
  constexpr std::string_view kPass = "/v1/agent/check/pass/service:";
  if (path == "/v1/agent/self") {
    return self.value_or(FakeReply{.body = R"({"Member":{"Addr":")" + node_address + "\"}}"});
  }
  if (path == "/v1/agent/service/register" && request.method == "PUT") {
    const auto body = json::parse(request.body).as_object();
    const std::string id(body.at("ID").as_string());
    services[id] = request.body;
    if (const auto* check = body.if_contains("Check")) {
      const auto* status = check->as_object().if_contains("Status");
      statuses.emplace(id, status != nullptr ? std::string(status->as_string()) : "critical");
    }
    return {};
  }
  if (path.starts_with(kHealth)) {
    const auto found = services.find(rest(kHealth));
    return found == services.end()
               ? FakeReply{.status = 404, .body = R"({"AggregatedStatus":"critical"})"}
               : FakeReply{.body = describe(found->second, status(found->first))};
  }
  if (path.starts_with(kDropCheck) && request.method == "PUT") {
    return statuses.erase(rest(kDropCheck)) > 0
               ? FakeReply{}
               : FakeReply{.status = 404, .body = "Unknown check ID"};
  }
  if (path.starts_with(kDeregister) && request.method == "PUT") {
    statuses.erase(rest(kDeregister));
    return services.erase(rest(kDeregister)) > 0
               ? FakeReply{}
               : FakeReply{.status = 404, .body = "Unknown service ID"};
  }
  if (path.starts_with(kPass) && request.method == "PUT") {
    if (!services.contains(rest(kPass))) {
      return {.status = 404, .body = "Unknown check ID"};
    }
    ++passes[rest(kPass)];
    statuses[rest(kPass)] = "passing";
    return {};
  }
  if (path.starts_with("/v1/health/service/")) {
    return answer_health(request);
  }
  return {.status = 404, .body = "no such address"};
}

}  // namespace pilotfish::test
