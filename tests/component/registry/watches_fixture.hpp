#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/consul_watches.hpp"
#include "tests/component/registry/fixture.hpp"
#include "tests/support/fake_consul.hpp"

namespace pilotfish::test {

using registry::ConsulWatches;
using resolver::WatchKey;
using resolver::WatchStatePtr;

inline std::string entry(int port, const std::string& tags = "",
                         const std::string& status = "passing") {
  return R"({"Node":{"Address":"10.0.0.1"},"Service":{"Tags":[)" + tags +
         R"(],"Weights":{"Passing":10,"Warning":3},"Port":)" + std::to_string(port) +
         R"(},"Checks":[{"CheckID":"c","Status":")" + status + "\"}]}";
}

inline std::string listing(int count) {
  std::string out = "[";
  for (int i = 0; i < count; ++i) {
    out += (i > 0 ? "," : "") + entry(1000 + i);
  }
  return out + "]";
}

/// Watches of a fake agent, and the states they publish.
class Watches : public RegistryTest {
 protected:
  void SetUp() override {
    consul.index = 10;
    consul.health = listing(2);
  }
  void begin(std::vector<WatchKey> keys = {{"billing", ""}}) {
    registry::ConsulHttp options;
    options.url = consul.http.url();
    options.token = token;
    options.only_passing = only_passing;
    watches.emplace(io, options, log, 1, [this](const WatchKey& key, const WatchStatePtr& state) {
      states[key.service].push_back(state);
    });
    watches->set_desired(keys);
  }
  [[nodiscard]] WatchStatePtr last(const std::string& service = "billing") {
    return states[service].empty() ? nullptr : states[service].back();
  }
  [[nodiscard]] bool up(std::size_t instances, Duration limit = 10s) {
    return run_until([&] { return last() && last()->up && last()->instances->size() == instances; },
                     limit);
  }
  [[nodiscard]] bool down(Duration limit = 10s) {
    return run_until([&] { return last() && !last()->up; }, limit);
  }
  [[nodiscard]] std::size_t asked() const { return consul.count("GET", "/v1/health/service/"); }

  FakeConsul consul{io};
  std::string token = "secret";
  std::optional<bool> only_passing = false;
  std::optional<ConsulWatches> watches;
  std::map<std::string, std::vector<WatchStatePtr>> states;
};

}  // namespace pilotfish::test
