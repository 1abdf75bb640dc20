#pragma once

#include <stdexcept>

namespace pilotfish::bench {

/// Something that is needed is not there: the exit code is 69. The text says what to do.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace pilotfish::bench
