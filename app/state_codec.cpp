#include "app/state_codec.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "registry/json.hpp"

namespace pilotfish::app {
namespace {

namespace json = boost::json;
using registry::member;
using registry::text_of;

constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kMaxNumber = 65535;  // of weight and priority
constexpr std::int64_t kMaxTime = std::int64_t{1} << 53U;
constexpr std::size_t kMaxTag = 253;
constexpr std::size_t kMaxHost = 255;

json::object instance_json(const Instance& instance) {
  json::object object;
  object["address"] = instance.endpoint.to_string();
  object["weight"] = instance.weight;
  object["priority"] = instance.priority;
  json::array tags(instance.tags.begin(), instance.tags.end());
  object["tags"] = std::move(tags);
  if (!instance.host.empty()) {
    object["host"] = instance.host;
  }
  return object;
}

/// Stricter than what registries are allowed: we wrote this ourselves.
std::optional<std::int64_t> number(const json::value& object, std::string_view key,
                                   std::int64_t max) {
  const auto* value = member(object, key);
  const auto* found = value == nullptr ? nullptr : value->if_int64();
  return found == nullptr || *found < 0 || *found > max ? std::nullopt : std::optional(*found);
}

const json::array* list(const json::value& object, std::string_view key, std::size_t max) {
  const auto* value = member(object, key);
  const auto* found = value == nullptr ? nullptr : value->if_array();
  return found == nullptr || found->size() > max ? nullptr : found;
}

std::optional<Instance> decode_instance(const json::value& entry) {
  const auto endpoint = Endpoint::parse(text_of(entry, "address"));
  const auto weight = number(entry, "weight", kMaxNumber);
  const auto priority = number(entry, "priority", kMaxNumber);
  const auto* tags = list(entry, "tags", kMaxStateTags);
  if (!endpoint || endpoint->port == 0 || endpoint->address.is_unspecified() || !weight ||
      !priority || tags == nullptr) {
    return std::nullopt;
  }
  Instance instance;
  instance.endpoint = *endpoint;
  instance.weight = static_cast<std::uint32_t>(*weight);
  instance.priority = static_cast<std::uint32_t>(*priority);
  instance.host = text_of(entry, "host");
  if (instance.host.size() > kMaxHost) {
    return std::nullopt;
  }
  for (const auto& tag : *tags) {
    const auto* text = tag.if_string();
    if (text == nullptr || text->empty() || text->size() > kMaxTag) {
      return std::nullopt;
    }
    instance.tags.emplace_back(text->data(), text->size());
  }
  std::ranges::sort(instance.tags);
  return instance;
}

std::string decode_tier(const json::value& entry, KeptTier& tier) {
  if (text_of(entry, "name") != tier.name) {
    return "its tiers are other ones";
  }
  const auto asked = number(entry, "asked", kMaxTime);
  const auto* instances = list(entry, "instances", kMaxStateInstances);
  if (!asked || instances == nullptr) {
    return "tier " + tier.name + " is damaged";
  }
  tier.asked = WallTime(std::chrono::milliseconds(*asked));
  tier.instances = {};
  InstanceList good;
  for (const auto& each : *instances) {
    auto instance = decode_instance(each);
    if (!instance) {
      return "an instance of tier " + tier.name + " is damaged";
    }
    good.push_back(std::move(*instance));
  }
  normalise(good);
  tier.instances = std::move(good);
  return "";
}

}  // namespace

std::string encode_state(const KeptAnswers& answers) {
  json::array tiers;
  for (const auto& tier : answers.tiers) {
    json::array instances;
    for (const auto& instance : tier.instances) {
      instances.push_back(instance_json(instance));
    }
    json::object object;
    object["name"] = tier.name;
    object["asked"] = tier.asked.time_since_epoch().count();
    object["instances"] = std::move(instances);
    tiers.push_back(std::move(object));
  }
  json::object root;
  root["version"] = kVersion;
  root["upstream"] = answers.upstream;
  root["source"] = answers.source;
  root["tiers"] = std::move(tiers);
  return json::serialize(root) + "\n";
}

std::string decode_state(std::string_view text, KeptAnswers& expected) {
  if (text.size() > kMaxStateSize) {
    return "it is too large";
  }
  const auto root = registry::parse_json(text);
  if (!root) {
    return "it is no JSON";
  }
  if (number(*root, "version", kMaxNumber) != kVersion) {
    return "its version is not known";
  }
  if (text_of(*root, "upstream") != expected.upstream ||
      text_of(*root, "source") != expected.source) {
    return "it is about another source";
  }
  const auto* tiers = list(*root, "tiers", expected.tiers.size());
  if (tiers == nullptr || tiers->size() != expected.tiers.size()) {
    return "its tiers are other ones";
  }
  auto taken = expected.tiers;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (auto problem = decode_tier((*tiers)[i], taken[i]); !problem.empty()) {
      return problem;
    }
  }
  expected.tiers = std::move(taken);
  return "";
}

}  // namespace pilotfish::app
