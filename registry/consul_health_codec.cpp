#include "registry/consul_health_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pilotfish::registry {
namespace {

namespace json = boost::json;

enum class Status : std::uint8_t { kPassing, kWarning, kCritical, kMaintenance };

Status aggregate(const json::value& entry) {
  const auto* checks = member(entry, "Checks");
  if (checks == nullptr || !checks->is_array()) {
    return Status::kPassing;
  }
  auto status = Status::kPassing;
  for (const auto& check : checks->get_array()) {
    const auto id = text_of(check, "CheckID");
    const auto text = text_of(check, "Status");
    if (id == "_node_maintenance" || id.starts_with("_service_maintenance:")) {
      return Status::kMaintenance;
    }
    const auto one = text == "passing"   ? Status::kPassing
                     : text == "warning" ? Status::kWarning
                                         : Status::kCritical;
    status = std::max(status, one);
  }
  return status;
}

bool is_out(Status status) {
  return status == Status::kCritical || status == Status::kMaintenance;
}

std::uint32_t weight_of(const json::value& service, Status status) {
  const auto* weights = member(service, "Weights");
  const auto weight = weights == nullptr
                          ? std::nullopt
                          : number_of(*weights, status == Status::kPassing ? "Passing" : "Warning");
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(weight.value_or(1), 0, 65535));
}

std::vector<std::string> tags_of(const json::value& service) {
  std::vector<std::string> out;
  if (const auto* tags = member(service, "Tags"); tags != nullptr && tags->is_array()) {
    for (const auto& tag : tags->get_array()) {
      if (tag.is_string()) {
        out.emplace_back(tag.get_string());
      }
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

resolver::InstanceDetail detail_of(const json::value& entry, const Endpoint& endpoint) {
  resolver::InstanceDetail out{endpoint, {}, {}};
  if (const auto* node = member(entry, "Node"); node != nullptr) {
    out.node = text_of(*node, "Node");
  }
  const auto* service = member(entry, "Service");
  const auto* meta = service == nullptr ? nullptr : member(*service, "Meta");
  if (meta != nullptr && meta->is_object()) {
    for (const auto& one : meta->get_object()) {
      if (one.value().is_string()) {
        out.meta.emplace_back(one.key(), one.value().get_string());
      }
    }
  }
  std::sort(out.meta.begin(), out.meta.end());
  return out;
}

std::optional<Instance> decode_instance(const json::value& entry, Status status) {
  const auto* service = member(entry, "Service");
  if (service == nullptr || !service->is_object()) {
    return std::nullopt;
  }
  auto text = text_of(*service, "Address");
  if (const auto* node = member(entry, "Node"); text.empty() && node != nullptr) {
    text = text_of(*node, "Address");
  }
  const auto address = IpAddress::parse(text);
  const auto port = number_of(*service, "Port").value_or(0);
  if (!address || address->is_unspecified() || port < 1 || port > 65535) {
    return std::nullopt;
  }
  Instance instance;
  instance.endpoint = Endpoint{*address, static_cast<std::uint16_t>(port)};
  instance.weight = weight_of(*service, status);
  instance.priority = 1;
  instance.tags = tags_of(*service);
  return instance;
}

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<HealthListing> decode_health(std::string_view body, std::size_t max_size) {
  const auto root = parse_json(body, max_size);
  if (!root || !root->is_array()) {
    return std::nullopt;
  }
  HealthListing listing;
  for (const auto& entry : root->get_array()) {
    const auto status = aggregate(entry);
    if (is_out(status)) {
      ++listing.excluded;
    } else if (auto instance = decode_instance(entry, status)) {
      listing.details.push_back(detail_of(entry, instance->endpoint));
      listing.instances.push_back(std::move(*instance));
    } else {
      ++listing.skipped;
    }
  }
  normalise(listing.instances);
  auto& details = listing.details;
  std::ranges::stable_sort(details, {}, &resolver::InstanceDetail::endpoint);
  const auto repeated = std::ranges::unique(details, {}, &resolver::InstanceDetail::endpoint);
  details.erase(repeated.begin(), repeated.end());
  return listing;
}

std::optional<std::vector<Presence>> decode_presence(std::string_view body, std::size_t max_size) {
  const auto root = parse_json(body, max_size);
  if (!root || !root->is_array()) {
    return std::nullopt;
  }
  std::vector<Presence> out;
  for (const auto& entry : root->get_array()) {
    const auto status = aggregate(entry);
    Presence presence;
    if (status == Status::kMaintenance) {
      presence.state = Presence::State::kMaintenance;
    } else if (status == Status::kCritical) {
      presence.state = Presence::State::kCritical;
    } else if (!decode_instance(entry, status)) {
      presence.state = Presence::State::kUnusable;
    }
    if (const auto* service = member(entry, "Service"); service != nullptr) {
      presence.tags = tags_of(*service);
    }
    out.push_back(std::move(presence));
  }
  return out;
}

bool has_tags(const std::vector<std::string>& tags, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
    return std::any_of(tags.begin(), tags.end(),
                       [&](const auto& tag) { return same_letters(tag, want); });
  });
}

}  // namespace pilotfish::registry
