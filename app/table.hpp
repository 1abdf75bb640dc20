#pragma once

#include <string>
#include <vector>

namespace pilotfish::app {

/// Columns aligned with two spaces between, each row indented by `indent`; the last column is not
/// padded, cells are escaped. The first row is the heading. Pure.
[[nodiscard]] std::string format_table(const std::vector<std::vector<std::string>>& rows,
                                       std::size_t indent = 2);

}  // namespace pilotfish::app
