#include "bench/scenarios/registry_scenario.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <numeric>
#include <thread>

#include "bench/harness/contender.hpp"
#include "bench/harness/ports.hpp"
#include "bench/lab/interrupt.hpp"

namespace pilotfish::bench {
namespace {

constexpr auto kVisibleLimit = std::chrono::seconds(30);

CatalogueInstance instance_of(const Fleet& fleet, std::size_t member) {
  CatalogueInstance instance;
  instance.endpoint = fleet.endpoint(member);
  instance.tags = {fleet.version(member)};
  return instance;
}

}  // namespace

RegistryScenario::RegistryScenario(Stage& stage, const Setup& setup)
    : stage_(stage), setup_(setup), registry_(start_registry(stage.options.registry)) {
  FleetOptions fleet;
  fleet.versions = setup.versions;
  fleet.seed = any_seed();
  fleet_ = std::make_unique<Fleet>(fleet);
  stage_.result.options["registry_version"] = registry_->version();
  restore();
  audition();
}

void RegistryScenario::note(const std::string& text) {
  auto& notes = stage_.result.notes;
  if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
}

Assignment RegistryScenario::assignment() const {
  Assignment assignment;
  const std::string suffix = setup_.tiers ? "_tiers" : "";
  if (registry_->agent()) {
    assignment.templates.push_back("http_consul" + suffix);
    assignment.addresses["agent"] = *registry_->agent();
  }
  assignment.templates.push_back("http_srv" + suffix);
  if (setup_.static_too) assignment.templates.emplace_back("http_static");
  assignment.addresses["dns"] = registry_->dns();
  for (std::size_t i = 0; i < setup_.at_first; ++i) {
    assignment.instances.push_back(fleet_->endpoint(i));
  }
  assignment.variables = {{"service", kService},
                          {"fresh", stage_.options.fresh},
                          {"srv", registry_->srv_name(kService)},
                          {"srv_first", registry_->srv_name(kService, "v4")},
                          {"srv_second", registry_->srv_name(kService, "v3")},
                          {"slots", std::to_string(fleet_->size())}};
  return assignment;
}

/// Who can be started takes part; the others leave a note, or an error where they were asked for.
void RegistryScenario::audition() {
  auto wanted = stage_.options.against;
  wanted.insert(wanted.begin(), "pilotfish");
  for (const auto& name : wanted) {
    if (name == "direct") {
      if (stage_.options.against_given) note("direct: follows no registry; it takes no part");
      continue;
    }
    try {
      const auto peer = stage_.peers.find(name);
      const Contender trial(peer, assignment());
      stage_.result.contenders.push_back(trial.info());
      names_.push_back(trial.name());
      peers_[trial.name()] = peer;
    } catch (const Unavailable& error) {
      if (name == "pilotfish" || stage_.options.against_given) throw;
      note(std::string(error.what()) + "; it takes no part");
    }
  }
}

/// The beginning of every turn: the first ones registered and healthy, all alive, and the registry
/// says so.
void RegistryScenario::restore() {
  PortSet wanted;
  PortSet unwanted;
  for (std::size_t i = 0; i < fleet_->size(); ++i) {
    fleet_->revive(i);
    const bool in = i < setup_.at_first;
    (in ? wanted : unwanted).insert(fleet_->port(i));
    if (!in && registered_.contains(i)) remove(i);
    if (in && !registered_.contains(i)) add(i);
    if (in && !registered_[i]) set_healthy(i, true);
  }
  const auto view = registry_->view(kService, "", false);
  const auto until = Clock::now() + kVisibleLimit;
  while (!interrupted()) {
    const auto ports = view->ports(std::chrono::seconds(2));
    if (ports && shows(*ports, wanted, unwanted)) return;
    if (Clock::now() >= until) {
      throw Unavailable(
          fmt::format("{} does not show what was registered after 30 s", registry_->name()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// Every turn starts a proxy of its own: there is nothing that a round would warm.
Duration RegistryScenario::expected(const Turn& turn) const {
  return turn.round == 0 ? Duration::zero() : length();
}

Measurement RegistryScenario::measure(const Turn& turn) {
  if (turn.round == 0) return {};
  restore();
  Contender contender(peers_.at(turn.contender), assignment());
  SceneOptions scene_options;
  scene_options.service = kService;
  scene_options.by_api = stage_.options.fresh == "watch";
  scene_options.rate = stage_.options.rate > 0 ? stage_.options.rate : setup_.rate;
  scene_options.percentiles = setup_.percentiles;
  scene_options.seed = stage_.options.seed + static_cast<std::uint64_t>(turn.round);
  auto due = setup_.due;
  if (due.empty()) {
    due.resize(setup_.at_first);
    std::iota(due.begin(), due.end(), std::size_t{0});
  }
  Scene scene(*registry_, *fleet_, contender, scene_options, due);
  if (setup_.cold) {
    scene.begin_cold();
  } else {
    scene.warm_up();
  }
  if (!interrupted()) play(scene, turn);
  auto measurement = scene.finish();
  add_figures(scene, turn, measurement);
  for (const auto& [error, count] : scene.report().errors) {
    note(fmt::format("{}{}, round {}: {} x {}", turn.contender,
                     turn.test_case.empty() ? "" : ", " + turn.test_case, turn.round, count,
                     error));
  }
  if (turn.round == 1) {
    auto timeline = scene.timeline(setup_.bucket);
    timeline.contender = turn.contender;
    timeline.test_case = turn.test_case;
    timeline.round = turn.round;
    stage_.result.timelines.push_back(std::move(timeline));
  }
  return measurement;
}

void RegistryScenario::add(std::size_t member) {
  registry_->add(kService, instance_of(*fleet_, member));
  registered_[member] = true;
}
void RegistryScenario::remove(std::size_t member) {
  registry_->remove(kService, fleet_->endpoint(member));
  registered_.erase(member);
}
void RegistryScenario::set_healthy(std::size_t member, bool healthy) {
  registry_->set_status(kService, fleet_->endpoint(member),
                        healthy ? CheckStatus::kPassing : CheckStatus::kCritical);
  registered_[member] = healthy;
}

std::size_t RegistryScenario::join(Scene& scene, std::size_t member) {
  RegistryChange change;
  change.listed = change.joining = {fleet_->port(member)};
  return scene.perform(std::move(change), fleet_->name(member) + " registered",
                       [&] { add(member); });
}

std::size_t RegistryScenario::leave(Scene& scene, std::size_t member) {
  RegistryChange change;
  change.unlisted = change.leaving = {fleet_->port(member)};
  return scene.perform(std::move(change), fleet_->name(member) + " deregistered",
                       [&] { remove(member); });
}

std::size_t RegistryScenario::turn_check(Scene& scene, std::size_t member, bool healthy) {
  RegistryChange change;
  (healthy ? change.listed : change.unlisted) = {fleet_->port(member)};
  (healthy ? change.joining : change.leaving) = {fleet_->port(member)};
  return scene.perform(std::move(change),
                       fleet_->name(member) + (healthy ? " passes" : " fails its check"),
                       [&] { set_healthy(member, healthy); });
}

}  // namespace pilotfish::bench
