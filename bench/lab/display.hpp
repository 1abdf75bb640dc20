#pragma once

#include <memory>

#include "bench/lab/table.hpp"

namespace pilotfish::bench {

/// Where the demo shows what happens. A display that can no longer write says so once and for all
/// (`broken`), so that the demo ends.
class Display {
 public:
  virtual ~Display() = default;
  Display() = default;
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  /// One thing that happened; also part of the next models' log.
  virtual void note(const Line& line) = 0;
  /// The state of things; called often, shown at the display's own pace.
  virtual void show(const TableModel& model, TimePoint now) = 0;
  /// Leaves the terminal as it was found, the last state standing.
  virtual void close(const TableModel& model) = 0;
  [[nodiscard]] virtual bool broken() const = 0;
};

/// A table drawn in place on a terminal, plain lines elsewhere or where `plain` is asked for.
[[nodiscard]] std::unique_ptr<Display> make_display(bool plain);

/// Writes to standard output, retrying as needed; false where it cannot be written.
bool write_out(std::string_view text);

/// Standard output shows colours: a terminal, and NO_COLOR is not set.
[[nodiscard]] bool stdout_colours();

}  // namespace pilotfish::bench
