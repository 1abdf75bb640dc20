#include "app/status_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "app/escape.hpp"
#include "app/plain_json.hpp"

namespace pilotfish::app {
namespace {

namespace json = boost::json;

json::string text(std::string_view value) {
  return json::string(clean_utf8(value));
}

std::int64_t millis(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

json::object instance_json(const proxy::InstanceStatus& instance) {
  json::array tags;
  for (const auto& tag : instance.tags) {
    tags.push_back(text(tag));
  }
  json::object object;
  object["address"] = text(instance.address);
  object["weight"] = instance.weight;
  object["priority"] = instance.priority;
  object["tags"] = std::move(tags);
  object["tier"] = instance.tier;
  object["state"] = text(instance.state);
  object["why"] = text(instance.why);
  object["in_flight"] = instance.in_flight;
  object["requests"] = instance.requests;
  object["failures"] = instance.failures;
  return object;
}

json::object lookup_json(const NameAnswer& answer) {
  json::object object;
  object["name"] = text(answer.name);
  object["result"] = text(to_string(answer.result));
  object["ttl_ms"] = millis(answer.ttl);
  object["transport"] = text(to_string(answer.transport));
  object["records"] = answer.records;
  object["took_ms"] = static_cast<double>(answer.took.count()) / 1e6;
  object["note"] = text(answer.note);
  return object;
}

json::object tier_json(std::string_view name, const TierAnswer* answer, TimePoint now) {
  json::object object;
  object["name"] = text(name);
  const bool answered = answer != nullptr && answer->answered != TimePoint{};
  object["result"] = answered ? text(to_string(answer->result)) : text("none yet");
  object["age_ms"] = answered ? std::max<std::int64_t>(0, millis(now - answer->asked)) : -1;
  json::array lookups;
  if (answered) {
    for (const auto& lookup : answer->names) {
      lookups.push_back(lookup_json(lookup));
    }
  }
  object["lookups"] = std::move(lookups);
  return object;
}

json::object upstream_json(const MergedUpstream& merged, TimePoint now) {
  const proxy::UpstreamStatus& status = merged.status;
  json::array instances;
  for (const auto& instance : status.instances) {
    instances.push_back(instance_json(instance));
  }
  json::array tiers;
  for (std::size_t tier = 0; tier < status.tier_names.size(); ++tier) {
    const auto* answer = tier < status.answers.size() ? &status.answers[tier] : nullptr;
    tiers.push_back(tier_json(status.tier_names[tier], answer, now));
  }
  json::object object;
  object["name"] = text(status.name);
  object["tier"] = status.tier;
  object["reason"] = text(status.reason);
  object["age_ms"] = status.age_ms;
  object["instances"] = std::move(instances);
  object["required"] = status.required;
  object["tiers"] = std::move(tiers);
  object["workers_serving"] = merged.workers_serving;
  return object;
}

}  // namespace

std::string upstreams_json(const MergedStatus& status, TimePoint now) {
  json::array upstreams;
  for (const auto& merged : status.upstreams) {
    upstreams.push_back(upstream_json(merged, now));
  }
  json::object root;
  root["upstreams"] = std::move(upstreams);
  root["workers"] = status.workers;
  root["workers_answered"] = status.workers_answered;
  return plain_json(root) + "\n";
}

}  // namespace pilotfish::app
