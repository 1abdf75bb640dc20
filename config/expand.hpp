#pragma once

#include "config/document.hpp"
#include "config/load.hpp"
#include "config/scope.hpp"

namespace pilotfish::config {

/// Replaces `${NAME}` and `${NAME:-default}` in every value of the tree (never in keys), after the
/// YAML was parsed: what the environment holds cannot change the structure. `$${` stands for `${`.
/// The default is used where NAME is unset or empty; it runs to the next `}`. What was expanded is
/// not expanded again. An element of a list that is one `${NAME}` or `${NAME:-default}` and nothing
/// else becomes as many elements as the value has parts between commas (blanks around them and
/// empty parts do not count); `Node::variable` marks such a value where it stands alone.
void expand_environment(Node& root, const Environment& environment, Findings& findings);

}  // namespace pilotfish::config
