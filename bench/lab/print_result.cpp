#include "bench/lab/print_result.hpp"

#include "bench/lab/display.hpp"
#include "bench/report/result_table.hpp"

namespace pilotfish::bench {

bool print_table(const RunResult& result) {
  const bool colours = stdout_colours();
  std::string text;
  for (const auto& line : result_table(result)) {
    // Notes may be longer than the table is wide; a terminal wraps them.
    const bool note = line.size() == 2 && line.front().text == " note: ";
    text += paint(line, note ? SIZE_MAX : kTableColumns, colours) + "\n";
  }
  return write_out(text);
}

}  // namespace pilotfish::bench
