#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace pilotfish::bench {

/// (file name, text) of each file in bench/peers, as of the build; written by CMake.
[[nodiscard]] const std::vector<std::pair<std::string_view, std::string_view>>& builtin_peers();

}  // namespace pilotfish::bench
