#pragma once

#include <string_view>

namespace pilotfish::bench {

/// The style sheet of report.html. The colours of contenders (`c0`..`c7`) and instances
/// (`i0`..`i8`) differ in lightness too, so that colour-blind readers tell them apart; curves also
/// by their dashes.
[[nodiscard]] std::string_view report_style();

}  // namespace pilotfish::bench
