#include "app/escape.hpp"

#include <cstddef>
#include <cstdint>

namespace pilotfish::app {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// Length of the valid UTF-8 sequence that `text` starts with (RFC 3629); 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  std::size_t length = 0;
  std::uint32_t lowest = 0;
  std::uint32_t code = 0;
  if ((first & 0xe0U) == 0xc0) {
    length = 2, lowest = 0x80, code = first & 0x1fU;
  } else if ((first & 0xf0U) == 0xe0) {
    length = 3, lowest = 0x800, code = first & 0x0fU;
  } else if ((first & 0xf8U) == 0xf0) {
    length = 4, lowest = 0x10000, code = first & 0x07U;
  }
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return 0;
    }
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < lowest || code > 0x10ffff || surrogate ? 0 : length;
}

/// C1 controls (U+0080 to U+009F) drive terminals as well as the lower ones.
bool is_c1(std::string_view sequence) {
  return sequence.size() == 2 && static_cast<unsigned char>(sequence[0]) == 0xc2 &&
         static_cast<unsigned char>(sequence[1]) < 0xa0;
}

void append_hex(std::string& out, std::string_view prefix, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += prefix;
  out += kHex[byte >> 4U];
  out += kHex[byte & 0x0fU];
}

/// Escapes what no line may hold; `quoted` also escapes quotes and backslashes.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    const char c = text[0];
    if (length == 0 || is_c1(sequence)) {
      for (const char byte : sequence) {
        append_hex(out, "\\x", byte);
      }
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (quoted && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      append_hex(out, "\\x", c);
    } else {
      out += sequence;
    }
    text.remove_prefix(sequence.size());
  }
}

bool is_plain(std::string_view value) {
  for (const char c : value) {
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') {
      return false;
    }
  }
  return !value.empty();
}

}  // namespace

void append_text_value(std::string& out, std::string_view value) {
  if (is_plain(value)) {
    out += value;
    return;
  }
  out += '"';
  append_escaped(out, value, true);
  out += '"';
}

void append_text_message(std::string& out, std::string_view message) {
  append_escaped(out, message, false);
}

void append_json_string(std::string& out, std::string_view value) {
  out += '"';
  while (!value.empty()) {
    const std::size_t length = utf8_length(value);
    const char c = value[0];
    if (length > 1) {
      out += value.substr(0, length);
      value.remove_prefix(length);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      append_hex(out, "\\u00", c);
    } else {
      out += c;
    }
    value.remove_prefix(1);
  }
  out += '"';
}

std::string clean_utf8(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  while (!value.empty()) {
    const std::size_t length = utf8_length(value);
    out += length == 0 ? std::string_view("\xef\xbf\xbd") : value.substr(0, length);
    value.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace pilotfish::app
