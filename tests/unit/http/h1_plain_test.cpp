#include "http/h1_plain.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace pilotfish::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

/// What Beast's parser makes of a head: the authority that the short way must agree with.
template <bool kRequest>
class Authority final : public beast_http::basic_parser<kRequest> {
 public:
  explicit Authority(const std::string& head) {
    this->header_limit(0xffffffffU);
    this->body_limit(boost::none);
    this->skip(true);
    error_code error;
    const auto used = this->put(boost::asio::const_buffer(head.data(), head.size()), error);
    accepts = !error && used == head.size() && this->is_header_done();
  }
  bool accepts = false;
  std::string first;   ///< method, or reason
  std::string target;  ///< of requests
  int status = 0;
  int version = 0;
  std::vector<std::pair<std::string, std::string>> fields;

 private:
  void on_request_impl(beast_http::verb, string_view method_text, string_view target_text,
                       int number, error_code&) override {
    first = std::string(method_text);
    target = std::string(target_text);
    version = number;
  }
  void on_response_impl(int code, string_view reason, int number, error_code&) override {
    status = code;
    first = std::string(reason);
    version = number;
  }
  void on_field_impl(beast_http::field, string_view name, string_view value, error_code&) override {
    fields.emplace_back(std::string(name), std::string(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

std::vector<std::pair<std::string, std::string>> texts(const std::vector<Field>& fields) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& field : fields) {
    EXPECT_EQ(field.known, known_field(field.name));
    result.emplace_back(std::string(field.name), std::string(field.value));
  }
  return result;
}

/// True where the short way was taken, and then agrees with Beast.
bool agrees_request(const std::string& head) {
  PlainRequestLine line;
  std::vector<Field> fields;
  if (!split_plain_request(head, line, fields)) {
    return false;
  }
  const Authority<true> authority(head);
  EXPECT_TRUE(authority.accepts) << head;
  EXPECT_EQ(line.method, authority.first) << head;
  EXPECT_EQ(line.target, authority.target) << head;
  EXPECT_EQ(line.version == Version::k11 ? 11 : 10, authority.version) << head;
  EXPECT_EQ(texts(fields), authority.fields) << head;
  return true;
}

bool agrees_response(const std::string& head) {
  PlainStatusLine line;
  std::vector<Field> fields;
  if (!split_plain_response(head, line, fields)) {
    return false;
  }
  const Authority<false> authority(head);
  EXPECT_TRUE(authority.accepts) << head;
  EXPECT_EQ(line.reason, authority.first) << head;
  EXPECT_EQ(line.status, authority.status) << head;
  EXPECT_EQ(line.version == Version::k11 ? 11 : 10, authority.version) << head;
  EXPECT_EQ(texts(fields), authority.fields) << head;
  return true;
}

const std::vector<std::string> kRequests{
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /some/path?q=%20x HTTP/1.1\r\nHost: app.example:8080\r\nContent-Length: 12\r\n"
    "User-Agent: curl/8.0 (x; y)\r\nAccept: */*\r\nX-Long: "
    "0123456789abcdef0123456789abcdef\r\n\r\n",
    "OPTIONS * HTTP/1.0\r\nConnection: Keep-Alive\r\nX:\tb\tc \t\r\n\r\n",
};
const std::vector<std::string> kResponses{
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\n"
    "Content-Type: text/html; charset=utf-8\r\nConnection: close\r\nSet-Cookie: a=b; c\r\n\r\n",
    "HTTP/1.0 204 No Content\r\nX-A: 1\r\n\r\n",
};

TEST(H1Plain, TakesUsualHeads) {
  for (const auto& head : kRequests) {
    EXPECT_TRUE(agrees_request(head)) << head;
  }
  for (const auto& head : kResponses) {
    EXPECT_TRUE(agrees_response(head)) << head;
  }
}

TEST(H1Plain, LeavesToBeastWhatIsNotPlain) {
  constexpr std::array kHeads{
      "get / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\nb: c\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
      "GET / HTTP/1.1\r\nHost:\r\n\r\n",
      "GET / HTTP/1.1\r\n: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nmore",
      "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
      "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
      "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET / HTTP/1.1\r\nConnection: close, te\r\n\r\n",
      "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
      "GET / HTTP/1.1\r\nProxy-Connection: close\r\n\r\n",
  };
  for (const std::string head : kHeads) {
    EXPECT_FALSE(agrees_request(head)) << head;
  }
  for (const std::string head :
       {"HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 O\tK\r\n\r\n"}) {
    EXPECT_FALSE(agrees_response(head)) << head;
  }
}

TEST(H1Plain, AgreesWithBeastOnWhateverItTakes) {
  // Seeds with a few random changes each: those that matter to the grammar, and any octet.
  constexpr std::string_view kOctets("\r\n\t :;,\x00\x7f\x80\xff/aZ09-_\"{}()@", 24);
  std::mt19937 random(20261121);  // NOLINT: a fixed seed on purpose
  std::size_t taken = 0;
  for (int i = 0; i < 60000; ++i) {
    const bool request = i % 2 == 0;
    const auto& seeds = request ? kRequests : kResponses;
    std::string head = seeds[random() % seeds.size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % head.size();
      const char octet = random() % 4 == 0 ? static_cast<char>(random() % 256)
                                           : kOctets[random() % kOctets.size()];
      switch (random() % 3) {
        case 0: head[at] = octet; break;
        case 1: head.insert(at, 1, octet); break;
        default: head.erase(at, 1 + random() % 2); break;
      }
    }
    taken += (request ? agrees_request(head) : agrees_response(head)) ? 1U : 0U;
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
  EXPECT_GT(taken, 5000U) << "the changes leave too few heads plain to prove anything";
}

}  // namespace
}  // namespace pilotfish::http
