#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.hpp"

namespace pilotfish::config {

/// What yaml-cpp unescaped, as UTF-8: it writes `\N` and `\_` (next line, no-break space) as the
/// one byte of Latin-1. The rest comes from a file that is UTF-8.
[[nodiscard]] std::string mend_utf8(std::string_view text);

/// A file's text with the start of each line: turns byte columns into character columns.
/// The text outlives it. Thread-safety: none.
class SourceText {
 public:
  explicit SourceText(std::string_view text);

  /// Line and column as the parser counts them: from 0, columns in bytes.
  [[nodiscard]] Position at(std::size_t line, std::size_t column) const;
  [[nodiscard]] Position at_byte(std::size_t offset) const;
  /// Whether a tab stands in the indentation of a line (1-based).
  [[nodiscard]] bool indented_by_tab(int line) const;
  /// Whether a line (1-based) has a bracketed address such as [::1]:80, which YAML takes for a
  /// list.
  [[nodiscard]] bool bracketed_address(int line) const;
  /// Whether a quote opens at this place (counted as in `at`) that is closed nowhere.
  [[nodiscard]] bool open_quote_at(std::size_t line, std::size_t column) const;
  /// The first octet that is not UTF-8 (RFC 3629), or a control character.
  [[nodiscard]] std::optional<SyntaxError> bad_octet() const;

 private:
  [[nodiscard]] std::string_view line_text(int line) const;

  std::string_view text_;
  std::vector<std::size_t> starts_{0};
  // The last place counted: places mostly ascend, so that one long line costs no square.
  mutable std::size_t line_ = 0;
  mutable std::size_t column_ = 0;
  mutable int characters_ = 0;
};

}  // namespace pilotfish::config
