#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/root_options.hpp"

namespace pilotfish::config {

/// One thing wrong with a file. `to_string` is `FILE:LINE:COL: message` (1-based).
struct Problem {
  std::string file;
  int line = 1;
  int column = 1;
  std::string message;
  [[nodiscard]] std::string to_string() const;
};

/// Reads one environment variable; nullopt where it is not set. Injected, so that tests need none.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
[[nodiscard]] Environment process_environment();

struct Loaded {
  std::optional<RootOptions> options;  ///< set iff problems is empty
  std::vector<Problem> problems;       ///< every error of the file at once, in the file's order
};

/// Text to options: YAML, `${NAME}` expansion, field tables, cross-field rules, and the environment
/// overrides of `consul:`. Nothing is bound or contacted.
[[nodiscard]] Loaded load_text(std::string_view text, const std::string& file,
                               const Environment& environment);
/// As load_text, from a file; a file that cannot be read is one Problem at 1:1.
[[nodiscard]] Loaded load_file(const std::string& path, const Environment& environment);

/// The effective configuration as YAML, defaults included, secrets as "<redacted>" (for /config).
[[nodiscard]] std::string dump(const RootOptions& options);

/// The configuration reference in Markdown, generated from the field tables
/// (docs/configuration.md).
[[nodiscard]] std::string reference_markdown();

}  // namespace pilotfish::config
