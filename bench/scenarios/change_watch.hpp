#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/harness/registry.hpp"
#include "bench/scenarios/change.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// The instances by which a sidecar routes at this moment, from its `/upstreams`: the healthy ones
/// of the tier that serves. Empty where the text is not that. Pure.
[[nodiscard]] std::optional<PortSet> serving_ports(std::string_view upstreams);

/// Looks out for changes while there are some to be seen: asks the registry, and a sidecar's admin
/// port, every few milliseconds, each on a thread of its own, and notes when a change showed first
/// (the end of the answer that showed it). At rest it asks nothing. Thread-safety: full.
class ChangeWatch {
 public:
  /// `admin` empty: nobody to be asked for a snapshot.
  ChangeWatch(std::unique_ptr<RegistryView> registry, const std::optional<Endpoint>& admin,
              Duration interval);
  ~ChangeWatch();
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  /// Watches from now on; the number by which the others know it. A change that undoes it ends the
  /// watching: what was not seen by then never was.
  std::size_t expect(RegistryChange change);
  void accepted(std::size_t number, TimePoint at);
  /// What can be seen of it has been.
  [[nodiscard]] bool shown(std::size_t number) const;
  [[nodiscard]] std::vector<RegistryChange> changes() const;
  /// Questions that were put to the registry.
  [[nodiscard]] std::uint64_t questions() const { return questions_; }

 private:
  struct Entry {
    RegistryChange change;
    bool undone = false;
  };
  using Seen = std::optional<TimePoint> RegistryChange::*;
  using Ask = std::function<std::optional<PortSet>()>;

  void watch(const Ask& ask, Seen seen, bool of_registry);
  [[nodiscard]] bool pending(const Entry& entry, Seen seen, bool of_registry) const;
  [[nodiscard]] bool any_pending(Seen seen, bool of_registry) const;

  const Duration interval_;
  const bool has_admin_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<Entry> entries_;
  std::atomic<std::uint64_t> questions_{0};
  std::thread answers_;
  std::thread snapshots_;
};

}  // namespace pilotfish::bench
