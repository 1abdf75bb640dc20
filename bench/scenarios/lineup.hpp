#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/contender.hpp"
#include "bench/scenarios/scenario.hpp"

namespace pilotfish::bench {

/// The contenders of a run: pilotfish and those of --against, started. Who cannot take part is a
/// note in the result or, where the user named it, an error. Thread-safety: none.
class Lineup {
 public:
  using Assign = std::function<Assignment(const Peer& peer)>;

  /// `direct`: the instances, for the contender of that name. Throws Unavailable and WrongUsage.
  Lineup(Stage& stage, Assign assign, std::vector<Endpoint> direct);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] Contender& get(const std::string& name) { return *contenders_.at(name); }
  /// Ends it and starts it anew, as it was at the beginning.
  Contender& restart(const std::string& name);

 private:
  void admit(const std::string& wanted, Stage& stage);
  void start(const std::string& name);

  const Assign assign_;
  const std::vector<Endpoint> direct_;
  std::vector<std::string> names_;
  std::map<std::string, Peer> peers_;
  std::map<std::string, std::unique_ptr<Contender>> contenders_;
};

/// Peers that are pilotfish itself, in whatever configuration.
[[nodiscard]] bool is_pilotfish(const Peer& peer);

}  // namespace pilotfish::bench
