#include "app/table.hpp"

#include <algorithm>

#include "app/escape.hpp"

namespace pilotfish::app {

std::string format_table(const std::vector<std::vector<std::string>>& rows, std::size_t indent) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    auto& clean = cells.emplace_back();
    for (const auto& cell : row) {
      std::string text;
      append_text_message(text, cell);
      if (widths.size() <= clean.size()) {
        widths.push_back(0);
      }
      auto& width = widths[clean.size()];
      width = std::max(width, text.size());
      clean.push_back(std::move(text));
    }
  }
  std::string out;
  for (const auto& row : cells) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(i + 1 < row.size() ? widths[i] - row[i].size() + 2 : 0, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

}  // namespace pilotfish::app
