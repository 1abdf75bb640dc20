#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "metrics/store.hpp"

namespace pilotfish::metrics {

using Instrument =
    std::variant<std::shared_ptr<Counter>, std::shared_ptr<Gauge>, std::shared_ptr<Histogram>>;

/// One series as a reader sees it; holds the instrument alive while it is read without the lock.
struct SeriesView {
  const Family* family = nullptr;
  LabelValues labels;
  Instrument instrument;
};

/// How long an instance's series stay after it left its upstream (docs/metrics.md).
inline constexpr Duration kRetireAfter = std::chrono::minutes(1);

/// Where `name` stands among a family's labels; -1 where it has no such label.
[[nodiscard]] int label_index(const Family& family, std::string_view name);
[[nodiscard]] std::size_t label_count(const Family& family);

/// Behind Store: for the bridge and the tests alone. Thread-safety: as Store.
class Store::Impl {
 public:
  template <class T>
  std::shared_ptr<T> get(const Family& family, LabelValues labels, Owner owner);
  void retire_instance(std::string_view upstream, std::string_view instance, TimePoint now);
  void retire(std::string_view name, std::string_view value, TimePoint now);

  /// Drops what is due by `now`, then copies handles of the rest, ordered by family and labels. The
  /// lock is let go of every few series, so that a worker never waits for a whole reading.
  [[nodiscard]] std::vector<SeriesView> read(TimePoint now);

 private:
  using Key = std::pair<std::string_view, LabelValues>;     // family name, label values
  using InstanceKey = std::pair<std::string, std::string>;  // upstream, instance
  struct Series {
    const Family* family;
    Instrument instrument;
  };
  using LabelKey = std::pair<std::string, std::string>;  // label, value
  /// The owner stays: no series of it goes.
  void call_off(const Family& family, const LabelValues& labels);
  /// Before a series is made for somebody who left: it is to go as well.
  void retire_late(const Family& family, const LabelValues& labels);
  [[nodiscard]] bool has_series(const InstanceKey& instance) const;
  [[nodiscard]] bool has_labelled(const LabelKey& label) const;
  /// Gives those that came late their time: from the first look at the clock on.
  void schedule_late(TimePoint now);
  void drop_leaving(TimePoint now);
  /// At most `most` instances; true where more are due.
  bool drop_due_instances(TimePoint now, std::size_t most);
  void drop_instance(const InstanceKey& instance);

  std::mutex mutex_;
  std::map<Key, Series> series_;
  std::map<InstanceKey, TimePoint> retiring_;           // when each is due
  std::deque<std::pair<TimePoint, InstanceKey>> dues_;  // in time's order; some are called off
  std::set<std::string_view> instance_families_;        // whose labels begin: upstream, instance
  std::map<LabelKey, TimePoint> leaving_;
  std::vector<InstanceKey> late_instances_;  // to be retired as soon as a time is known
  std::vector<LabelKey> late_labels_;
};

}  // namespace pilotfish::metrics
