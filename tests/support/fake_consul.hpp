#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_http.hpp"

namespace pilotfish::test {

/// The parts of Consul's agent API that registration uses, over a catalogue in memory.
class FakeConsul {
 public:
  explicit FakeConsul(net::IoContext& io) : http(io, [this](auto& r) { return answer(r); }) {}

  [[nodiscard]] bool knows(const std::string& id) const { return services.contains(id); }
  [[nodiscard]] std::size_t count(const std::string& method, const std::string& prefix) const;
  /// The last body of a registration of that id.
  [[nodiscard]] std::string registration(const std::string& id) const;
  /// Of its check; empty where there is none.
  [[nodiscard]] std::string status(const std::string& id) const {
    const auto found = statuses.find(id);
    return found == statuses.end() ? std::string() : found->second;
  }
  void forget() {
    services.clear();
    statuses.clear();
  }

  std::map<std::string, std::string> services;  ///< id -> registration body
  std::map<std::string, int> passes;            ///< check id -> times passed
  /// id -> status of its check. As the agent has it: a check that it knows keeps its status when it
  /// is registered again.
  std::map<std::string, std::string> statuses;
  std::string node_address = "10.1.2.3";
  std::string health = "[]";  ///< answer of /v1/health/service/
  /// Where not 0: answers of /v1/health/service/ carry it, and queries with that index wait until
  /// it is another, or their `wait` is over.
  std::uint64_t index = 0;
  void change(std::string listing) {
    health = std::move(listing);
    ++index;
  }
  /// Where set, queries with an index are answered as by a client agent: from a view of its own,
  /// which only stream() changes, whatever the servers (`health`, `index`) say meanwhile.
  std::optional<std::string> view;
  std::uint64_t view_index = 0;
  void stream(std::string listing, std::uint64_t at) {
    view = std::move(listing);
    view_index = at;
  }
  /// Set: the answer to /v1/health/service/ instead, but for queries of the view.
  std::optional<FakeReply> health_reply;
  /// Set: asked first; what it answers is the answer.
  std::function<std::optional<FakeReply>(const FakeRequest&)> instead;
  /// Set: the answer to queries with an index instead.
  std::optional<FakeReply> indexed_reply;
  /// Set: the answer to everything that is asked.
  std::optional<FakeReply> always;
  /// Set: the answer to /v1/agent/self.
  std::optional<FakeReply> self;
  std::vector<FakeRequest> requests;

  // Last, so that it goes first: its handler uses the members above.
 private:
  FakeReply answer(const FakeRequest& request);
  FakeReply answer_health(const FakeRequest& request);

 public:
  FakeHttp http;
};

}  // namespace pilotfish::test
