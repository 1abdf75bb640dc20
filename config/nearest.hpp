#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pilotfish::config {

/// Edit distance with neighbour swaps (optimal string alignment).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// A word as keys are compared: lower case, with `_` for `-`.
[[nodiscard]] std::string key_form(std::string_view word);

/// The candidate that `word` was probably meant to be: the nearest one within a third of its
/// length (at least 2 edits; at most 1 for words of up to 3 letters), or that one begins with the
/// other; never for numbers. Empty where none is near.
[[nodiscard]] std::string nearest(std::string_view word,
                                  const std::vector<std::string>& candidates);

/// `; did you mean "x"?`, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace pilotfish::config
