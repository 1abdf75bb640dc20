#pragma once

#include <chrono>

namespace pilotfish {

/// Monotonic time. Pure code receives a TimePoint as an argument and never reads a clock itself;
/// only shells call `Clock::now()`. Wall-clock time appears in log lines alone.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace pilotfish
