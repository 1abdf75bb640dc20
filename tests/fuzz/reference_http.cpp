#include "tests/fuzz/reference_http.hpp"

#include <algorithm>

namespace pilotfish::fuzz {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kTokenMarks.find(c) != std::string_view::npos;
  });
}

bool is_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet == '\t' || (octet >= 0x20 && octet != 0x7f);
  });
}

/// One line without its CRLF; nullopt where it is not whole. A lone CR or LF makes `bad`.
std::optional<std::string_view> take_line(std::string_view& bytes, bool& bad) {
  const auto at = bytes.find_first_of("\r\n");
  if (at == std::string_view::npos || (bytes[at] == '\r' && at + 1 == bytes.size())) {
    return std::nullopt;
  }
  if (bytes[at] == '\n' || bytes[at + 1] != '\n') {
    bad = true;
    return std::nullopt;
  }
  const auto line = bytes.substr(0, at);
  bytes.remove_prefix(at + 2);
  return line;
}

enum class Taken { kWhole, kMore, kBad };

Taken take_fields(std::string_view& bytes, Fields& fields) {
  for (;;) {
    bool bad = false;
    const auto line = take_line(bytes, bad);
    if (!line) {
      return bad ? Taken::kBad : Taken::kMore;
    }
    if (line->empty()) {
      return Taken::kWhole;
    }
    const auto colon = line->find(':');
    if (colon == std::string_view::npos || !is_token(line->substr(0, colon))) {
      return Taken::kBad;
    }
    auto value = line->substr(colon + 1);
    const auto first = value.find_first_not_of(" \t");
    value = first == std::string_view::npos
                ? std::string_view{}
                : value.substr(first, value.find_last_not_of(" \t") - first + 1);
    if (!is_text(value)) {
      return Taken::kBad;
    }
    fields.emplace_back(line->substr(0, colon), value);
  }
}

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

/// The token or quoted-string that `text` begins with; empty where it begins with neither.
std::string_view word_of(std::string_view text, bool quoted) {
  if (!quoted || !text.starts_with('"')) {
    std::size_t length = 0;
    while (length < text.size() && is_token(text.substr(length, 1))) {
      ++length;
    }
    return text.substr(0, length);
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      return text.substr(0, i + 1);
    }
    i += text[i] == '\\' ? 1 : 0;
  }
  return {};
}

/// chunk-ext of RFC 9112 section 7.1.1: `text` is what stands between a size and its CRLF.
bool good_extensions(std::string_view text) {
  if (!is_text(text)) {
    return false;
  }
  while (!text.empty()) {
    text = without_blanks(text);
    if (!text.starts_with(';')) {
      return false;
    }
    text = without_blanks(text.substr(1));
    const auto name = word_of(text, false);
    if (name.empty()) {
      return false;
    }
    text.remove_prefix(name.size());
    if (const auto rest = without_blanks(text); rest.starts_with('=')) {
      const auto after = without_blanks(rest.substr(1));
      const auto value = word_of(after, true);
      if (value.empty()) {
        return false;
      }
      text = after.substr(value.size());
    }
  }
  return true;
}

struct Frame {
  bool good = true;
  bool chunked = false;
  std::optional<std::size_t> length;
};

Frame frame_of(const ReferenceMessage& message) {
  Frame frame;
  const auto codings = values_of(message, "transfer-encoding");
  const auto lengths = values_of(message, "content-length");
  frame.good = codings.size() + lengths.size() <= 1;
  if (!codings.empty()) {
    frame.chunked = true;
    frame.good = frame.good && lowered(codings[0]) == "chunked";
  }
  if (!lengths.empty()) {
    const auto& text = lengths[0];
    frame.good =
        frame.good && !text.empty() && text.size() <= 18 && std::ranges::all_of(text, is_digit);
    if (frame.good) {
      frame.length = static_cast<std::size_t>(std::stoull(text));
    }
  }
  return frame;
}

Taken take_body(std::string_view& bytes, const Frame& frame, ReferenceMessage& message) {
  if (frame.chunked) {
    auto body = read_chunks(bytes);
    if (body.broken) {
      return Taken::kBad;
    }
    if (!body.done) {
      return Taken::kMore;
    }
    message.body = std::move(body.data);
    message.trailers = std::move(body.trailers);
    bytes.remove_prefix(body.used);
  } else if (frame.length) {
    if (bytes.size() < *frame.length) {
      return Taken::kMore;
    }
    message.body = bytes.substr(0, *frame.length);
    bytes.remove_prefix(*frame.length);
  }
  return Taken::kWhole;
}

bool good_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return false;
  }
  const auto target = line.substr(first + 1, last - first - 1);
  return is_token(line.substr(0, first)) && line.substr(last + 1) == "HTTP/1.1" &&
         (target == "*" || target.starts_with('/')) &&
         std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool good_status_line(std::string_view line) {
  return line.size() >= 13 && line.starts_with("HTTP/1.1 ") && line[9] >= '1' && line[9] <= '5' &&
         is_digit(line[10]) && is_digit(line[11]) && line[12] == ' ' && is_text(line.substr(13));
}

/// Takes start line and fields; `good` judges the former.
Taken take_head(std::string_view& bytes, ReferenceMessage& message,
                bool (*good)(std::string_view)) {
  bool bad = false;
  const auto start = take_line(bytes, bad);
  if (!start) {
    return bad ? Taken::kBad : Taken::kMore;
  }
  if (!good(*start)) {
    return Taken::kBad;
  }
  message.start = *start;
  return take_fields(bytes, message.fields);
}

}  // namespace

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::vector<std::string> values_of(const ReferenceMessage& message, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& [key, value] : message.fields) {
    if (lowered(key) == name) {
      out.push_back(value);
    }
  }
  return out;
}

ReferenceBody read_chunks(std::string_view bytes) {
  ReferenceBody out;
  const auto whole = bytes.size();
  for (;;) {
    bool bad = false;
    const auto line = take_line(bytes, bad);
    if (!line) {
      out.broken = bad;
      return out;
    }
    const auto end = line->find_first_not_of("0123456789abcdefABCDEF");
    const auto digits = line->substr(0, end);
    const auto rest = end == std::string_view::npos ? std::string_view{} : line->substr(end);
    if (digits.empty() || digits.size() > 15 || !good_extensions(rest)) {
      out.broken = true;
      return out;
    }
    const std::size_t size = std::stoull(std::string(digits), nullptr, 16);
    if (size == 0) {
      break;
    }
    out.data += bytes.substr(0, size);
    if (bytes.size() < size + 2) {
      // What already contradicts the CRLF to come is broken now.
      out.broken = bytes.size() == size + 1 && bytes[size] != '\r';
      return out;
    }
    if (bytes.substr(size, 2) != "\r\n") {
      out.broken = true;
      return out;
    }
    bytes.remove_prefix(size + 2);
  }
  const auto taken = take_fields(bytes, out.trailers);
  out.broken = taken == Taken::kBad;
  out.done = taken == Taken::kWhole;
  out.used = whole - bytes.size();
  return out;
}

ReferenceReading read_requests(std::string_view bytes) {
  ReferenceReading out;
  const auto whole = bytes.size();
  while (!bytes.empty()) {
    ReferenceMessage message;
    auto taken = take_head(bytes, message, good_request_line);
    if (taken == Taken::kWhole) {
      const auto frame = frame_of(message);
      const bool one_host = values_of(message, "host").size() == 1;
      taken = frame.good && one_host ? take_body(bytes, frame, message) : Taken::kBad;
    }
    if (taken == Taken::kBad) {
      out.broken = message.start;
      return out;
    }
    if (taken == Taken::kMore) {
      return out;
    }
    out.messages.push_back(std::move(message));
    out.used = whole - bytes.size();
  }
  return out;
}

ReferenceReading read_answer(std::string_view bytes, bool head, bool closed) {
  ReferenceReading out;
  const auto whole = bytes.size();
  for (;;) {
    ReferenceMessage message;
    auto taken = take_head(bytes, message, good_status_line);
    const bool interim = message.start.size() > 9 && message.start[9] == '1';
    if (taken == Taken::kWhole) {
      const auto frame = frame_of(message);
      const auto status = message.start.substr(9, 3);
      const bool bodiless = head || interim || status == "204" || status == "304";
      if (!frame.good || (interim && (frame.chunked || frame.length))) {
        taken = Taken::kBad;
      } else if (!bodiless && !frame.chunked && !frame.length) {
        message.until_close = true;
        message.body = bytes;
        bytes = {};
        taken = closed ? Taken::kWhole : Taken::kMore;
      } else if (!bodiless) {
        taken = take_body(bytes, frame, message);
      }
    }
    if (taken != Taken::kWhole) {
      if (taken == Taken::kBad) {
        out.broken = message.start;
      }
      return out;
    }
    out.messages.push_back(std::move(message));
    out.used = whole - bytes.size();
    if (!interim) {
      return out;
    }
  }
}

}  // namespace pilotfish::fuzz
