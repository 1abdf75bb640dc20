#include "config/source_text.hpp"

#include <algorithm>

namespace pilotfish::config {
namespace {

/// Length of the well-formed UTF-8 sequence at `i`; 0 where there is none (RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto octet = [&](std::size_t k) {
    return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
  };
  const auto tail = [&](std::size_t k) { return (octet(k) & 0xC0U) == 0x80U; };
  const unsigned first = octet(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF && tail(1)) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF && tail(1) && tail(2)) {
    const bool overlong = first == 0xE0 && octet(1) < 0xA0;
    const bool surrogate = first == 0xED && octet(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const bool overlong = first == 0xF0 && octet(1) < 0x90;
    const bool too_large = first == 0xF4 && octet(1) > 0x8F;
    return overlong || too_large ? 0 : 4;
  }
  return 0;
}

}  // namespace

std::string mend_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    if (length == 0) {
      const auto octet = static_cast<unsigned char>(text[i]);
      out += static_cast<char>(0xC0U | (octet >> 6U));
      out += static_cast<char>(0x80U | (octet & 0x3FU));
      ++i;
      continue;
    }
    out += text.substr(i, length);
    i += length;
  }
  return out;
}

SourceText::SourceText(std::string_view text) : text_(text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      starts_.push_back(i + 1);
    }
  }
}

Position SourceText::at(std::size_t line, std::size_t column) const {
  if (line >= starts_.size()) {
    return {static_cast<int>(line) + 1, static_cast<int>(column) + 1};
  }
  if (line != line_ || column < column_) {
    line_ = line;
    column_ = 0;
    characters_ = 0;
  }
  const auto bytes = text_.substr(starts_[line]).substr(0, column).substr(column_);
  characters_ += static_cast<int>(std::ranges::count_if(
      bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  column_ += bytes.size();
  return {static_cast<int>(line) + 1, characters_ + 1};
}

Position SourceText::at_byte(std::size_t offset) const {
  const auto next = std::ranges::upper_bound(starts_, offset);
  const auto line = static_cast<std::size_t>(next - starts_.begin()) - 1;
  return at(line, offset - starts_[line]);
}

std::string_view SourceText::line_text(int line) const {
  const auto index = static_cast<std::size_t>(line) - 1;
  if (index >= starts_.size()) {
    return {};
  }
  const auto rest = text_.substr(starts_[index]);
  return rest.substr(0, rest.find('\n'));
}

bool SourceText::indented_by_tab(int line) const {
  const auto text = line_text(line);
  const auto blank = text.substr(0, std::min(text.find_first_not_of(" \t"), text.size()));
  return blank.find('\t') != std::string_view::npos;
}

bool SourceText::bracketed_address(int line) const {
  const auto text = line_text(line);
  const auto close = text.find("]:");
  const auto open = text.substr(0, close).rfind('[');
  if (close == std::string_view::npos || open == std::string_view::npos) {
    return false;
  }
  const auto inside = text.substr(open + 1, close - open - 1);
  return inside.find(':') != std::string_view::npos &&
         inside.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

bool SourceText::open_quote_at(std::size_t line, std::size_t column) const {
  if (line >= starts_.size() || starts_[line] + column >= text_.size()) {
    return false;
  }
  const auto rest = text_.substr(starts_[line] + column);
  const char mark = rest.front();
  if (mark != '\'' && mark != '"') {
    return false;  // behind an anchor or a tag
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (mark == '"' && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == mark && rest.substr(i, 2) == "''") {
      ++i;
    } else if (rest[i] == mark) {
      return false;
    }
  }
  return true;
}

std::optional<SyntaxError> SourceText::bad_octet() const {
  for (std::size_t i = 0; i < text_.size();) {
    const auto length = utf8_length(text_, i);
    if (length == 0) {
      return SyntaxError{at_byte(i), "the file is not UTF-8; save it as UTF-8"};
    }
    const auto octet = static_cast<unsigned char>(text_[i]);
    if ((octet < 0x20 && octet != '\t' && octet != '\n' && octet != '\r') || octet == 0x7F) {
      return SyntaxError{at_byte(i), "control character in the file; remove it"};
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace pilotfish::config
