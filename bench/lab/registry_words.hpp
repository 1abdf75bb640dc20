#pragma once

#include <string>
#include <string_view>

#include "bench/harness/catalogue.hpp"

namespace pilotfish::bench {

/// One line of control over a registry that runs on its own:
///   add SERVICE ADDRESS:PORT [TAG...]     remove SERVICE ADDRESS:PORT
///   passing|warning|critical SERVICE ADDRESS:PORT     list
/// The reply, which begins with `error:` where the line is not understood. Pure.
[[nodiscard]] std::string obey(Catalogue& catalogue, std::string_view line);

/// Fills the catalogue from JSON:
///   {"billing": [{"address": "127.0.0.1:9001", "tags": ["v4"], "weight": 1, "warning_weight": 1,
///                 "priority": 1, "status": "passing"}]}
/// Only the address is needed. An empty text where all went well, else what is wrong. Pure.
[[nodiscard]] std::string load_catalogue(Catalogue& catalogue, std::string_view text);

}  // namespace pilotfish::bench
