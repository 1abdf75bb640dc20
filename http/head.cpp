#include "http/head.hpp"

#include <algorithm>

namespace pilotfish::http {

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

Known known_field(std::string_view name) {
  // By length first: nearly every field is told apart without comparing a letter.
  switch (name.size()) {
    case 2: return iequals(name, "te") ? Known::kTe : Known::kOther;
    case 3: return iequals(name, "via") ? Known::kVia : Known::kOther;
    case 4:
      return iequals(name, "host")   ? Known::kHost
             : iequals(name, "date") ? Known::kDate
                                     : Known::kOther;
    case 6: return iequals(name, "expect") ? Known::kExpect : Known::kOther;
    case 7:
      return iequals(name, "upgrade")   ? Known::kUpgrade
             : iequals(name, "trailer") ? Known::kTrailer
                                        : Known::kOther;
    case 10:
      return iequals(name, "connection")   ? Known::kConnection
             : iequals(name, "keep-alive") ? Known::kKeepAlive
                                           : Known::kOther;
    case 12: return iequals(name, "max-forwards") ? Known::kMaxForwards : Known::kOther;
    case 14:
      return iequals(name, "content-length")   ? Known::kContentLength
             : iequals(name, "http2-settings") ? Known::kHttp2Settings
                                               : Known::kOther;
    case 15: return iequals(name, "x-forwarded-for") ? Known::kForwardedFor : Known::kOther;
    case 16: return iequals(name, "proxy-connection") ? Known::kProxyConnection : Known::kOther;
    case 17: return iequals(name, "transfer-encoding") ? Known::kTransferEncoding : Known::kOther;
    case 18: return iequals(name, "proxy-authenticate") ? Known::kProxyAuthenticate : Known::kOther;
    case 19:
      return iequals(name, "proxy-authorization") ? Known::kProxyAuthorization : Known::kOther;
    default: return Known::kOther;
  }
}

void RequestHead::clear() {
  auto kept = std::move(fields);
  kept.clear();
  *this = RequestHead{};
  fields = std::move(kept);
}

void ResponseHead::clear() {
  auto kept = std::move(fields);
  kept.clear();
  *this = ResponseHead{};
  fields = std::move(kept);
}

}  // namespace pilotfish::http
