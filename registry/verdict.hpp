#pragma once

#include <cstdint>

namespace pilotfish::registry {

/// What our own probe of a check's address says. kUnknown: the application answers, but only the
/// registry's own check can tell how it is (TLS, a redirect).
enum class Verdict : std::uint8_t { kPassing, kCritical, kUnknown };

}  // namespace pilotfish::registry
