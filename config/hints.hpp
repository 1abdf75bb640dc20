#pragma once

#include <span>
#include <string_view>

namespace pilotfish::config {

/// A key, or a value, that people try because another program has it, or because it sounds right.
struct Hint {
  std::string_view word;    ///< in lower case, with underscores
  std::string_view advice;  ///< what to use
  std::string_view meant;   ///< the key of ours that it stands for: not missing besides; or empty
  bool later = false;       ///< ours, but not built yet
};
using Hints = std::span<const Hint>;

/// The hint for a word, whatever its letter case and dashes; nullptr where there is none. Pure.
[[nodiscard]] const Hint* find_hint(Hints hints, std::string_view word);

[[nodiscard]] Hints root_hints();
[[nodiscard]] Hints upstream_hints();
[[nodiscard]] Hints consul_hints();
[[nodiscard]] Hints etcd_hints();
[[nodiscard]] Hints limits_hints();
[[nodiscard]] Hints timeouts_hints();
[[nodiscard]] Hints shutdown_hints();
[[nodiscard]] Hints protocol_hints();  ///< for values of `protocol:`

}  // namespace pilotfish::config
