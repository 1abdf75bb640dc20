#include "registry/consul_health_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "core/best_first.hpp"
#include "resolver/watch.hpp"

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

struct Place {
  std::string_view address;
  std::optional<IpAddress> ip;
  std::uint16_t port = 0;  // 0: none that can be used
};

Place place_of(const json::value& entry) {
  Place place;
  const auto* service = member(entry, "Service");
  if (service == nullptr || !service->is_object()) {
    return place;
  }
  place.address = text_of(*service, "Address");
  if (const auto* node = member(entry, "Node"); place.address.empty() && node != nullptr) {
    place.address = text_of(*node, "Address");
  }
  place.ip = IpAddress::parse(place.address);
  const auto port = number_of(*service, "Port").value_or(0);
  place.port = port < 1 || port > 65535 ? 0 : static_cast<std::uint16_t>(port);
  return place;
}

bool is_named(const Place& place) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  };
  return place.port != 0 && !place.ip && !place.address.empty() && place.address.size() < 256 &&
         std::ranges::all_of(place.address, fits);
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

std::vector<std::pair<std::string, std::string>> meta_of(const json::value& service) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto* meta = member(service, "Meta");
  if (meta != nullptr && meta->is_object()) {
    for (const auto& one : meta->get_object()) {
      if (one.value().is_string()) {
        out.emplace_back(one.key(), one.value().get_string());
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
  if (const auto* service = member(entry, "Service"); service != nullptr) {
    out.meta = meta_of(*service);
  }
  return out;
}

struct Weighed {
  std::uint32_t weight = 0;
  resolver::InstanceDetail detail;
};

/// One for each endpoint, whatever the order of the listing: of the entry that best_first() keeps;
/// between equals the first node, then the first meta.
std::vector<resolver::InstanceDetail> best_details(std::vector<Weighed> all) {
  std::ranges::sort(all, [](const Weighed& a, const Weighed& b) {
    return std::tie(a.detail.endpoint, b.weight, a.detail.node, a.detail.meta) <
           std::tie(b.detail.endpoint, a.weight, b.detail.node, b.detail.meta);
  });
  std::vector<resolver::InstanceDetail> out;
  for (auto& one : all) {
    if (out.empty() || out.back().endpoint != one.detail.endpoint) {
      out.push_back(std::move(one.detail));
    }
  }
  return out;
}

std::optional<Instance> decode_instance(const json::value& entry, Status status) {
  const auto place = place_of(entry);
  if (!place.ip || place.ip->is_unspecified() || place.port == 0) {
    return std::nullopt;
  }
  const auto* service = member(entry, "Service");
  Instance instance;
  instance.endpoint = Endpoint{*place.ip, place.port};
  instance.weight = weight_of(*service, status);
  instance.priority = 1;
  instance.tags = tags_of(*service);
  return instance;
}

/// Sorted by endpoint, so that those of one endpoint lie together.
void share_tags(InstanceList& instances) {
  std::ranges::stable_sort(instances, {}, &Instance::endpoint);
  for (auto first = instances.begin(); first != instances.end();) {
    const auto last = std::find_if(first, instances.end(), [first](const Instance& other) {
      return other.endpoint != first->endpoint;
    });
    if (last - first > 1) {
      std::vector<std::string> tags;
      std::for_each(first, last, [&tags](const Instance& one) {
        tags.insert(tags.end(), one.tags.begin(), one.tags.end());
      });
      std::ranges::sort(tags);
      const auto repeated = std::ranges::unique(tags);
      tags.erase(repeated.begin(), repeated.end());
      std::for_each(first, last, [&tags](Instance& one) { one.tags = tags; });
    }
    first = last;
  }
}

}  // namespace

std::optional<HealthListing> decode_health(std::string_view body, std::size_t max_size,
                                           bool only_passing) {
  const auto root = parse_json(body, max_size);
  if (!root || !root->is_array()) {
    return std::nullopt;
  }
  HealthListing listing;
  std::vector<Weighed> details;
  for (const auto& entry : root->get_array()) {
    const auto status = aggregate(entry);
    if (is_out(status) || (only_passing && status != Status::kPassing)) {
      ++listing.excluded;
      if (const auto place = place_of(entry); place.ip) {
        listing.out.push_back(Endpoint{*place.ip, place.port});
      }
    } else if (auto instance = decode_instance(entry, status)) {
      details.push_back({instance->weight, detail_of(entry, instance->endpoint)});
      listing.instances.push_back(std::move(*instance));
    } else {
      ++(is_named(place_of(entry)) ? listing.named : listing.skipped);
    }
  }
  share_tags(listing.instances);
  best_first(listing.instances);
  normalise(listing.instances);
  std::ranges::sort(listing.out);
  listing.details = best_details(std::move(details));
  return listing;
}

bool loses_any(const InstanceList& known, const HealthListing& listing) {
  auto candidate = listing.instances.begin();
  return std::ranges::any_of(known, [&](const Instance& instance) {
    candidate = std::find_if(candidate, listing.instances.end(), [&](const Instance& other) {
      return !(other.endpoint < instance.endpoint);
    });
    const bool there =
        candidate != listing.instances.end() && candidate->endpoint == instance.endpoint;
    return !there && !std::ranges::binary_search(listing.out, instance.endpoint);
  });
}

std::optional<bool> decode_only_passing(std::string_view body) {
  const auto root = parse_json(body);
  const auto* config = root ? member(*root, "DebugConfig") : nullptr;
  const auto* said = config == nullptr ? nullptr : member(*config, "DNSOnlyPassing");
  return said != nullptr && said->is_bool() ? std::optional<bool>(said->get_bool()) : std::nullopt;
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
      presence.meta = meta_of(*service);
    }
    out.push_back(std::move(presence));
  }
  return out;
}

bool has_tags(const std::vector<std::string>& tags, const std::vector<std::string>& wanted) {
  return resolver::has_all(tags, wanted);
}

}  // namespace pilotfish::registry
