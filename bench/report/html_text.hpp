#pragma once

#include <string>
#include <string_view>

namespace pilotfish::bench {

/// Valid UTF-8: bytes that are none, and control characters that neither HTML nor JSON readers
/// agree on (all but tab and line end), become U+FFFD. Pure.
[[nodiscard]] std::string clean_text(std::string_view text);

/// For element content and quoted attributes: clean, with & < > " ' written as references. Pure.
[[nodiscard]] std::string html(std::string_view text);

}  // namespace pilotfish::bench
