// Whatever a head or a trailer section looks like, it costs time in proportion to its bytes: each
// shape at 16 KiB and at four times that, by the thread's own CPU time. (limits.head may be 16 MiB,
// so the shapes have no size of their own; trailers and extensions end at 16 KiB.)
#include <algorithm>
#include <ctime>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "http/chunked.hpp"
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "http/head_scan.hpp"

namespace pilotfish::http {
namespace {

constexpr std::size_t kSize = 16UL * 1024;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double least_time(const std::function<void()>& work, int times) {
  double least = std::numeric_limits<double>::max();
  for (int i = 0; i < times; ++i) {
    const double before = cpu_seconds();
    work();
    least = std::min(least, cpu_seconds() - before);
  }
  return least;
}

/// `make(size)` gives the work for that many bytes. Four times as many take four times as long;
/// what is quadratic takes sixteen times.
void expect_linear(const std::string& what,
                   const std::function<std::function<void()>(std::size_t)>& make,
                   std::size_t size) {
  double ratio = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {  // a busy machine gets another chance
    const double small = least_time(make(size), 3);
    const double large = least_time(make(4 * size), 2);
    ratio = large / small;
    if (ratio < 8) {
      return;
    }
  }
  ADD_FAILURE() << what << ": four times the bytes cost " << ratio << " times as much";
}

/// Lines of fields that fill `size` bytes, the n-th made by `line`.
std::string lines(std::size_t size, const std::function<std::string(std::size_t)>& line) {
  std::string out;
  for (std::size_t n = 0; out.size() < size; ++n) {
    out += line(n) + "\r\n";
  }
  return out;
}

/// "name: t0, t1, ..." of `size` bytes.
std::string list(const std::string& name, std::size_t size, const std::string& between = ",") {
  std::string out = name + ": x";
  for (std::size_t n = 0; out.size() < size; ++n) {
    out += between + "t" + std::to_string(n);
  }
  return out + "\r\n";
}

std::string numbered(std::size_t n) {
  return "t" + std::to_string(n) + ": b";
}

using Shape = std::pair<std::string, std::function<std::string(std::size_t)>>;

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all{
      {"Connection names many, among many fields",
       [](std::size_t n) { return list("Connection", n / 2) + lines(n / 2, numbered); }},
      {"many Connection lines, among many fields",
       [](std::size_t n) {
         return lines(n / 2, [](std::size_t i) { return "Connection: t" + std::to_string(i); }) +
                lines(n / 2, numbered);
       }},
      {"Connection names one field again and again",
       [](std::size_t n) {
         std::string out = "Connection: a";
         while (out.size() < n / 2) {
           out += ",a";
         }
         return out + "\r\n" + lines(n / 2, [](std::size_t) { return std::string("a:b"); });
       }},
      {"Connection is no list",
       [](std::size_t n) { return list("Connection", n / 2, ";") + lines(n / 2, numbered); }},
      {"short fields", [](std::size_t n) { return lines(n, [](std::size_t) { return "a:b"; }); }},
      {"empty fields", [](std::size_t n) { return lines(n, [](std::size_t) { return "a:"; }); }},
      {"one long value", [](std::size_t n) { return "a: " + std::string(n, 'b') + "\r\n"; }},
      {"one long name", [](std::size_t n) { return std::string(n, 'a') + ": b\r\n"; }},
      {"blanks", [](std::size_t n) { return "a: " + std::string(n, ' ') + "\r\n"; }},
      {"many X-Forwarded-For",
       [](std::size_t n) {
         return lines(n, [](std::size_t) { return "X-Forwarded-For: 1.1.1.1"; });
       }},
      {"many TE", [](std::size_t n) { return lines(n, [](std::size_t) { return "TE: a,b"; }); }},
      {"a long TE", [](std::size_t n) { return list("TE", n); }},
      {"many protocols to upgrade to",
       [](std::size_t n) { return "Connection: upgrade\r\n" + list("Upgrade", n); }},
      {"many Upgrade lines",
       [](std::size_t n) {
         return "Connection: upgrade\r\n" +
                lines(n, [](std::size_t i) { return "Upgrade: t" + std::to_string(i); });
       }},
      {"a long coding", [](std::size_t n) { return list("Transfer-Encoding", n); }},
      {"many codings",
       [](std::size_t n) { return lines(n, [](std::size_t) { return "Transfer-Encoding: a"; }); }},
      {"many lengths",
       [](std::size_t n) { return lines(n, [](std::size_t) { return "Content-Length: 0"; }); }},
      {"many hosts", [](std::size_t n) { return lines(n, [](std::size_t) { return "Host: a"; }); }},
      {"a long host", [](std::size_t n) { return "Host: " + std::string(n, 'a') + ".b\r\n"; }},
      {"bytes beyond ASCII", [](std::size_t n) { return "a: " + std::string(n, '\xc3') + "\r\n"; }},
  };
  return all;
}

/// As a session does it with what arrived in one piece.
void pass_request(const std::string& bytes) {
  HeadScan scan;
  RequestHead head;
  if (scan.scan(bytes) == HeadScan::State::kFound && parse_request(bytes, head) == Refusal::kNone) {
    std::string out;
    write_request(head, {.client_address = "10.1.1.1", .fallback_host = "b"}, out);
    write_trace(head, out);
  }
}

void pass_response(const std::string& bytes, const RequestHead& request) {
  HeadScan scan;
  ResponseHead head;
  if (scan.scan(bytes) == HeadScan::State::kFound &&
      parse_response(bytes, Method::kGet, head) == Refusal::kNone) {
    (void)was_offered(request, head);
    std::string out;
    write_response(head, {.framing = head.framing}, out);
  }
}

TEST(Linear, RequestHeads) {
  for (const auto& [name, fields] : shapes()) {
    expect_linear(
        name,
        [&fields = fields](std::size_t size) {
          return [bytes = "GET / HTTP/1.1\r\nHost: a\r\n" + fields(size) + "\r\n"] {
            pass_request(bytes);
          };
        },
        kSize);
  }
  for (const std::string before : {"GET /", "GET http://", "OPTIONS http://a/", "A"}) {
    expect_linear(
        "a long line " + before,
        [&before](std::size_t size) {
          return [bytes = before + std::string(size, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"] {
            pass_request(bytes);
          };
        },
        kSize);
  }
}

TEST(Linear, AnswerHeads) {
  for (const auto* const line : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 101 X\r\n"}) {
    for (const auto& [name, fields] : shapes()) {
      expect_linear(
          line + name,
          [&fields = fields, line](std::size_t size) {
            const auto offers = fields(size);
            return [bytes = line + fields(size) + "\r\n",
                    asked = "GET / HTTP/1.1\r\nHost: a\r\n" + offers + "\r\n"] {
              RequestHead request;
              (void)parse_request(asked, request);
              pass_response(bytes, request);
            };
          },
          kSize);
    }
  }
}

TEST(Linear, TrailersAndExtensions) {
  for (const auto& [name, fields] : shapes()) {
    expect_linear(
        name,
        [&fields = fields](std::size_t size) {
          const auto named = list("Connection", size);
          return [bytes = fields(size) + "\r\n", named = named.substr(12)] {
            std::vector<Field> kept;
            (void)good_trailers(bytes);
            if (parse_trailers(bytes, kept)) {
              std::string out;
              write_trailers(kept, HopByHop(named), out);
            }
          };
        },
        kSize);
  }
  // Bytes one by one, as a client may send them.
  for (const std::string repeated : {"5;a=b\r\nhello\r\n", "1\r\na\r\n"}) {
    expect_linear(
        repeated,
        [&repeated](std::size_t size) {
          return [bytes = lines(
                      size, [&](std::size_t) { return repeated.substr(0, repeated.size() - 2); })] {
            ChunkedDecoder decoder;
            for (char c : bytes) {
              (void)decoder.decode({&c, 1});
            }
          };
        },
        4UL << 10U);
  }
}

TEST(NameSet, FindsEachOfManyInAnyCase) {
  for (const std::size_t count : {0UL, 1UL, 8UL, 9UL, 1000UL}) {
    NameSet names;
    std::string text;
    for (std::size_t n = 0; n < count; ++n) {
      text += (n == 0 ? "Name-" : " ,, NAME-") + std::to_string(n);
    }
    names.add_list(text);
    names.seal();
    EXPECT_EQ(names.empty(), count == 0);
    for (std::size_t n = 0; n < count; ++n) {
      EXPECT_TRUE(names.contains("name-" + std::to_string(n))) << n << " of " << count;
    }
    EXPECT_FALSE(names.contains("name-" + std::to_string(count)));
    EXPECT_FALSE(names.contains(""));
  }
}

}  // namespace
}  // namespace pilotfish::http
