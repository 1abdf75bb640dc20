#pragma once

#include <string>
#include <string_view>

#include "registry/options.hpp"

namespace pilotfish::registry {

/// The last segment of a record's key: it becomes a DNS label, so that dots, colons and whatever
/// else a label cannot hold become dashes, letters are lowered (CoreDNS asks in lower case) and
/// what is longer than 63 characters is cut and told apart by a digest.
std::string skydns_label(std::string_view id);

/// Where CoreDNS looks for the records of `srv`: `_web._tcp.prom.local` under `/skydns` is
/// `/skydns/local/prom/_tcp/_web/<label of id>`. Empty where `srv` has no label.
std::string skydns_key(std::string_view prefix, std::string_view srv, std::string_view id);

/// {"host","port","priority","weight"} and "ttl" where one is set.
std::string skydns_value(const Announcement& announcement, std::string_view host);

}  // namespace pilotfish::registry
