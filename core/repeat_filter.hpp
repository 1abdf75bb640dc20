#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish {

/// Keeps a flood of equal messages out of the log without losing its cause or its size: of each
/// key the first few are said at once, the rest of every window is counted and said as one.
/// Pure: time is an argument. Thread-safety: none.
class RepeatFilter {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(10);

  /// True: say it now, as one of the first `burst` of its window. False: it was counted.
  bool admit(std::string_view key, std::uint32_t burst, TimePoint now) {
    auto found = entries_.find(key);
    if (found == entries_.end()) {
      found = entries_.emplace(std::string(key), Entry{.began = now}).first;
    }
    auto& entry = found->second;
    if (!entry.flood && entry.said < burst) {
      ++entry.said;
      return true;
    }
    ++entry.withheld;
    return false;
  }

  struct Summary {
    std::string key;
    std::uint64_t count = 0;  ///< that were not said
    Duration span{};          ///< since the window began
  };
  /// The windows that are over by `now` and had something withheld. A flood that goes on gets one
  /// summary per window; a key is forgotten after a window without a word.
  [[nodiscard]] std::vector<Summary> take_due(TimePoint now) {
    std::vector<Summary> due;
    for (auto it = entries_.begin(); it != entries_.end();) {
      auto& entry = it->second;
      if (now - entry.began < kWindow) {
        ++it;
      } else if (entry.withheld == 0) {
        it = entries_.erase(it);
      } else {
        due.push_back({it->first, entry.withheld, now - entry.began});
        entry = Entry{.began = now, .flood = true};
        ++it;
      }
    }
    return due;
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    TimePoint began{};
    std::uint32_t said = 0;
    std::uint64_t withheld = 0;
    bool flood = false;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace pilotfish
