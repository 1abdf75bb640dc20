#include "http/h1_beast.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <string>

#include "http/grammar.hpp"

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

bool run(Collector<true>& collector, std::string_view bytes) {
  error_code error;
  const auto used = collector.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  return !error && used == bytes.size() && collector.is_header_done();
}

/// Also takes a status line that ends with its code. RFC 9112 section 4 wants a space behind it
/// even without a reason; servers leave it out, HAProxy, nginx and Envoy take that, and there is no
/// second way to read it. The writer puts the space back.
bool run(Collector<false>& collector, std::string_view bytes) {
  constexpr std::size_t kUpToCode = 12;  // "HTTP/1.1 200"
  error_code error;
  const bool bare = bytes.size() > kUpToCode && bytes[kUpToCode] == '\r';
  if (bare) {
    std::array<char, kUpToCode + 3> line{};
    bytes.copy(line.data(), kUpToCode);
    std::string_view(" \r\n").copy(line.data() + kUpToCode, 3);
    const auto used = collector.put(boost::asio::const_buffer(line.data(), line.size()), error);
    collector.reason = {};  // it pointed into `line`
    if (used != line.size() || (error && error != beast_http::error::need_more)) {
      return false;
    }
    error = {};
    bytes.remove_prefix(kUpToCode + 2);
  }
  const auto used = collector.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  return !error && used == bytes.size() && collector.is_header_done();
}

/// What Beast refuses and we do not: a minor version above 1, which means 1 to us (RFC 9110 section
/// 2.5), and in answers a `Connection` that is no list (`keep-alive; timeout=5`), which servers
/// send. As many bytes, in a form that it takes; empty where nothing was to be mended.
std::string mend(std::string_view bytes, bool request) {
  std::string mended;
  const auto line_end = bytes.find("\r\n");
  const auto version = request ? bytes.substr(0, line_end).rfind(' ') + 1 : 0;
  constexpr std::string_view kUpToMinor = "HTTP/1.";
  const auto minor = version + kUpToMinor.size();
  if (bytes.substr(version).starts_with(kUpToMinor) && minor < bytes.size() &&
      bytes[minor] >= '2' && bytes[minor] <= '9') {
    mended = bytes;
    mended[minor] = '1';
  }
  for (auto at = line_end; !request && at != std::string_view::npos;) {
    at += 2;
    const auto end = bytes.find("\r\n", at);
    const auto line = bytes.substr(at, end == std::string_view::npos ? end : end - at);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos &&
        known_field(line.substr(0, colon)) == Known::kConnection) {
      for (auto i = colon + 1; i < line.size(); ++i) {
        const char c = line[i];
        if (is_text_octet(c) && !is_token_octet(c) && c != ',' && c != ' ' && c != '\t') {
          mended = mended.empty() ? std::string(bytes) : std::move(mended);
          mended[at + i] = ',';
        }
      }
    }
    at = end;
  }
  return mended;
}

/// Runs `collector` on `bytes` or, where that fails, on what can be mended of them.
template <bool kRequest>
bool collect(Collector<kRequest>& collector, std::string_view bytes, std::vector<Field>& fields) {
  if (run(collector, bytes)) {
    return true;
  }
  const std::string mended = mend(bytes, kRequest);
  if (mended.empty()) {
    return false;
  }
  fields.clear();
  Collector<kRequest> second(fields);
  const bool taken = run(second, mended);
  const auto back = [&](std::string_view view) {
    return view.empty()
               ? std::string_view{}
               : bytes.substr(static_cast<std::size_t>(view.data() - mended.data()), view.size());
  };
  for (auto& field : fields) {
    field.name = back(field.name);
    field.value = back(field.value);
  }
  collector.method = back(second.method);
  collector.target = back(second.target);
  collector.reason = back(second.reason);
  collector.version = second.version;
  collector.status = second.status;
  return taken;
}

}  // namespace

bool split_request(std::string_view bytes, PlainRequestLine& line, std::vector<Field>& fields) {
  fields.clear();
  Collector<true> collector(fields);
  const bool taken = collect(collector, bytes, fields);
  line = {collector.method, collector.target,
          collector.version == 10 ? Version::k10 : Version::k11};
  return taken;
}

bool split_response(std::string_view bytes, PlainStatusLine& line, std::vector<Field>& fields) {
  fields.clear();
  Collector<false> collector(fields);
  const bool taken = collect(collector, bytes, fields);
  line = {collector.status, collector.reason,
          collector.version == 10 ? Version::k10 : Version::k11};
  return taken;
}

}  // namespace pilotfish::http
