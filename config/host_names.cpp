// hosts: names with a port.
#include "config/host_names.hpp"

#include <set>
#include <utility>

#include "config/names.hpp"
#include "core/ip_address.hpp"

namespace pilotfish::config {
namespace {

Parsed<resolver::HostPort> parse_host_port(std::string_view text) {
  const bool bare = IpAddress::parse(text).has_value();
  const auto parts = split_host_port(text);
  if (bare || text.starts_with('[') || (parts && IpAddress::parse(parts->host))) {
    return Mistake{"is an address, and hosts: looks names up; write it under static: instead"};
  }
  if (!parts) {
    return Mistake{"has no port; write NAME:PORT, like app.internal:8080"};
  }
  const auto port = parse_port(parts->port);
  if (!port) {
    return Mistake{"has a bad port; write a port from 1 to 65535"};
  }
  if (const auto wrong = wrong_with_dns_name(parts->host); !wrong.empty()) {
    return Mistake{wrong};
  }
  auto name = std::string(parts->host);
  if (name.ends_with('.')) {
    name.pop_back();
  }
  return resolver::HostPort{std::move(name), *port};
}

}  // namespace

Codec<std::vector<resolver::HostPort>> host_names() {
  auto codec = list_of(text_codec<resolver::HostPort>(
                           "NAME:PORT", parse_host_port,
                           [](const resolver::HostPort& value) -> std::optional<Node> {
                             return Node::scalar(value.name + ":" + std::to_string(value.port));
                           }),
                       true);
  codec.type = "NAME:PORT, or list of them as tiers";
  codec.read = [inner = codec.read](const Scope& scope, const Node& node,
                                    std::vector<resolver::HostPort>& out) {
    if (!inner(scope, node, out)) {
      return false;
    }
    std::set<std::pair<std::string, std::uint16_t>> before;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!before.emplace(to_lower(out[i].name), out[i].port).second) {
        return scope.fail(node.items[i].at, "this name is given twice; keep one");
      }
    }
    return true;
  };
  return codec;
}

}  // namespace pilotfish::config
