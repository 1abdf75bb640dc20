#pragma once

#include "config/document.hpp"
#include "config/load.hpp"
#include "config/scope.hpp"

namespace pilotfish::config {

/// Replaces `${NAME}` and `${NAME:-default}` in every value of the tree (never in keys), after the
/// YAML was parsed: what the environment holds cannot change the structure. `$${` stands for `${`.
/// The default is used where NAME is unset or empty; it runs to the next `}`. What was expanded is
/// not expanded again.
void expand_environment(Node& root, const Environment& environment, Findings& findings);

}  // namespace pilotfish::config
