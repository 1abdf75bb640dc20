#include "bench/lab/observation.hpp"

#include <algorithm>

namespace pilotfish::bench {

void Observation::see(const Completion& completion) {
  if (completion.done < start_) return;
  ++requests_;
  if (!completion.ok) {
    ++failed_;
    return;
  }
  if (completion.planned < start_) return;
  const auto& name = completion.instance;
  if (!expectation_.arriving.empty() && name.starts_with(expectation_.arriving)) {
    const auto after = completion.done - start_;
    first_arrival_ = std::min(first_arrival_.value_or(after), after);
  }
  if (!expectation_.leaving.empty() && name.starts_with(expectation_.leaving)) {
    const auto after = completion.planned - start_;
    last_leaving_ = std::max(last_leaving_.value_or(after), after);
  }
}

bool Observation::settled(TimePoint now, Duration quiet) const {
  if (!expectation_.arriving.empty() && !first_arrival_) return false;
  return now - start_ - last_leaving_.value_or(Duration::zero()) >= quiet;
}

}  // namespace pilotfish::bench
