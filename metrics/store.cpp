#include "metrics/store.hpp"

#include <algorithm>
#include <cassert>

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
std::shared_ptr<T> Store::Impl::get(const Family& family, LabelValues labels) {
  assert(labels.size() == label_count(family));
  labels.resize(label_count(family));
  const int upstream = label_index(family, "upstream");
  const int instance = label_index(family, "instance");
  const std::lock_guard lock(mutex_);
  if (!leaving_.empty()) {
    std::erase_if(leaving_, [&](const auto& entry) {
      const int index = label_index(family, entry.first.first);
      return index >= 0 && labels[static_cast<std::size_t>(index)] == entry.first.second;
    });
  }
  if (upstream >= 0 && instance >= 0 && !retiring_.empty()) {
    // One series asked for again means the instance lives: all of its series stay.
    retiring_.erase(
        {labels[static_cast<std::size_t>(upstream)], labels[static_cast<std::size_t>(instance)]});
  }
  auto [entry, created] = series_.try_emplace(Key{family.name, std::move(labels)});
  if (created) {
    entry->second = Series{&family, std::make_shared<T>()};
  }
  auto* existing = std::get_if<std::shared_ptr<T>>(&entry->second.instrument);
  assert(existing != nullptr);  // a family has one type
  return existing != nullptr ? *existing : std::make_shared<T>();
}

void Store::Impl::retire_instance(std::string_view upstream, std::string_view instance,
                                  TimePoint now) {
  const std::lock_guard lock(mutex_);
  drop_due(now);
  retiring_[{std::string(upstream), std::string(instance)}] = now + kRetireAfter;
}

void Store::Impl::retire(std::string_view name, std::string_view value, TimePoint now) {
  const std::lock_guard lock(mutex_);
  drop_due(now);
  leaving_[{std::string(name), std::string(value)}] = now + kRetireAfter;
}

void Store::Impl::drop_due(TimePoint now) {
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
  drop_due_instances(now);
}

void Store::Impl::drop_due_instances(TimePoint now) {
  std::vector<InstanceKey> due;
  std::erase_if(retiring_, [&](const auto& entry) {
    if (entry.second > now) {
      return false;
    }
    due.push_back(entry.first);
    return true;
  });
  if (due.empty()) {
    return;
  }
  std::sort(due.begin(), due.end());
  std::erase_if(series_, [&](const auto& entry) {
    const int upstream = label_index(*entry.second.family, "upstream");
    const int instance = label_index(*entry.second.family, "instance");
    const LabelValues& labels = entry.first.second;
    return upstream >= 0 && instance >= 0 &&
           std::binary_search(due.begin(), due.end(),
                              InstanceKey{labels[static_cast<std::size_t>(upstream)],
                                          labels[static_cast<std::size_t>(instance)]});
  });
}

std::vector<SeriesView> Store::Impl::read(TimePoint now) {
  const std::lock_guard lock(mutex_);
  drop_due(now);
  std::vector<SeriesView> result;
  result.reserve(series_.size());
  for (const auto& [key, series] : series_) {
    result.push_back({series.family, key.second, series.instrument});
  }
  return result;
}

Store::Store() : impl_(std::make_unique<Impl>()) {}
Store::~Store() = default;

std::shared_ptr<Counter> Store::counter(const Family& family, LabelValues labels) {
  return impl_->get<Counter>(family, std::move(labels));
}

std::shared_ptr<Gauge> Store::gauge(const Family& family, LabelValues labels) {
  return impl_->get<Gauge>(family, std::move(labels));
}

std::shared_ptr<Histogram> Store::histogram(const Family& family, LabelValues labels) {
  return impl_->get<Histogram>(family, std::move(labels));
}

void Store::retire_instance(std::string_view upstream, std::string_view instance, TimePoint now) {
  impl_->retire_instance(upstream, instance, now);
}

void Store::retire(std::string_view name, std::string_view value, TimePoint now) {
  impl_->retire(name, value, now);
}

}  // namespace pilotfish::metrics
