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

StateStore::StateStore(const config::RootOptions& options, Logger& logger,
                       std::shared_ptr<const StateLock> lock, Replace replace)
    : directory_(options.state_dir),
      logger_(logger),
      lock_(std::move(lock)),
      replace_(replace ? std::move(replace) : replace_state_file) {
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

std::string StateStore::path_of(const std::string& upstream) const {
  return directory_ + "/" + upstream + ".json";
}

void StateStore::begin_load() {
  std::vector<std::pair<std::string, KeptAnswers>> wanted;
  for (const auto& entry : entries_) {
    wanted.emplace_back(path_of(entry.kept.upstream), entry.kept);
  }
  disk_.run([found = found_, lock = lock_, directory = directory_, wanted = std::move(wanted)] {
    std::vector<Found::Line> lines;
    std::vector<KeptAnswers> loaded;
    if (auto problem = prepare_state_directory(directory); !problem.empty()) {
      lines.push_back(
          {"state_dir cannot be used: a restart while the registry is down finds no answers",
           "state_dir", directory, std::move(problem)});
    }
    for (const auto& [path, expected] : wanted) {
      auto kept = expected;
      const auto file = read_state_file(path, kMaxStateSize);
      auto problem = file.text ? decode_state(*file.text, kept) : file.problem;
      if (!problem.empty()) {
        lines.push_back({"kept answers ignored", "file", path, std::move(problem)});
      }
      loaded.push_back(std::move(kept));
    }
    const std::lock_guard guard(found->mutex);
    found->lines = std::move(lines);
    found->loaded = std::move(loaded);
  });
}

std::vector<proxy::Proxy::Seed> StateStore::take_loaded(WallTime wall, TimePoint now) {
  std::vector<KeptAnswers> loaded;
  std::vector<Found::Line> lines;
  {
    const std::lock_guard guard(found_->mutex);
    loaded = std::move(found_->loaded);
    lines = std::move(found_->lines);
  }
  if (loaded.size() != entries_.size()) {
    logger_.warn("state_dir does not answer: starting without what was kept",
                 {{"state_dir", directory_}});
    busy_since_ = now;
    stalled_ = true;
    return {};
  }
  for (const auto& line : lines) {
    logger_.warn(line.what, {{line.field, line.value}, {"why", line.why}});
  }
  std::vector<proxy::Proxy::Seed> seeds;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto& kept = entries_[i].kept;
    kept = std::move(loaded[i]);
    proxy::Proxy::Seed seed{kept.upstream, {}};
    bool any = false;
    for (const auto& tier : kept.tiers) {
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

void StateStore::update(const std::vector<proxy::UpstreamStatus>& statuses, WallTime wall,
                        TimePoint now) {
  take_written();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto& entry = entries_[i];
    const auto status =
        std::ranges::find(statuses, entry.kept.upstream, &proxy::UpstreamStatus::name);
    if (status != statuses.end()) {
      take(entry, *status, wall, now);
    }
    if (entry.changed || (entry.newer && now - entry.written >= kTimesEvery)) {
      write(i, now);
    }
  }
  judge_disk(now);
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

void StateStore::write(std::size_t number, TimePoint now) {
  auto& entry = entries_[number];
  if (entry.writing) {
    return;  // the disk has not taken the last one yet; what changed since goes with the next
  }
  entry.writing = true;
  entry.changed = false;
  entry.newer = false;
  entry.written = now;
  if (busy_since_ == TimePoint{}) {
    busy_since_ = now;
  }
  disk_.run([found = found_, lock = lock_, replace = replace_, number, kept = entry.kept,
             path = path_of(entry.kept.upstream)] {
    const auto text = encode_state(kept);
    auto problem = text.size() > kMaxStateSize ? "the answers are too large" : replace(path, text);
    const std::lock_guard guard(found->mutex);
    found->written.push_back({number, std::move(problem)});
  });
}

void StateStore::take_written() {
  std::vector<Found::Written> written;
  {
    const std::lock_guard guard(found_->mutex);
    written.swap(found_->written);
  }
  for (auto& one : written) {
    auto& entry = entries_[one.entry];
    entry.writing = false;
    if (!one.problem.empty()) {
      entry.changed = true;  // once more
    }
    const auto path = path_of(entry.kept.upstream);
    if (one.problem == entry.problem) {
      continue;
    }
    if (one.problem.empty()) {
      logger_.info("answers are kept again", {{"file", path}});
    } else {
      logger_.warn("answers cannot be kept for a restart; trying on",
                   {{"file", path}, {"error", one.problem}});
    }
    entry.problem = std::move(one.problem);
  }
}

void StateStore::judge_disk(TimePoint now) {
  if (disk_.idle()) {
    if (std::exchange(stalled_, false)) {
      logger_.info("state_dir answers again", {{"state_dir", directory_}});
    }
    busy_since_ = {};
  } else if (!stalled_ && busy_since_ != TimePoint{} && now - busy_since_ >= kStalls) {
    stalled_ = true;
    logger_.warn("state_dir does not answer: a restart may find old answers, or none",
                 {{"state_dir", directory_}});
  }
}

void StateStore::finish(TimePoint now) {
  take_written();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].changed || entries_[i].newer) {
      entries_[i].writing = false;  // behind the one that is on its way: no other chance follows
      write(i, now);
    }
  }
}

}  // namespace pilotfish::app
