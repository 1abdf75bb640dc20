#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/fleet.hpp"
#include "bench/harness/registry.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/scene.hpp"

namespace pilotfish::bench {

/// What the scenarios around a changing registry have in common: the registry, the fleet, and in
/// each turn a proxy that is started afresh in front of the same beginning.
class RegistryScenario : public Scenario {
 public:
  [[nodiscard]] std::vector<std::string> contenders() const override { return names_; }
  [[nodiscard]] Duration expected(const Turn& turn) const override;
  [[nodiscard]] Measurement measure(const Turn& turn) override;

 protected:
  /// What a scenario asks for.
  struct Setup {
    std::vector<std::string> versions;  ///< of the members of the fleet
    std::size_t at_first = 0;           ///< so many of them are registered as a turn begins
    double rate = 300;                  ///< where the command line is silent
    Duration bucket = std::chrono::milliseconds(50);
    bool percentiles = false;
    bool cold = false;             ///< no warm-up: counts from the first request on
    bool tiers = false;            ///< v4 before v3
    bool static_too = false;       ///< who cannot follow the registry gets a static configuration
    std::vector<std::size_t> due;  ///< who is to get requests at first; empty: all registered
  };
  static constexpr const char* kService = "bench";

  RegistryScenario(Stage& stage, const Setup& setup);

  /// How long play() takes.
  [[nodiscard]] virtual Duration length() const {
    return options().duration + std::chrono::seconds(1);
  }
  /// The story of one turn; returns early where the scene's waits say so.
  virtual void play(Scene& scene, const Turn& turn) = 0;
  /// Further figures, after the end.
  virtual void add_figures(const Scene& /*scene*/, const Turn& /*turn*/, Measurement&) {}

  // What the stories are made of.
  std::size_t join(Scene& scene, std::size_t member);   ///< registers
  std::size_t leave(Scene& scene, std::size_t member);  ///< deregisters
  /// Turns the check; `label` as in RegistryChange.
  std::size_t turn_check(Scene& scene, std::size_t member, bool healthy);

  void add(std::size_t member);
  void remove(std::size_t member);
  void set_healthy(std::size_t member, bool healthy);

  [[nodiscard]] const BenchOptions& options() const { return stage_.options; }
  [[nodiscard]] Registry& registry() { return *registry_; }
  [[nodiscard]] Fleet& fleet() { return *fleet_; }
  [[nodiscard]] Stage& stage() { return stage_; }

 private:
  void restore();
  [[nodiscard]] Assignment assignment() const;
  void audition();
  void note(const std::string& text);

  Stage& stage_;
  const Setup setup_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Fleet> fleet_;
  std::map<std::size_t, bool> registered_;  ///< member -> its check passes
  std::map<std::string, Peer> peers_;
  std::vector<std::string> names_;
};

}  // namespace pilotfish::bench
