#include "tests/support/fake_etcd.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "registry/text.hpp"

namespace pilotfish::test {

namespace json = boost::json;

std::size_t FakeEtcd::count(const std::string& path) const {
  return static_cast<std::size_t>(
      std::count_if(requests.begin(), requests.end(),
                    [&](const FakeRequest& request) { return request.target == path; }));
}

void FakeEtcd::expire(std::int64_t lease) {
  leases.erase(lease);
  std::erase_if(records, [&](const auto& record) { return record.second.lease == lease; });
}

FakeReply FakeEtcd::answer(const FakeRequest& request) {
  requests.push_back(request);
  if (always) {
    return *always;
  }
  const auto body = json::parse(request.body).as_object();
  const auto text = [&](const char* key) {
    return body.contains(key) ? std::string(body.at(key).as_string()) : std::string("0");
  };
  const auto number = [&](const char* key) { return std::stoll(text(key)); };
  const auto decoded = [&](const char* key) {
    return registry::base64_decode(text(key)).value_or("?");
  };
  json::object out{{"header", {{"revision", "7"}}}};
  FakeReply no_lease{.status = 404,
                     .body = R"({"error":"etcdserver: requested lease not found","code":5,)"
                             R"("message":"etcdserver: requested lease not found"})"};
  if (request.target == "/v3/lease/grant") {
    const auto id = next_lease_++;
    leases[id] = number("TTL");
    out["ID"] = std::to_string(id);
    out["TTL"] = text("TTL");
  } else if (request.target == "/v3/kv/put") {
    const auto lease = number("lease");
    if (lease != 0 && !leases.contains(lease)) {
      return no_lease;
    }
    records[decoded("key")] = {decoded("value"), lease};
  } else if (request.target == "/v3/lease/keepalive") {
    json::object result{{"header", {{"revision", "7"}}}, {"ID", text("ID")}};
    if (const auto found = leases.find(number("ID")); found != leases.end()) {
      result["TTL"] = std::to_string(found->second);
    }
    return {.body = json::serialize(json::object{{"result", result}}) + "\n"};
  } else if (request.target == "/v3/lease/revoke") {
    if (!leases.contains(number("ID"))) {
      return no_lease;
    }
    expire(number("ID"));
  } else if (request.target == "/v3/kv/deleterange") {
    records.erase(decoded("key"));
  } else if (request.target == "/v3/kv/range") {
    if (const auto found = records.find(decoded("key")); found != records.end()) {
      out["kvs"] = json::array{json::object{{"key", registry::base64_encode(found->first)},
                                            {"value", registry::base64_encode(found->second.value)},
                                            {"lease", std::to_string(found->second.lease)}}};
      out["count"] = "1";
    }
  } else {
    return {.status = 404, .body = "Not Found"};
  }
  return {.body = json::serialize(out)};
}

}  // namespace pilotfish::test
