#include "proxy/tier_identity.hpp"

#include <algorithm>

#include "resolver/tier_names.hpp"

namespace pilotfish::proxy {

std::vector<std::string> tier_identities(const resolver::Source& source,
                                         const std::string& consul_domain) {
  if (std::holds_alternative<resolver::StaticSource>(source)) {
    return {"static"};
  }
  const std::string kind = std::holds_alternative<resolver::ConsulSource>(source)  ? "consul"
                           : std::holds_alternative<resolver::HostsSource>(source) ? "hosts"
                                                                                   : "srv";
  std::vector<std::string> out;
  for (const auto& plan : resolver::plan_tiers(source, consul_domain)) {
    std::string identity = kind;
    for (const auto& name : plan.names) {
      identity += " " + name.text + (name.port == 0 ? "" : ":" + std::to_string(name.port));
    }
    for (const auto& tag : plan.wants.without) {
      identity += " not " + tag;
    }
    for (const auto& [key, value] : plan.wants.meta) {
      identity += " " + key + "=" + value;
    }
    out.push_back(std::move(identity));
  }
  return out;
}

std::vector<int> match_tiers(const std::vector<std::string>& known,
                             const std::vector<std::string>& fresh) {
  std::vector<int> out;
  for (const auto& identity : fresh) {
    int place = -1;
    for (std::size_t i = 0; i < known.size() && place < 0; ++i) {
      const bool used = std::ranges::find(out, static_cast<int>(i)) != out.end();
      place = known[i] == identity && !used ? static_cast<int>(i) : -1;
    }
    out.push_back(place);
  }
  return out;
}

}  // namespace pilotfish::proxy
