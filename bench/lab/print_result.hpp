#pragma once

#include <string>

#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// Writes the table of a result to standard output, with colours where it is a terminal; false
/// where it cannot be written.
bool print_table(const RunResult& result);

}  // namespace pilotfish::bench
