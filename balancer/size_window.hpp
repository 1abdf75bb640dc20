#pragma once

#include <cstddef>
#include <deque>
#include <limits>

#include "core/clock.hpp"

namespace pilotfish::balancer {

/// The largest size something had within the last `width`. A size counts for as long as it stood,
/// plus `width`. Memory: one entry per size that may still be the largest.
/// Pure. Thread-safety: none.
class SizeWindow {
 public:
  explicit SizeWindow(Duration width) : width_(width) {}

  /// From `now` on the size is `size`.
  void set(std::size_t size, TimePoint now) {
    expire(now);
    if (!entries_.empty() && entries_.back().until == TimePoint::max()) {
      if (entries_.back().size == size) {
        return;
      }
      entries_.back().until = now;
    }
    while (!entries_.empty() && entries_.back().size <= size) {
      entries_.pop_back();
    }
    entries_.push_back({size, TimePoint::max()});
  }

  [[nodiscard]] std::size_t largest(TimePoint now) {
    expire(now);
    return entries_.empty() ? 0 : entries_.front().size;
  }

  /// When largest() falls unless the size grows; TimePoint::max() where it will not.
  [[nodiscard]] TimePoint next_change() const {
    return entries_.size() < 2 ? TimePoint::max() : entries_.front().until + width_;
  }

 private:
  struct Entry {
    std::size_t size;
    TimePoint until;  ///< max(): it still stands
  };
  void expire(TimePoint now) {
    while (entries_.size() > 1 && entries_.front().until + width_ <= now) {
      entries_.pop_front();
    }
  }
  Duration width_;
  std::deque<Entry> entries_;  ///< falling sizes, rising ends
};

}  // namespace pilotfish::balancer
