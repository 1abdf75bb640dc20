#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish::bench {

/// Text for terminals: styled pieces that are cut to a width before escape codes are added. Pure.

enum class Style : std::uint8_t { kPlain, kBold, kDim, kGood, kBad, kWarn, kAccent };

struct Span {
  Style style = Style::kPlain;
  std::string text;
};
using Line = std::vector<Span>;

/// Columns that the text takes; every code point counts as one (nothing wide is ever written).
[[nodiscard]] std::size_t columns(std::string_view text);
/// Cut, or padded with spaces, to exactly this many columns.
[[nodiscard]] std::string fit_left(std::string_view text, std::size_t width);
[[nodiscard]] std::string fit_right(std::string_view text, std::size_t width);
/// The line within `width` columns, with escape codes where colours are wanted.
[[nodiscard]] std::string paint(const Line& line, std::size_t width, bool colours);

/// Three digits at most: `350us`, `1.2ms`, `12ms`, `1.03s`, `75s`; zero is `0ms`.
[[nodiscard]] std::string short_duration(Duration duration);
/// `3.2s`.
[[nodiscard]] std::string seconds_text(Duration duration);

}  // namespace pilotfish::bench
