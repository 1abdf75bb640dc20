#pragma once

#include <cstdint>

namespace pilotfish::testing {

/// Counts the allocations of the threads that asked for it: operator new, malloc and whatever else
/// the program calls (Asio takes its memory with aligned_alloc), those of coroutine frames
/// included. Thread-safety: safe.
class AllocationCount {
 public:
  /// The calling thread counts from now on.
  static void count_this_thread();
  [[nodiscard]] static std::uint64_t so_far();
};

}  // namespace pilotfish::testing
