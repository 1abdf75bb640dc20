#include "registry/consul_codec.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "registry/json.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {
namespace {

namespace json = boost::json;

std::string_view check_type(CheckKind kind) {
  switch (kind) {
    case CheckKind::kHttp: return "http";
    case CheckKind::kTcp: return "tcp";
    case CheckKind::kTtl: return "ttl";
    case CheckKind::kNone: break;
  }
  return {};
}

json::object encode_check(const ConsulService& service, bool passing) {
  const auto& check = service.check;
  json::object out;
  out["CheckID"] = service.check_id();
  out["Name"] = "Service '" + service.name + "' check";
  if (check.kind == CheckKind::kTtl) {
    out["TTL"] = go_duration(check.ttl);
  } else {
    out[check.kind == CheckKind::kHttp ? "HTTP" : "TCP"] = check.target;
    out["Interval"] = go_duration(check.interval);
    out["Timeout"] = go_duration(check.timeout);
  }
  if (check.deregister_after > Duration::zero()) {
    out["DeregisterCriticalServiceAfter"] = go_duration(check.deregister_after);
  }
  if (passing) {
    out["Status"] = "passing";
  }
  return out;
}

std::vector<std::string> sorted(std::vector<std::string> tags) {
  std::sort(tags.begin(), tags.end());
  return tags;
}

std::uint32_t weight_of(const json::value& weights, std::string_view key) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(number_of(weights, key).value_or(1), 0, UINT32_MAX));
}

}  // namespace

bool KnownService::critical(const std::string& check_id) const {
  const auto found = checks.find(check_id);
  return found != checks.end() && found->second.status == "critical";
}

ConsulService consul_service(const Announcement& announcement, std::string_view node_address) {
  ConsulService service;
  const auto address = announcement.address.empty() ? node_address : announcement.address;
  service.id = service_id(announcement.name, address, announcement.port);
  service.name = announcement.name;
  service.address = announcement.address;
  service.port = announcement.port;
  service.tags = announcement.tags;
  service.meta = announcement.meta;
  service.meta.erase(std::string(kOwnerKey));  // ours; it would differ for ever
  service.weights = announcement.weights;
  service.check = announcement.check;
  return service;
}

std::string encode_registration(const ConsulService& service, std::string_view owner,
                                bool passing) {
  json::object out;
  out["ID"] = service.id;
  out["Name"] = service.name;
  out["Port"] = service.port;
  if (!service.address.empty()) {
    out["Address"] = service.address;
  }
  json::array tags;
  for (const auto& tag : service.tags) {
    tags.emplace_back(tag);
  }
  out["Tags"] = std::move(tags);
  json::object meta;
  for (const auto& [key, value] : service.meta) {
    meta[key] = value;
  }
  if (!owner.empty()) {
    meta[kOwnerKey] = owner;
  }
  out["Meta"] = std::move(meta);
  out["Weights"] = {{"Passing", service.weights.passing}, {"Warning", service.weights.warning}};
  if (service.check.kind != CheckKind::kNone) {
    out["Check"] = encode_check(service, passing);
  }
  return json::serialize(out);
}

std::optional<KnownService> decode_agent_health(std::string_view body) {
  const auto root = parse_json(body);
  const auto* service = root ? member(*root, "Service") : nullptr;
  if (service == nullptr || !service->is_object() || text_of(*service, "ID").empty()) {
    return std::nullopt;
  }
  KnownService known;
  known.id = text_of(*service, "ID");
  known.name = text_of(*service, "Service");
  known.address = text_of(*service, "Address");
  known.port = number_of(*service, "Port").value_or(0);
  if (const auto* tags = member(*service, "Tags"); tags != nullptr && tags->is_array()) {
    for (const auto& tag : tags->get_array()) {
      if (tag.is_string()) {
        known.tags.emplace_back(tag.get_string());
      }
    }
  }
  if (const auto* meta = member(*service, "Meta"); meta != nullptr && meta->is_object()) {
    for (const auto& [key, value] : meta->get_object()) {
      if (value.is_string() && std::string_view(key) == kOwnerKey) {
        known.owner = value.get_string();
      } else if (value.is_string()) {
        known.meta.emplace(key, value.get_string());
      }
    }
  }
  if (const auto* weights = member(*service, "Weights"); weights != nullptr) {
    known.weights = Weights{weight_of(*weights, "Passing"), weight_of(*weights, "Warning")};
  }
  if (const auto* checks = member(*root, "Checks"); checks != nullptr && checks->is_array()) {
    for (const auto& check : checks->get_array()) {
      known.checks.emplace(
          text_of(check, "CheckID"),
          KnownCheck{std::string(text_of(check, "Type")), std::string(text_of(check, "Status"))});
    }
  }
  return known;
}

std::optional<std::string> decode_member_address(std::string_view body) {
  const auto root = parse_json(body);
  const auto* found = root ? member(*root, "Member") : nullptr;
  const auto address = found == nullptr ? std::string_view{} : text_of(*found, "Addr");
  return address.empty() ? std::nullopt : std::optional<std::string>(address);
}

std::string difference(const ConsulService& wanted, const KnownService& known) {
  std::string out;
  const auto note = [&out](bool differs, std::string_view what) {
    if (differs) {
      out += (out.empty() ? "" : ", ") + std::string(what);
    }
  };
  note(wanted.name != known.name, "name");
  note(wanted.address != known.address, "address");
  note(wanted.port != known.port, "port");
  note(sorted(wanted.tags) != sorted(known.tags), "tags");
  note(wanted.meta != known.meta, "meta");
  note(known.weights && wanted.weights != *known.weights, "weights");
  if (wanted.check.kind != CheckKind::kNone) {
    const auto check = known.checks.find(wanted.check_id());
    note(check == known.checks.end() ||
             (!check->second.type.empty() && check->second.type != check_type(wanted.check.kind)),
         "check");
  }
  return out;
}

}  // namespace pilotfish::registry
