#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/lab/text.hpp"
#include "bench/lab/traffic.hpp"

namespace pilotfish::bench {

struct TableRow {
  std::string name;      ///< `v4 #1`
  std::string address;   ///< empty while it has none
  std::string registry;  ///< what the registry says: passing, critical, -
  int tier = -1;
  TrafficFigures traffic;
  std::string state;  ///< what the sidecar says
  Style style = Style::kPlain;
};

/// All that the demo shows at one moment.
struct TableModel {
  Duration elapsed{};
  Duration total{};
  TrafficFigures traffic;
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  std::string listen;   ///< where the traffic goes
  std::string serving;  ///< `tier 1 (v3) since 0.4s`
  std::string reason;
  std::vector<Duration> steps;  ///< marks on the progress bar
  std::vector<TableRow> rows;
  std::vector<Line> log;  ///< what happened, oldest first
};

/// The table in at most `height` lines; the newest log lines fill what the rest leaves. `unicode`:
/// the terminal shows block characters. Pure.
[[nodiscard]] std::vector<Line> render_table(const TableModel& model, std::size_t width,
                                             std::size_t height, bool unicode);

/// The same in one line, for where there is no terminal.
[[nodiscard]] std::string render_compact(const TableModel& model);

}  // namespace pilotfish::bench
