#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/harness/backend.hpp"
#include "bench/harness/embedded_registry.hpp"
#include "bench/harness/loop_thread.hpp"
#include "bench/lab/script.hpp"

namespace pilotfish::bench {

/// An instance in the demo.
struct Member {
  std::string name;                  ///< `v4 #1`, as it calls itself in X-Instance
  std::unique_ptr<Backend> backend;  ///< empty until it is started
  std::string registry = "-";        ///< what the registry says
  std::string fate;                  ///< what the script did to it: killed, stopped
};

/// The demo's registry and backends, and what the script does to them. Service `billing`, tags v4
/// and v3. Thread-safety: none; the registry may be asked from anywhere.
class World {
 public:
  static constexpr const char* kService = "billing";

  /// Throws boost::system::system_error where nothing can be bound.
  World();

  void perform(StepKind step);

  [[nodiscard]] EmbeddedRegistry& registry() { return registry_; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  /// An instance of the preferred tier that is healthy in the registry, for clients without a
  /// sidecar. Thread-safe.
  [[nodiscard]] std::optional<Endpoint> pick(Random& random);

 private:
  void start(Member& member);
  void register_member(Member& member);
  void deregister(Member& member);
  void set_checks(CheckStatus status);

  EmbeddedRegistry registry_;
  LoopThread loop_;
  std::vector<Member> members_;
};

}  // namespace pilotfish::bench
