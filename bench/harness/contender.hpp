#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/harness/peer.hpp"
#include "bench/harness/process.hpp"
#include "bench/harness/temp_dir.hpp"
#include "bench/harness/unavailable.hpp"
#include "bench/report/result.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// What a contender is to do.
struct Assignment {
  /// Names of configuration templates: the first one that the peer has is used. The ones that are
  /// there: `http_static`, `tcp_static`, `http_srv`, `tcp_srv` (instances from SRV records of
  /// `{service}` at `{dns}`), `http_consul`, `tcp_consul` (the service `{service}` of the Consul
  /// agent whose HTTP API is `{agent}` and whose DNS is `{dns}`).
  std::vector<std::string> templates;
  std::vector<Endpoint> instances;               ///< for the `_static` ones
  std::map<std::string, std::string> variables;  ///< further placeholders: service, fresh, ...
  std::map<std::string, Endpoint> addresses;     ///< further ones that are addresses: dns, agent
  int processor = -1;                            ///< where it runs; -1: anywhere
};

/// Somebody to measure: a proxy that runs, or `direct`: the instances themselves, no proxy.
/// Ownership: ends its process, removes its files. Thread-safety: none.
class Contender {
 public:
  /// `direct`.
  explicit Contender(std::vector<Endpoint> instances);
  /// Starts a proxy on ports that were free (a port that was taken meanwhile is tried again with
  /// another) and waits until it accepts connections, `pilotfish` until it is ready. Throws
  /// Unavailable where the program is missing, with how to get it, where there is no template for
  /// the assignment, with the peer's reason, or where it ends or does not accept, with its output.
  Contender(const Peer& peer, const Assignment& assignment);

  [[nodiscard]] const std::string& name() const { return info_.name; }
  [[nodiscard]] const ContenderInfo& info() const { return info_; }
  /// Where the load goes: the proxy's address, or every instance.
  [[nodiscard]] const std::vector<Endpoint>& targets() const { return targets_; }
  [[nodiscard]] const Endpoint& admin() const { return admin_; }
  /// Empty for `direct`.
  [[nodiscard]] std::optional<pid_t> pid() const;
  [[nodiscard]] ChildProcess* process() { return process_.get(); }
  /// Throws Unavailable with its output where the process has ended.
  void must_run();

 private:
  bool wait_until_it_accepts(const std::string& ready);

  ContenderInfo info_;
  std::vector<Endpoint> targets_;
  Endpoint admin_;
  std::unique_ptr<TempDir> directory_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace pilotfish::bench
