// Heads of HTTP/1.1 messages: found, digested, written anew. The real functions of the data path,
// in the order it calls them.
#include <benchmark/benchmark.h>
#include <string>
#include <string_view>

#include "bench/micro/groups.hpp"
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "http/head_scan.hpp"

namespace pilotfish::micro {
namespace {

constexpr std::string_view kSmallRequest =
    "GET /hello HTTP/1.1\r\nHost: billing\r\nUser-Agent: wrk\r\n\r\n";
constexpr std::string_view kBrowserRequest =
    "GET /orders/4711?expand=items&page=2 HTTP/1.1\r\n"
    "Host: billing.example.com\r\n"
    "Connection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "X-Forwarded-For: 192.0.2.7\r\n"
    "X-Request-Id: 5f0c9d0e-2f4b-4c55-9f6d-6f1e7a5b3c21\r\n"
    "Cache-Control: no-cache\r\n\r\n";
constexpr std::string_view kSmallResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n";
constexpr std::string_view kServerResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: gunicorn\r\n"
    "Date: Sat, 21 Nov 2026 08:00:00 GMT\r\n"
    "Connection: keep-alive\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 2326\r\n"
    "Vary: Accept-Encoding, Cookie\r\n"
    "ETag: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"\r\n"
    "Set-Cookie: session=0123456789abcdef; Path=/; HttpOnly; Secure\r\n"
    "Strict-Transport-Security: max-age=31536000\r\n\r\n";

void scan(benchmark::State& state, std::string_view bytes) {
  for (auto _ : state) {
    http::HeadScan scan;
    benchmark::DoNotOptimize(scan.scan(bytes));
  }
}

void parse_request(benchmark::State& state, std::string_view bytes) {
  http::RequestHead head;
  for (auto _ : state) {
    if (http::parse_request(bytes, head) != http::Refusal::kNone) {
      state.SkipWithError("the head is refused");
      return;
    }
    benchmark::DoNotOptimize(head);
  }
}

void write_request(benchmark::State& state, std::string_view bytes) {
  http::RequestHead head;
  if (http::parse_request(bytes, head) != http::Refusal::kNone) {
    state.SkipWithError("the head is refused");
    return;
  }
  std::string out;
  for (auto _ : state) {
    out.clear();
    http::write_request(head, {.client_address = "127.0.0.1", .fallback_host = "billing"}, out);
    benchmark::DoNotOptimize(out);
  }
}

void parse_response(benchmark::State& state, std::string_view bytes) {
  http::ResponseHead head;
  for (auto _ : state) {
    if (http::parse_response(bytes, http::Method::kGet, head) != http::Refusal::kNone) {
      state.SkipWithError("the head is refused");
      return;
    }
    benchmark::DoNotOptimize(head);
  }
}

void write_response(benchmark::State& state, std::string_view bytes) {
  http::ResponseHead head;
  if (http::parse_response(bytes, http::Method::kGet, head) != http::Refusal::kNone) {
    state.SkipWithError("the head is refused");
    return;
  }
  std::string out;
  for (auto _ : state) {
    out.clear();
    http::write_response(head, {.framing = http::Framing::kLength}, out);
    benchmark::DoNotOptimize(out);
  }
}

}  // namespace

void register_heads() {
  const auto both = [](const std::string& what, auto function, std::string_view small,
                       std::string_view large, const char* large_name) {
    benchmark::RegisterBenchmark((what + "/small").c_str(), function, small);
    benchmark::RegisterBenchmark((what + "/" + large_name).c_str(), function, large);
  };
  both("request_scan", scan, kSmallRequest, kBrowserRequest, "browser");
  both("request_parse", parse_request, kSmallRequest, kBrowserRequest, "browser");
  both("request_rewrite", write_request, kSmallRequest, kBrowserRequest, "browser");
  both("response_scan", scan, kSmallResponse, kServerResponse, "server");
  both("response_parse", parse_response, kSmallResponse, kServerResponse, "server");
  both("response_rewrite", write_response, kSmallResponse, kServerResponse, "server");
}

}  // namespace pilotfish::micro
