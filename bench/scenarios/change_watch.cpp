#include "bench/scenarios/change_watch.hpp"

#include <algorithm>

#include "bench/harness/admin_view.hpp"
#include "bench/harness/http_peer.hpp"

namespace pilotfish::bench {
namespace {

constexpr auto kLimit = std::chrono::milliseconds(500);

bool meet(const PortSet& some, const PortSet& others) {
  return std::any_of(some.begin(), some.end(),
                     [&](std::uint16_t port) { return others.contains(port); });
}

bool undoes(const RegistryChange& later, const RegistryChange& earlier) {
  return meet(later.listed, earlier.unlisted) || meet(later.unlisted, earlier.listed) ||
         meet(later.joining, earlier.leaving) || meet(later.leaving, earlier.joining);
}

}  // namespace

std::optional<PortSet> serving_ports(std::string_view upstreams) {
  const auto views = parse_upstreams(upstreams);
  if (!views || views->empty()) return std::nullopt;
  const auto& upstream = views->front();
  PortSet ports;
  for (const auto& instance : upstream.instances) {
    if (instance.state != "healthy" || instance.tier != upstream.tier) continue;
    if (const auto endpoint = Endpoint::parse(instance.address)) ports.insert(endpoint->port);
  }
  return ports;
}

ChangeWatch::ChangeWatch(std::unique_ptr<RegistryView> registry,
                         const std::optional<Endpoint>& admin, Duration interval)
    : interval_(interval), has_admin_(admin.has_value()) {
  answers_ = std::thread([this, view = std::move(registry)] {
    watch([&] { return ++questions_, view->ports(kLimit); }, &RegistryChange::answer, true);
  });
  if (!admin) return;
  snapshots_ = std::thread([this, at = *admin] {
    HttpPeer peer(at);
    const auto ask = [&]() -> std::optional<PortSet> {
      const auto answer = peer.get("/upstreams", kLimit);
      if (!answer || answer->status != 200) return std::nullopt;
      return serving_ports(answer->body);
    };
    watch(ask, &RegistryChange::snapshot, false);
  });
}

ChangeWatch::~ChangeWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  answers_.join();
  if (snapshots_.joinable()) snapshots_.join();
}

bool ChangeWatch::pending(const Entry& entry, Seen seen, bool of_registry) const {
  const auto& change = entry.change;
  if (entry.undone || change.*seen) return false;
  if (of_registry) return !change.listed.empty() || !change.unlisted.empty();
  return has_admin_ && (!change.joining.empty() || !change.leaving.empty());
}

bool ChangeWatch::any_pending(Seen seen, bool of_registry) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return pending(entry, seen, of_registry); });
}

void ChangeWatch::watch(const Ask& ask, Seen seen, bool of_registry) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait(lock, [&] { return stopping_ || any_pending(seen, of_registry); });
    if (stopping_) return;
    const auto known = entries_.size();
    lock.unlock();
    const auto ports = ask();
    const auto now = Clock::now();
    lock.lock();
    // Only what was expected before the question: an older answer may look like a newer change.
    for (std::size_t i = 0; ports && i < known; ++i) {
      auto& change = entries_[i].change;
      if (!pending(entries_[i], seen, of_registry)) continue;
      const bool shown = of_registry ? shows(*ports, change.listed, change.unlisted)
                                     : shows(*ports, change.joining, change.leaving);
      if (shown) change.*seen = now;
    }
    wake_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

std::size_t ChangeWatch::expect(RegistryChange change) {
  const std::lock_guard lock(mutex_);
  for (auto& entry : entries_) entry.undone = entry.undone || undoes(change, entry.change);
  entries_.push_back({std::move(change), false});
  wake_.notify_all();
  return entries_.size() - 1;
}

void ChangeWatch::accepted(std::size_t number, TimePoint at) {
  const std::lock_guard lock(mutex_);
  entries_[number].change.accepted = at;
}

bool ChangeWatch::shown(std::size_t number) const {
  const std::lock_guard lock(mutex_);
  const auto& entry = entries_[number];
  return !pending(entry, &RegistryChange::answer, true) &&
         !pending(entry, &RegistryChange::snapshot, false);
}

std::vector<RegistryChange> ChangeWatch::changes() const {
  const std::lock_guard lock(mutex_);
  std::vector<RegistryChange> changes;
  for (const auto& entry : entries_) changes.push_back(entry.change);
  return changes;
}

}  // namespace pilotfish::bench
