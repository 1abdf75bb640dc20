#include "proxy/foreign_protocol.hpp"

namespace pilotfish::proxy {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kHttp2Advice =
    "this port speaks HTTP/1.1 so far: HTTP/2 is not built yet. Let the client use HTTP/1.1, or "
    "set protocol: tcp, which passes HTTP/2 and gRPC through";
constexpr std::string_view kTlsAdvice =
    "this port is plain: TLS on it (listen.tls) is not built yet. Let the client use http:// "
    "instead of https://, or set protocol: tcp, which passes TLS through to instances that speak "
    "it";

}  // namespace

Foreign foreign_protocol(std::string_view first) {
  constexpr auto kPreface = "PRI * HTTP/2.0\r\n"sv;
  if (first.starts_with(kPreface)) {
    return Foreign::kHttp2;
  }
  // Alert or handshake, of any version so far.
  const bool record = first.size() >= 3 && (first[0] == '\x15' || first[0] == '\x16') &&
                      first[1] == '\x03' && static_cast<unsigned char>(first[2]) <= 4;
  return record ? Foreign::kTls : Foreign::kNone;
}

std::string_view foreign_advice(Foreign protocol) {
  return protocol == Foreign::kTls ? kTlsAdvice : kHttp2Advice;
}

}  // namespace pilotfish::proxy
