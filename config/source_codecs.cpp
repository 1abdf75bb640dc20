#include <algorithm>
#include <set>

#include "config/codecs.hpp"
#include "config/names.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

FieldTable<Instance> instance_table() {
  FieldTable<Instance> t;
  t.required("address", &Instance::endpoint, endpoint(false), "address: 10.0.0.1:80",
             "The instance; an IP literal.");
  t.field("weight", &Instance::weight, number(0, 65535),
          "Its share; 0 gets traffic only when nothing else is left.");
  t.field("priority", &Instance::priority, number(0, 65535),
          "All instances of a lower number come first.");
  return t;
}

/// The value as one text, or as a map of keys.
template <typename V>
Codec<V> text_or_map(std::string type, Codec<V> as_text, Codec<V> as_map) {
  auto read = [as_text, as_map](const Scope& scope, const Node& node, V& out) {
    return (node.kind == Node::Kind::kMap ? as_map : as_text).read(scope, node, out);
  };
  return {std::move(type), std::move(read), as_map.write, as_map.inside, {}};
}

/// `read`, then a refusal of elements that equal an earlier one by `key`.
template <typename V, typename Key>
Codec<std::vector<V>> without_repeats(Codec<std::vector<V>> codec, std::string what, Key key) {
  codec.read = [inner = codec.read, what = std::move(what), key](
                   const Scope& scope, const Node& node, std::vector<V>& out) {
    if (!inner(scope, node, out)) {
      return false;
    }
    std::set<decltype(key(out.front()))> before;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!before.insert(key(out[i])).second) {
        return scope.fail(node.item_at(i), what + " is given twice; keep one");
      }
    }
    return true;
  };
  return codec;
}

}  // namespace

Codec<ConsulTarget> consul_target() {
  const auto service = name("service name", wrong_with_label);
  FieldTable<ConsulTarget> t;
  t.required("service", &ConsulTarget::service, service, "service: billing",
             "The service's name in Consul.");
  t.field("datacenter", &ConsulTarget::datacenter, name("datacenter", wrong_with_datacenter),
          "Where to look for it.")
      .otherwise("the agent's own");
  auto as_map = t.codec();
  Codec<ConsulTarget> as_text = as_map;
  as_text.read = [service](const Scope& scope, const Node& node, ConsulTarget& out) {
    return service.read(scope, node, out.service);
  };
  auto out = text_or_map<ConsulTarget>("service name, or map", as_text, as_map);
  out.write = [as_map, service](const ConsulTarget& value) {
    return value.datacenter.empty() ? service.write(value.service) : as_map.write(value);
  };
  return out;
}

Codec<std::vector<std::string>> srv_names() {
  auto codec = list_of(dns_name(), true);
  codec.type = "DNS name, or list of names as tiers";
  return without_repeats<std::string>(codec, "this name",
                                      [](const auto& value) { return to_lower(value); });
}

Codec<InstanceList> static_instances() {
  const auto as_map = instance_table().codec();
  auto as_text = as_map;
  as_text.read = [address = endpoint(false)](const Scope& scope, const Node& node, Instance& out) {
    return address.read(scope, node, out.endpoint);
  };
  auto codec = list_of(text_or_map<Instance>("address or map", as_text, as_map), true);
  codec.type = "list of IP:PORT, or maps";
  return without_repeats<Instance>(codec, "this address",
                                   [](const Instance& value) { return value.endpoint; });
}

}  // namespace pilotfish::config
