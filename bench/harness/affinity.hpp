#pragma once

namespace pilotfish::bench {

/// Processors this process may use, as a count.
[[nodiscard]] int usable_processors();

/// While it lives, the calling thread, and what it starts (threads and processes inherit it), runs
/// on one processor only: the n-th usable one; or, with `others`, on all but it. Nothing happens
/// for a negative number or where there is only one processor.
class OnProcessor {
 public:
  explicit OnProcessor(int number, bool others = false);
  ~OnProcessor();
  OnProcessor(const OnProcessor&) = delete;
  OnProcessor& operator=(const OnProcessor&) = delete;

 private:
  struct Mask {
    alignas(long) unsigned char bytes[128];
  };
  Mask before_{};
  bool changed_ = false;
};

}  // namespace pilotfish::bench
