#include "core/tier_answer.hpp"

namespace pilotfish {

std::string_view to_string(LookupResult result) {
  switch (result) {
    case LookupResult::kOk: return "ok";
    case LookupResult::kNxdomain: return "nxdomain";
    case LookupResult::kEmpty: return "empty";
    case LookupResult::kServfail: return "servfail";
    case LookupResult::kRefused: return "refused";
    case LookupResult::kUnreachable: return "unreachable";
    case LookupResult::kTimeout: return "timeout";
    case LookupResult::kMalformed: return "malformed";
  }
  return "unknown";
}

std::string_view to_string(Transport transport) {
  switch (transport) {
    case Transport::kUdp: return "udp";
    case Transport::kTcp: return "tcp";
    case Transport::kApi: return "api";
    case Transport::kWatch: return "watch";
    case Transport::kStatic: return "static";
  }
  return "unknown";
}

}  // namespace pilotfish
