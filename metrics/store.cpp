#include "metrics/store.hpp"

#include <algorithm>
#include <cassert>
#include <thread>

#include "metrics/store_impl.hpp"

namespace pilotfish::metrics {

int label_index(const Family& family, std::string_view name) {
  for (std::size_t i = 0; i < family.labels.size(); ++i) {
    if (family.labels[i] == name) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

std::size_t label_count(const Family& family) {
  return static_cast<std::size_t>(std::count_if(family.labels.begin(), family.labels.end(),
                                                [](auto label) { return !label.empty(); }));
}

template <class T>
std::shared_ptr<T> Store::Impl::get(const Family& family, LabelValues labels, Owner owner) {
  assert(labels.size() == label_count(family));
  labels.resize(label_count(family));
  const std::lock_guard lock(mutex_);
  if (owner == Owner::kStays) {
    call_off(family, labels);
  }
  if (label_index(family, "upstream") == 0 && label_index(family, "instance") == 1) {
    instance_families_.insert(family.name);
  }
  if (owner == Owner::kLeft) {
    retire_late(family, labels);
  }
  auto [entry, created] = series_.try_emplace(Key{family.name, std::move(labels)});
  if (created) {
    entry->second = Series{&family, std::make_shared<T>()};
  }
  auto* existing = std::get_if<std::shared_ptr<T>>(&entry->second.instrument);
  assert(existing != nullptr);  // a family has one type
  return existing != nullptr ? *existing : std::make_shared<T>();
}

void Store::Impl::call_off(const Family& family, const LabelValues& labels) {
  if (!leaving_.empty()) {
    std::erase_if(leaving_, [&](const auto& entry) {
      const int index = label_index(family, entry.first.first);
      return index >= 0 && labels[static_cast<std::size_t>(index)] == entry.first.second;
    });
  }
  const int upstream = label_index(family, "upstream");
  const int instance = label_index(family, "instance");
  if (upstream >= 0 && instance >= 0 && !retiring_.empty()) {
    // One series asked for again means the instance lives: all of its series stay.
    retiring_.erase(
        {labels[static_cast<std::size_t>(upstream)], labels[static_cast<std::size_t>(instance)]});
  }
}

void Store::Impl::retire_late(const Family& family, const LabelValues& labels) {
  if (label_index(family, "instance") != 1) {
    LabelKey key{std::string(family.labels[0]), labels[0]};
    if (!leaving_.contains(key) && !has_labelled(key)) {
      late_labels_.push_back(std::move(key));
    }
    return;
  }
  InstanceKey key{labels[0], labels[1]};
  // Another one that lives may go by its name by now: then series of that one are there.
  if (!retiring_.contains(key) && !has_series(key)) {
    late_instances_.push_back(std::move(key));
  }
}

bool Store::Impl::has_series(const InstanceKey& instance) const {
  return std::ranges::any_of(instance_families_, [&](const auto family) {
    const auto entry = series_.lower_bound(Key{family, {instance.first, instance.second}});
    return entry != series_.end() && entry->first.first == family &&
           entry->first.second[0] == instance.first && entry->first.second[1] == instance.second;
  });
}

bool Store::Impl::has_labelled(const LabelKey& label) const {
  return std::ranges::any_of(series_, [&](const auto& entry) {
    const int index = label_index(*entry.second.family, label.first);
    return index >= 0 && entry.first.second[static_cast<std::size_t>(index)] == label.second;
  });
}

void Store::Impl::schedule_late(TimePoint now) {
  for (auto& key : late_instances_) {
    if (retiring_.try_emplace(key, now + kRetireAfter).second) {
      dues_.emplace_back(now + kRetireAfter, std::move(key));
    }
  }
  late_instances_.clear();
  for (auto& key : late_labels_) {
    leaving_.try_emplace(std::move(key), now + kRetireAfter);
  }
  late_labels_.clear();
}

void Store::Impl::retire_instance(std::string_view upstream, std::string_view instance,
                                  TimePoint now) {
  constexpr std::size_t kAFew = 4;  // more than come, so that they do not pile up
  const std::lock_guard lock(mutex_);
  schedule_late(now);
  (void)drop_due_instances(now, kAFew);
  InstanceKey key{std::string(upstream), std::string(instance)};
  retiring_[key] = now + kRetireAfter;
  dues_.emplace_back(now + kRetireAfter, std::move(key));
}

void Store::Impl::retire(std::string_view name, std::string_view value, TimePoint now) {
  const std::lock_guard lock(mutex_);
  schedule_late(now);
  drop_leaving(now);  // where nobody reads the metrics they would pile up
  leaving_[{std::string(name), std::string(value)}] = now + kRetireAfter;
}

void Store::Impl::drop_leaving(TimePoint now) {
  std::erase_if(leaving_, [&](const auto& leaving) {
    if (leaving.second > now) {
      return false;
    }
    std::erase_if(series_, [&](const auto& entry) {
      const int index = label_index(*entry.second.family, leaving.first.first);
      return index >= 0 &&
             entry.first.second[static_cast<std::size_t>(index)] == leaving.first.second;
    });
    return true;
  });
}

bool Store::Impl::drop_due_instances(TimePoint now, std::size_t most) {
  for (; most > 0 && !dues_.empty() && dues_.front().first <= now; --most) {
    const auto due = std::move(dues_.front());
    dues_.pop_front();
    const auto found = retiring_.find(due.second);
    if (found != retiring_.end() && found->second == due.first) {
      retiring_.erase(found);
      drop_instance(due.second);
    }
  }
  return !dues_.empty() && dues_.front().first <= now;
}

void Store::Impl::drop_instance(const InstanceKey& instance) {
  const auto is_its = [&](const LabelValues& labels) {
    return labels[0] == instance.first && labels[1] == instance.second;
  };
  for (const auto family : instance_families_) {
    auto entry = series_.lower_bound(Key{family, {instance.first, instance.second}});
    while (entry != series_.end() && entry->first.first == family && is_its(entry->first.second)) {
      entry = series_.erase(entry);
    }
  }
}

std::vector<SeriesView> Store::Impl::read(TimePoint now) {
  constexpr std::size_t kPart = 128;
  std::unique_lock lock(mutex_);
  const auto let_others_in = [&lock] {
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  };
  schedule_late(now);
  drop_leaving(now);
  while (drop_due_instances(now, kPart)) {
    let_others_in();
  }
  std::vector<SeriesView> result;
  result.reserve(series_.size());
  auto entry = series_.begin();
  while (entry != series_.end()) {
    result.push_back({entry->second.family, entry->first.second, entry->second.instrument});
    if (result.size() % kPart == 0) {
      const auto last = entry->first;
      let_others_in();
      entry = series_.upper_bound(last);
    } else {
      ++entry;
    }
  }
  return result;
}

Store::Store() : impl_(std::make_unique<Impl>()) {}
Store::~Store() = default;

std::shared_ptr<Counter> Store::counter(const Family& family, LabelValues labels, Owner owner) {
  return impl_->get<Counter>(family, std::move(labels), owner);
}

std::shared_ptr<Gauge> Store::gauge(const Family& family, LabelValues labels, Owner owner) {
  return impl_->get<Gauge>(family, std::move(labels), owner);
}

std::shared_ptr<Histogram> Store::histogram(const Family& family, LabelValues labels) {
  return impl_->get<Histogram>(family, std::move(labels), Owner::kStays);
}

void Store::retire_instance(std::string_view upstream, std::string_view instance, TimePoint now) {
  impl_->retire_instance(upstream, instance, now);
}

void Store::retire(std::string_view name, std::string_view value, TimePoint now) {
  impl_->retire(name, value, now);
}

}  // namespace pilotfish::metrics
