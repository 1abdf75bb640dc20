#include <map>
#include <set>
#include <tuple>

#include "config/names.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

constexpr std::size_t kLongestName = 253;

/// The place of root.section.name.key; of the nearest level that is there.
Position place(const Node& root, std::string_view section, std::string_view name,
               std::string_view key) {
  const auto* map = root.find(section);
  if (map == nullptr) {
    return {};
  }
  for (const auto& entry : map->entries) {
    if (entry.key == name) {
      const auto* value = entry.value.find(key);
      return value == nullptr ? entry.key_at : value->at;
    }
  }
  return map->at;
}

class ListenRule {
 public:
  void add(const std::string& owner, const proxy::ListenAddress& listen, const Scope& scope,
           Position at) {
    if (listen.inherited.empty() && listen.endpoint.port == 0) {
      return;  // any free port, or an address that was reported already
    }
    for (const auto& [other, taken] : taken_) {
      if (overlap(taken, listen)) {
        scope.fail(at, quote(listen.to_string()) + " is taken by " + other +
                           (taken == listen ? "" : " (" + taken.to_string() + ")") +
                           "; give each an address of its own");
        return;
      }
    }
    taken_.emplace_back(owner, listen);
  }

 private:
  static bool overlap(const proxy::ListenAddress& a, const proxy::ListenAddress& b) {
    if (a == b) {
      return true;
    }
    const auto& x = a.endpoint;
    const auto& y = b.endpoint;
    return a.inherited.empty() && b.inherited.empty() && x.port == y.port &&
           x.address.is_v4() == y.address.is_v4() &&
           (x.address.is_unspecified() || y.address.is_unspecified());
  }

  std::vector<std::pair<std::string, proxy::ListenAddress>> taken_;
};

void check_listens(const Scope& scope, const Node& root, const RootOptions& options) {
  ListenRule rule;
  if (options.admin.listen) {
    rule.add("admin", {*options.admin.listen, {}}, scope, {});
  }
  for (const auto& upstream : options.upstreams) {
    const auto at = place(root, "upstreams", upstream.name, "listen");
    rule.add("upstreams." + upstream.name, upstream.listen,
             scope.child("upstreams." + upstream.name + ".listen", at), at);
  }
}

/// What is asked: TAG.SERVICE.service[.DATACENTER].DOMAIN.
void check_consul_names(const Scope& scope, const Node& root, const RootOptions& options) {
  for (const auto& upstream : options.upstreams) {
    const auto* source = std::get_if<resolver::ConsulSource>(&upstream.source);
    if (source == nullptr) {
      continue;
    }
    for (const auto& tier : source->tiers) {
      for (const auto& tag : tier.tags) {
        const auto name = tag + "." + source->service + ".service." + source->datacenter + "." +
                          options.consul_dns.domain;
        if (name.size() > kLongestName) {
          scope.fail(place(root, "upstreams", upstream.name, "prefer"),
                     "upstreams." + upstream.name + ".prefer: tag " + quote(tag) +
                         " makes a DNS name longer than 253; use a shorter one");
        }
      }
    }
  }
}

void check_announcement_name(const Scope& scope, const Node& root,
                             const registry::Announcement& entry) {
  const auto at = place(root, "register", entry.key, "name");
  const auto path = "register." + entry.key;
  if (entry.name == entry.key && is_plain_name(entry.key)) {
    if (const auto wrong = wrong_with_label(entry.name); !wrong.empty()) {
      scope.fail(at, path + ": the name " + quote(entry.name) + " " + wrong + "; add name:");
      return;
    }
  }
  // In etcd the id is one label: name, address and port, with dashes between.
  const auto address = entry.address.empty() ? std::size_t{15} : entry.address.size();
  if (entry.in == registry::RegisterIn::kEtcd && entry.name.size() + address + 7 > 63) {
    scope.fail(at, path + ": name and address are too long for one DNS label (63); shorten " +
                       quote(entry.name));
  }
}

void check_announcements(const Scope& scope, const Node& root, const RootOptions& options) {
  using Identity =
      std::tuple<registry::RegisterIn, std::string, std::string, std::string, bool, std::uint16_t>;
  std::map<Identity, std::string> ids;
  for (const auto& entry : options.announcements) {
    const auto path = "register." + entry.key;
    check_announcement_name(scope, root, entry);
    if (entry.self && !options.admin.listen) {
      scope.fail(place(root, "register", entry.key, "self"),
                 path +
                     ".self: the sidecar announces its admin port, and admin is off; give "
                     "admin an address");
    }
    if (!entry.self && entry.port == 0) {
      continue;  // reported already
    }
    const Identity id{entry.in, entry.srv, entry.name, entry.address, entry.self, entry.port};
    const auto [other, is_new] = ids.emplace(id, entry.key);
    if (!is_new) {
      scope.fail(place(root, "register", entry.key, ""),
                 path + ": has the name, address and port of register." + other->second +
                     "; the later one would replace it");
    }
  }
}

}  // namespace

void check_rules(const Scope& scope, const Node& root, const RootOptions& options) {
  check_listens(scope, root, options);
  check_consul_names(scope, root, options);
  check_announcements(scope, root, options);
}

}  // namespace pilotfish::config
