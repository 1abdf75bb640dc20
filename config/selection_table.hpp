#pragma once

#include <string>
#include <vector>

#include "config/field_table.hpp"
#include "config/root_options.hpp"

namespace pilotfish::config {

// Which instances of an upstream a request may go to.

[[nodiscard]] Codec<std::vector<resolver::ConsulTier>> prefer();  ///< tags, lists, any, maps
[[nodiscard]] Codec<std::vector<balancer::SplitShare>> split_shares();
[[nodiscard]] Codec<std::string> choose_by();
[[nodiscard]] Codec<proxy::Sticky> sticky();
[[nodiscard]] Codec<std::vector<std::string>> drain();

/// What these need of the rest of their upstream.
void check_selection(const Scope& scope, const Seen& seen, const proxy::UpstreamOptions& options);

}  // namespace pilotfish::config
