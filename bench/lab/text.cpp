#include "bench/lab/text.hpp"

#include <fmt/core.h>

namespace pilotfish::bench {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// The bytes of the first `width` columns.
std::size_t bytes_of(std::string_view text, std::size_t width) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (!continues(text[at]) && width-- == 0) break;
    ++at;
  }
  return at;
}

std::string_view code(Style style) {
  switch (style) {
    case Style::kBold: return "\x1b[1m";
    case Style::kDim: return "\x1b[2m";
    case Style::kGood: return "\x1b[32m";
    case Style::kBad: return "\x1b[1;31m";
    case Style::kWarn: return "\x1b[33m";
    case Style::kAccent: return "\x1b[1;36m";
    case Style::kPlain: break;
  }
  return {};
}

}  // namespace

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += continues(c) ? 0U : 1U;
  return count;
}

std::string fit_left(std::string_view text, std::size_t width) {
  std::string result(text.substr(0, bytes_of(text, width)));
  result.append(width - std::min(width, columns(result)), ' ');
  return result;
}

std::string fit_right(std::string_view text, std::size_t width) {
  const auto cut = text.substr(0, bytes_of(text, width));
  return std::string(width - std::min(width, columns(cut)), ' ').append(cut);
}

std::string paint(const Line& line, std::size_t width, bool colours) {
  std::string result;
  for (const auto& span : line) {
    const auto text = std::string_view(span.text).substr(0, bytes_of(span.text, width));
    width -= columns(text);
    const auto escape = colours ? code(span.style) : std::string_view{};
    result.append(escape).append(text);
    if (!escape.empty()) result += "\x1b[0m";
  }
  return result;
}

std::string short_duration(Duration duration) {
  const double ns =
      static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
  if (ns <= 0) return "0ms";
  if (ns < 999.5e3) return fmt::format("{:.0f}us", ns / 1e3);
  if (ns < 9.95e6) return fmt::format("{:.1f}ms", ns / 1e6);
  if (ns < 999.5e6) return fmt::format("{:.0f}ms", ns / 1e6);
  if (ns < 9.995e9) return fmt::format("{:.2f}s", ns / 1e9);
  return fmt::format("{:.0f}s", ns / 1e9);
}

std::string seconds_text(Duration duration) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(duration).count());
}

}  // namespace pilotfish::bench
