#include "bench/lab/world.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kSurplus = 2;  // v4 #3
constexpr std::size_t kVictim = 3;   // v3 #1
constexpr auto kWork = std::chrono::microseconds(500);

std::string version_of(const Member& member) {
  return member.name.substr(0, 2);
}

}  // namespace

World::World() {
  for (const char* name : {"v4 #1", "v4 #2", "v4 #3", "v3 #1", "v3 #2"}) {
    members_.push_back({name, nullptr, "-", ""});
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (i == kSurplus) continue;
    start(members_[i]);
    register_member(members_[i]);
  }
}

void World::start(Member& member) {
  BackendOptions options;
  options.version = version_of(member);
  options.instance = member.name.substr(3);
  options.body_bytes = 100;
  options.delay = kWork;
  member.backend = std::make_unique<Backend>(loop_, options);
}

void World::register_member(Member& member) {
  CatalogueInstance instance;
  instance.endpoint = member.backend->endpoint();
  instance.tags = {version_of(member)};
  registry_.add(kService, std::move(instance));
  member.registry = "passing";
}

void World::deregister(Member& member) {
  registry_.remove(kService, member.backend->endpoint());
  member.registry = "-";
}

void World::set_checks(CheckStatus status) {
  for (auto& member : members_) {
    if (version_of(member) != "v4" || member.registry == "-") continue;
    registry_.set_status(kService, member.backend->endpoint(), status);
    member.registry = status == CheckStatus::kCritical ? "critical" : "passing";
  }
}

void World::perform(StepKind step) {
  switch (step) {
    case StepKind::kScaleUp:
      start(members_[kSurplus]);
      register_member(members_[kSurplus]);
      break;
    case StepKind::kTierFails: set_checks(CheckStatus::kCritical); break;
    case StepKind::kKill:
      members_[kVictim].backend->kill();
      members_[kVictim].fate = "killed";
      break;
    case StepKind::kNotice: deregister(members_[kVictim]); break;
    case StepKind::kTierReturns: set_checks(CheckStatus::kPassing); break;
    case StepKind::kScaleDown: deregister(members_[kSurplus]); break;
    case StepKind::kStop:
      members_[kSurplus].backend->stop();
      members_[kSurplus].fate = "stopped";
      break;
  }
}

std::optional<Endpoint> World::pick(Random& random) {
  return registry_.catalogue().with([&](const Catalogue& content) -> std::optional<Endpoint> {
    for (const char* tag : {"v4", "v3"}) {
      const auto instances = content.healthy(kService, tag);
      if (!instances.empty()) return instances[random.below(instances.size())].endpoint;
    }
    return std::nullopt;
  });
}

}  // namespace pilotfish::bench
