#include "http/h1_plain.hpp"

#include <bit>
#include <cstdint>

#include "http/grammar.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pilotfish::http {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

/// The first byte from `at` on that is no printable ASCII character, or `end`.
const char* skip_printable(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i space = _mm_set1_epi8(' ');
  const __m128i del = _mm_set1_epi8('\x7f');
  for (; end - at >= 16; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT
    // Signed: what is beyond ASCII is below the space too.
    const __m128i other = _mm_or_si128(_mm_cmplt_epi8(block, space), _mm_cmpeq_epi8(block, del));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(other));
    if (mask != 0) {
      return at + std::countr_zero(mask);
    }
  }
#endif
  while (at != end && is_printable(*at)) {
    ++at;
  }
  return at;
}

bool takes_line_end(const char*& at, const char* end) {
  if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
    return false;
  }
  at += 2;
  return true;
}

/// "HTTP/1.1" or "HTTP/1.0".
bool takes_version(const char*& at, const char* end, Version& version) {
  constexpr std::string_view kUpToDigit = "HTTP/1.";
  if (end - at < 8 || std::string_view(at, kUpToDigit.size()) != kUpToDigit ||
      (at[7] != '1' && at[7] != '0')) {
    return false;
  }
  version = at[7] == '1' ? Version::k11 : Version::k10;
  at += 8;
  return true;
}

/// Those whose values Beast's parser looks into: only where they are as usual.
bool is_plain(const Field& field, std::size_t& lengths) {
  switch (field.known) {
    case Known::kConnection:
      return iequals(field.value, "keep-alive") || iequals(field.value, "close");
    case Known::kContentLength: {
      bool digits = field.value.size() <= 18;
      for (const char c : field.value) {
        digits = digits && c >= '0' && c <= '9';
      }
      return digits && ++lengths == 1;
    }
    case Known::kTransferEncoding:
    case Known::kUpgrade:
    case Known::kProxyConnection: return false;
    default: return true;
  }
}

bool split_fields(const char* at, const char* end, std::vector<Field>& fields) {
  std::size_t lengths = 0;
  while (at != end && *at != '\r') {
    const char* name = at;
    while (at != end && is_token_octet(*at)) {
      ++at;
    }
    if (at == name || at == end || *at != ':') {
      return false;
    }
    const char* name_end = at++;
    while (at != end && is_space(*at)) {
      ++at;
    }
    const char* value = at;
    for (;;) {
      at = skip_printable(at, end);
      if (at == end || *at != '\t') {
        break;
      }
      ++at;
    }
    const char* value_end = at;
    while (value_end != value && is_space(value_end[-1])) {
      --value_end;
    }
    if (value == value_end || !takes_line_end(at, end)) {
      return false;
    }
    const std::string_view name_text(name, static_cast<std::size_t>(name_end - name));
    const Field field{
        known_field(name_text), name_text, {value, static_cast<std::size_t>(value_end - value)}};
    if (!is_plain(field, lengths)) {
      return false;
    }
    fields.push_back(field);
  }
  return takes_line_end(at, end) && at == end;
}

}  // namespace

bool split_plain_request(std::string_view bytes, PlainRequestLine& line,
                         std::vector<Field>& fields) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end && *at >= 'A' && *at <= 'Z') {
    ++at;
  }
  line.method = {bytes.data(), static_cast<std::size_t>(at - bytes.data())};
  if (line.method.empty() || at == end || *at != ' ') {
    return false;
  }
  const char* target = ++at;
  while (at != end && *at > ' ' && *at <= '~') {
    ++at;
  }
  line.target = {target, static_cast<std::size_t>(at - target)};
  if (line.target.empty() || at == end || *at != ' ') {
    return false;
  }
  ++at;
  return takes_version(at, end, line.version) && takes_line_end(at, end) &&
         split_fields(at, end, fields);
}

bool split_plain_response(std::string_view bytes, PlainStatusLine& line,
                          std::vector<Field>& fields) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  if (!takes_version(at, end, line.version) || end - at < 5 || at[0] != ' ' || at[4] != ' ') {
    return false;
  }
  line.status = 0;
  for (int i = 1; i <= 3; ++i) {
    if (at[i] < '0' || at[i] > '9') {
      return false;
    }
    line.status = line.status * 10 + (at[i] - '0');
  }
  at += 5;
  const char* reason = at;
  at = skip_printable(at, end);
  line.reason = {reason, static_cast<std::size_t>(at - reason)};
  return line.status >= 100 && line.status <= 599 && !line.reason.empty() &&
         takes_line_end(at, end) && split_fields(at, end, fields);
}

}  // namespace pilotfish::http
