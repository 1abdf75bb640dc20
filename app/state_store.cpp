#include "app/state_store.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "app/describe.hpp"
#include "app/state_file.hpp"
#include "proxy/selection.hpp"

namespace pilotfish::app {
namespace {

using std::chrono::milliseconds;

/// Keeps arithmetic in range whatever clock wrote the file.
constexpr milliseconds kOldest = std::chrono::hours(24 * 365 * 10);

/// Two registries may know the same service: their domain tells them apart.
std::string identity(const proxy::UpstreamOptions& upstream, const resolver::ConsulDns& consul) {
  auto text = describe_source(upstream);
  if (std::holds_alternative<resolver::ConsulSource>(upstream.source)) {
    text += " in " + consul.domain;
  }
  return text;
}

}  // namespace

StateStore::StateStore(const config::RootOptions& options, Logger& logger)
    : directory_(options.state_dir), logger_(logger) {
  for (const auto& upstream : options.upstreams) {
    if (std::holds_alternative<resolver::StaticSource>(upstream.source)) {
      continue;
    }
    Entry entry;
    entry.kept.upstream = upstream.name;
    entry.kept.source = identity(upstream, options.consul_dns);
    for (auto& name : proxy::tier_names(upstream.source, upstream.cluster.split)) {
      entry.kept.tiers.push_back({std::move(name), {}, {}});
    }
    entries_.push_back(std::move(entry));
  }
}

std::string StateStore::path_of(const Entry& entry) const {
  return directory_ + "/" + entry.kept.upstream + ".json";
}

std::vector<proxy::Proxy::Seed> StateStore::load(WallTime wall, TimePoint now) {
  if (const auto problem = prepare_state_directory(directory_); !problem.empty()) {
    logger_.warn("state_dir cannot be used: a restart while the registry is down finds no answers",
                 {{"state_dir", directory_}, {"error", problem}});
  }
  std::vector<proxy::Proxy::Seed> seeds;
  for (auto& entry : entries_) {
    load_one(entry);
    proxy::Proxy::Seed seed{entry.kept.upstream, {}};
    bool any = false;
    for (const auto& tier : entry.kept.tiers) {
      TierAnswer answer;
      if (!tier.instances.empty()) {
        any = true;
        answer.result = LookupResult::kOk;
        answer.instances = tier.instances;
        answer.asked = now - std::clamp(wall - tier.asked, milliseconds(0), kOldest);
        answer.answered = answer.asked;
      }
      seed.tiers.push_back(std::move(answer));
    }
    if (any) {
      seeds.push_back(std::move(seed));
    }
  }
  return seeds;
}

void StateStore::load_one(Entry& entry) {
  const auto path = path_of(entry);
  const auto file = read_state_file(path, kMaxStateSize);
  const auto problem = file.text ? decode_state(*file.text, entry.kept) : file.problem;
  if (!problem.empty()) {
    logger_.warn("kept answers ignored", {{"file", path}, {"why", problem}});
  }
}

void StateStore::update(const std::vector<proxy::UpstreamStatus>& statuses, WallTime wall,
                        TimePoint now) {
  for (auto& entry : entries_) {
    const auto status =
        std::ranges::find(statuses, entry.kept.upstream, &proxy::UpstreamStatus::name);
    if (status != statuses.end()) {
      take(entry, *status, wall, now);
    }
    if (entry.changed || (entry.newer && now - entry.written >= kTimesEvery)) {
      write(entry, now);
    }
  }
}

void StateStore::take(Entry& entry, const proxy::UpstreamStatus& status, WallTime wall,
                      TimePoint now) {
  const auto count = std::min(entry.kept.tiers.size(), status.answers.size());
  for (std::size_t i = 0; i < count; ++i) {
    auto& tier = entry.kept.tiers[i];
    const auto& answer = status.answers[i];
    if (answer.answered == TimePoint{} || is_failure(answer.result)) {
      continue;
    }
    const bool empty = answer.instances.empty();
    if (empty && (tier.instances.empty() || status.tier == static_cast<int>(i))) {
      continue;  // nothing to drop, or fallback.hold_empty still serves it
    }
    entry.changed = entry.changed || tier.instances != answer.instances;
    tier.instances = answer.instances;
    const auto asked = wall - std::chrono::duration_cast<milliseconds>(now - answer.asked);
    entry.newer = entry.newer || asked != tier.asked;
    tier.asked = asked;
  }
}

void StateStore::write(Entry& entry, TimePoint now) {
  const auto path = path_of(entry);
  const auto text = encode_state(entry.kept);
  const auto problem =
      text.size() > kMaxStateSize ? "the answers are too large" : replace_state_file(path, text);
  if (problem.empty()) {
    entry.changed = false;
    entry.newer = false;
    entry.written = now;
  }
  if (problem == entry.problem) {
    return;
  }
  if (problem.empty()) {
    logger_.info("answers are kept again", {{"file", path}});
  } else {
    logger_.warn("answers cannot be kept for a restart; trying on",
                 {{"file", path}, {"error", problem}});
  }
  entry.problem = problem;
}

void StateStore::finish(TimePoint now) {
  for (auto& entry : entries_) {
    if (entry.changed || entry.newer) {
      write(entry, now);
    }
  }
}

}  // namespace pilotfish::app
