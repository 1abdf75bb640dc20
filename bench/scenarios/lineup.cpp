#include "bench/scenarios/lineup.hpp"

#include <algorithm>

namespace pilotfish::bench {

bool is_pilotfish(const Peer& peer) {
  return peer.program == "pilotfish";
}

Lineup::Lineup(Stage& stage, Assign assign, std::vector<Endpoint> direct)
    : assign_(std::move(assign)), direct_(std::move(direct)) {
  admit("pilotfish", stage);
  for (const auto& wanted : stage.options.against) {
    try {
      admit(wanted, stage);
    } catch (const Unavailable& error) {
      if (stage.options.against_given) throw;
      stage.result.notes.push_back(std::string("took no part: ") + error.what());
    }
  }
}

void Lineup::admit(const std::string& wanted, Stage& stage) {
  std::string name = "direct";
  if (wanted != name) {
    auto peer = stage.peers.find(wanted);
    name = peer.name;
    if (contenders_.contains(name)) {
      throw WrongUsage("--against: " + wanted + " calls itself " + name + ", as another one does");
    }
    peers_[name] = std::move(peer);
  }
  start(name);
  names_.push_back(name);
  stage.result.contenders.push_back(contenders_.at(name)->info());
}

void Lineup::start(const std::string& name) {
  const auto peer = peers_.find(name);
  contenders_[name] = peer == peers_.end()
                          ? std::make_unique<Contender>(direct_)
                          : std::make_unique<Contender>(peer->second, assign_(peer->second));
}

Contender& Lineup::restart(const std::string& name) {
  contenders_.at(name).reset();
  start(name);
  return get(name);
}

}  // namespace pilotfish::bench
