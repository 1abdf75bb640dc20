#include "http/h1_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "http/grammar.hpp"
#include "http/h1_beast.hpp"
#include "http/h1_plain.hpp"
#include "http/target.hpp"

namespace pilotfish::http {
namespace {

std::optional<std::uint64_t> parse_length(std::string_view value) {
  // One form only: no sign, no list, no leading zero, below 2^63.
  if (value.empty() || value.size() > 18 || (value.size() > 1 && value[0] == '0')) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != value.data() + value.size()) {
    return std::nullopt;
  }
  return number;
}

/// `Transfer-Encoding` that is not exactly "chunked": known to be nonsense, or a coding we lack.
Refusal judge_coding(std::string_view value) {
  std::size_t chunked = 0;
  bool last_chunked = false;
  bool clean = !value.empty() && value.front() != ',' && value.back() != ',';
  for_each_token(value, [&](std::string_view token) {
    last_chunked = iequals(token, "chunked");
    chunked += last_chunked ? 1U : 0U;
    clean = clean && std::ranges::all_of(token, [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '+';
            });
    return true;
  });
  if (!clean || chunked > 1 || (chunked == 1 && !last_chunked)) {
    return Refusal::kMalformed;
  }
  return Refusal::kUnknownCoding;
}

/// Framing, persistence and upgrade: what requests and answers share. `clean`: no value has octets
/// that do not belong there.
Refusal digest_fields(Head& head, bool clean) {
  std::size_t lengths = 0;
  std::size_t codings = 0;
  bool wants_close = false;
  bool wants_keep = false;
  bool names_upgrade = false;
  bool has_upgrade = false;
  Refusal coding = Refusal::kNone;
  for (const auto& field : head.fields) {
    if (!clean && !is_text(field.value)) {
      return Refusal::kMalformed;
    }
    switch (field.known) {
      case Known::kContentLength: {
        const auto length = parse_length(field.value);
        if (!length || ++lengths > 1) {
          return Refusal::kMalformed;
        }
        head.length = *length;
        break;
      }
      case Known::kTransferEncoding:
        if (++codings > 1) {
          return Refusal::kMalformed;
        }
        coding = iequals(field.value, "chunked") ? Refusal::kNone : judge_coding(field.value);
        break;
      case Known::kConnection:
        for_each_token(field.value, [&](std::string_view token) {
          // Parameters have no place here; answers that have them are taken (h1_beast.cpp).
          token = token.substr(0, token.find_first_of("; \t"));
          if (iequals(token, "close")) {
            wants_close = true;
          } else if (iequals(token, "keep-alive")) {
            wants_keep = true;
          } else if (iequals(token, "upgrade")) {
            names_upgrade = true;
          } else {
            head.named_in_connection = true;
            wants_close = wants_close || !is_token(token);
          }
          return true;
        });
        break;
      case Known::kUpgrade:
        for_each_token(field.value, [&](std::string_view token) {
          has_upgrade = has_upgrade || !iequals(token, "h2c");
          return true;
        });
        break;
      case Known::kDate: head.has_date = true; break;
      default: break;
    }
  }
  if (coding != Refusal::kNone) {
    return coding;
  }
  if (codings > 0 && (lengths > 0 || head.version == Version::k10)) {
    return Refusal::kMalformed;
  }
  if (codings > 0) {
    head.framing = Framing::kChunked;
  } else if (lengths > 0) {
    head.framing = Framing::kLength;
  }
  head.keep_alive = !wants_close && (head.version == Version::k11 || wants_keep);
  head.upgrade = names_upgrade && has_upgrade && head.version == Version::k11;
  return Refusal::kNone;
}

/// Above what counts to any purpose it is the largest number (RFC 9110 section 7.6.2).
bool parse_hops(std::string_view value, std::optional<std::uint32_t>& hops) {
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || parsed.ptr != value.data() + value.size()) {
    return false;
  }
  const bool beyond = parsed.ec == std::errc::result_out_of_range;
  hops = beyond ? std::numeric_limits<std::uint32_t>::max() : number;
  return beyond || parsed.ec == std::errc{};
}

/// What was refused may be a coding, whose answer is another one.
Refusal judge_broken(const std::vector<Field>& fields) {
  for (const auto& field : fields) {
    if (field.known == Known::kTransferEncoding && is_text(field.value) &&
        !iequals(field.value, "chunked")) {
      return judge_coding(field.value);
    }
  }
  return Refusal::kMalformed;
}

Method method_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Method>, 9> kMethods{
      {{"GET", Method::kGet},
       {"HEAD", Method::kHead},
       {"POST", Method::kPost},
       {"PUT", Method::kPut},
       {"DELETE", Method::kDelete},
       {"OPTIONS", Method::kOptions},
       {"TRACE", Method::kTrace},
       {"PATCH", Method::kPatch},
       {"CONNECT", Method::kConnect}}};
  for (const auto& [name, method] : kMethods) {
    if (text == name) {
      return method;
    }
  }
  return Method::kOther;
}

/// Calls `visit(field)` for each; false where one is malformed, has to do with framing or routing,
/// or is refused by `visit`.
template <class Visit>
bool split_trailers(std::string_view bytes, Visit&& visit) {
  while (!bytes.empty()) {
    const auto end = bytes.find("\r\n");
    if (end == std::string_view::npos) {
      return false;
    }
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (line.empty()) {
      return bytes.empty();
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return false;
    }
    const auto name = line.substr(0, colon);
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
      value.remove_prefix(1);
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
      value.remove_suffix(1);
    }
    if (!is_token(name) || !is_text(value)) {
      return false;
    }
    const auto known = known_field(name);
    if (known == Known::kContentLength || known == Known::kTransferEncoding ||
        known == Known::kHost || !visit(Field{known, name, value})) {
      return false;
    }
  }
  return false;
}

}  // namespace

Refusal parse_request(std::string_view bytes, RequestHead& head) {
  head.clear();
  PlainRequestLine line;
  const bool plain = split_plain_request(bytes, line, head.fields);
  if (!plain && !split_request(bytes, line, head.fields)) {
    return judge_broken(head.fields);
  }
  head.method_text = line.method;
  head.method = method_of(line.method);
  head.target = line.target;
  head.version = line.version;
  if (head.method == Method::kConnect) {
    return Refusal::kConnectMethod;
  }
  if (!digest_target(head)) {
    return Refusal::kMalformed;
  }
  const bool has_hops = head.method == Method::kTrace || head.method == Method::kOptions;
  std::size_t hosts = 0;
  for (const auto& field : head.fields) {
    if (field.known == Known::kHost) {
      ++hosts;
      head.host = field.value;
      // Beside an absolute-form target its value does not count, and may be empty.
      if (!good_host(field.value) && !(field.value.empty() && !head.authority.empty())) {
        return Refusal::kMalformed;
      }
    } else if (field.known == Known::kExpect) {
      head.expect_continue = head.version == Version::k11 && iequals(field.value, "100-continue");
    } else if (field.known == Known::kMaxForwards && has_hops) {
      if (head.max_forwards || !parse_hops(field.value, head.max_forwards)) {
        return Refusal::kMalformed;
      }
    }
  }
  if (hosts > 1 || (hosts == 0 && head.version == Version::k11)) {
    return Refusal::kMalformed;
  }
  return digest_fields(head, plain);
}

Refusal parse_response(std::string_view bytes, Method method, ResponseHead& head) {
  head.clear();
  PlainStatusLine line;
  const bool plain = split_plain_response(bytes, line, head.fields);
  if (!plain && !split_response(bytes, line, head.fields)) {
    return Refusal::kMalformed;
  }
  head.status = line.status;
  head.reason = line.reason;
  head.version = line.version;
  if (head.status < 100 || head.status > 599 || !is_text(head.reason)) {
    return Refusal::kMalformed;
  }
  if (const auto refusal = digest_fields(head, plain); refusal != Refusal::kNone) {
    return Refusal::kMalformed;
  }
  const bool bodiless =
      method == Method::kHead || head.status < 200 || head.status == 204 || head.status == 304;
  if (bodiless) {
    if (head.status == 204 && head.framing != Framing::kNone && head.length > 0) {
      head.keep_alive = false;  // a body may follow that is none: not to be read as an answer
    }
    if (head.status == 204 && head.framing == Framing::kChunked) {
      head.keep_alive = false;
    }
    // Content-Length of an answer to HEAD (or of a 304) says how long the body would be.
    head.framing = Framing::kNone;
  } else if (head.framing == Framing::kNone) {
    head.framing = Framing::kUntilClose;
    head.keep_alive = false;
  }
  return Refusal::kNone;
}

bool good_trailers(std::string_view bytes) {
  return split_trailers(bytes,
                        [](const Field& field) { return field.known != Known::kConnection; });
}

bool parse_trailers(std::string_view bytes, std::vector<Field>& fields) {
  fields.clear();
  return split_trailers(bytes, [&fields](const Field& field) {
    fields.push_back(field);
    return true;
  });
}

}  // namespace pilotfish::http
