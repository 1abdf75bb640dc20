#pragma once

#include <mutex>
#include <utility>

#include "bench/harness/catalogue.hpp"

namespace pilotfish::bench {

/// A catalogue that several threads share: a script changes it while the DNS server reads it.
/// Thread-safety: full; the function runs under the lock and must not call back.
class SharedCatalogue {
 public:
  template <class Function>
  auto with(Function&& function) {
    const std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(catalogue_);
  }

 private:
  std::mutex mutex_;
  Catalogue catalogue_;
};

}  // namespace pilotfish::bench
