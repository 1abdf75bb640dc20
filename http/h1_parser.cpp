#include "http/h1_parser.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <optional>

#include "http/h1_plain.hpp"
#include "http/target.hpp"

namespace pilotfish::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

/// Collects start line and fields as views; bodies never reach it.
template <bool kRequest>
class Collector final : public beast_http::basic_parser<kRequest> {
 public:
  explicit Collector(std::vector<Field>& fields) : fields_(&fields) {
    this->header_limit(0xffffffffU);  // the buffer is the limit
    this->body_limit(boost::none);
    this->skip(true);
  }
  std::string_view method, target, reason;
  int version = 0;
  int status = 0;

 private:
  using Base = beast_http::basic_parser<kRequest>;
  static std::string_view view(string_view text) { return {text.data(), text.size()}; }

  void on_request_impl(beast_http::verb, string_view method_text, string_view target_text,
                       int number, error_code&) override {
    method = view(method_text);
    target = view(target_text);
    version = number;
  }
  void on_response_impl(int code, string_view reason_text, int number, error_code&) override {
    status = code;
    reason = view(reason_text);
    version = number;
  }
  void on_field_impl(beast_http::field, string_view name, string_view value, error_code&) override {
    fields_->push_back({known_field(view(name)), view(name), view(value)});
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  std::vector<Field>* fields_;
};

/// VCHAR, obs-text, SP, HTAB: nothing else belongs into a value (RFC 9110 section 5.5).
bool clean_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && octet != '\t') || octet == 0x7f;
  });
}

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
    if (!clean && !clean_value(field.value)) {
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
          if (iequals(token, "close")) {
            wants_close = true;
          } else if (iequals(token, "keep-alive")) {
            wants_keep = true;
          } else if (iequals(token, "upgrade")) {
            names_upgrade = true;
          } else {
            head.named_in_connection = true;
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

template <bool kRequest>
bool run(Collector<kRequest>& collector, std::string_view bytes) {
  error_code error;
  std::size_t used = collector.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  return !error && used == bytes.size() && collector.is_header_done();
}

/// As run(), and takes a status line that ends with its code. RFC 9112 section 4 wants a space
/// behind it even without a reason; servers leave it out, HAProxy, nginx and Envoy take that, and
/// there is no second way to read it. The writer puts the space back.
bool run_response(Collector<false>& collector, std::string_view bytes) {
  constexpr std::size_t kUpToCode = 12;  // "HTTP/1.1 200"
  if (bytes.size() <= kUpToCode || bytes[kUpToCode] != '\r') {
    return run(collector, bytes);
  }
  std::array<char, kUpToCode + 3> line{};
  bytes.copy(line.data(), kUpToCode);
  std::string_view(" \r\n").copy(line.data() + kUpToCode, 3);
  error_code error;
  const auto used = collector.put(boost::asio::const_buffer(line.data(), line.size()), error);
  const bool taken = used == line.size() && (!error || error == beast_http::error::need_more);
  collector.reason = {};  // it pointed into `line`
  return taken && run(collector, bytes.substr(kUpToCode + 2));
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

/// By Beast: what is not of the plainest form.
Refusal split_request(std::string_view bytes, PlainRequestLine& line, std::vector<Field>& fields) {
  Collector<true> collector(fields);
  if (!run(collector, bytes)) {
    // Beast refuses some codings on its own; which answer they get is still ours to say.
    for (const auto& field : fields) {
      if (field.known == Known::kTransferEncoding && clean_value(field.value) &&
          !iequals(field.value, "chunked")) {
        return judge_coding(field.value);
      }
    }
    return Refusal::kMalformed;
  }
  line = {collector.method, collector.target,
          collector.version == 10 ? Version::k10 : Version::k11};
  return Refusal::kNone;
}

}  // namespace

Refusal parse_request(std::string_view bytes, RequestHead& head) {
  head.clear();
  PlainRequestLine line;
  const bool plain = split_plain_request(bytes, line, head.fields);
  if (!plain) {
    head.fields.clear();
    if (const auto refusal = split_request(bytes, line, head.fields); refusal != Refusal::kNone) {
      return refusal;
    }
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
  std::size_t hosts = 0;
  for (const auto& field : head.fields) {
    if (field.known == Known::kHost) {
      ++hosts;
      head.host = field.value;
      if (!good_host(field.value)) {
        return Refusal::kMalformed;
      }
    } else if (field.known == Known::kExpect) {
      head.expect_continue = head.version == Version::k11 && iequals(field.value, "100-continue");
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
  if (!plain) {
    head.fields.clear();
    Collector<false> collector(head.fields);
    if (!run_response(collector, bytes)) {
      return Refusal::kMalformed;
    }
    line = {collector.status, collector.reason,
            collector.version == 10 ? Version::k10 : Version::k11};
  }
  head.status = line.status;
  head.reason = line.reason;
  head.version = line.version;
  if (head.status < 100 || head.status > 599 || !clean_value(head.reason)) {
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

bool parse_trailers(std::string_view bytes, std::vector<Field>& fields) {
  fields.clear();
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
    const bool token = std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
      value.remove_prefix(1);
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
      value.remove_suffix(1);
    }
    if (!token || !clean_value(value)) {
      return false;
    }
    const auto known = known_field(name);
    if (known == Known::kContentLength || known == Known::kTransferEncoding ||
        known == Known::kHost || known == Known::kConnection) {
      return false;
    }
    fields.push_back({known, name, value});
  }
  return false;
}

}  // namespace pilotfish::http
