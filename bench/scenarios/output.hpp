#pragma once

#include <filesystem>

#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// `bench-results/steady-20260301-120000`, relative to where we are.
[[nodiscard]] std::filesystem::path default_folder(const RunResult& result);

/// Makes the folder, before anything is measured. Throws Unavailable where that cannot be.
void prepare_folder(const std::filesystem::path& folder);

/// Prints the table and writes `result.json` and `report.html` into the folder. Throws Unavailable
/// where they cannot be written.
void publish(const RunResult& result, const std::filesystem::path& folder);

}  // namespace pilotfish::bench
