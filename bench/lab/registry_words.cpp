#include "bench/lab/registry_words.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>
#include <optional>
#include <sstream>

namespace pilotfish::bench {
namespace {

namespace json = boost::json;

std::optional<CheckStatus> status_of(std::string_view word) {
  if (word == "passing") return CheckStatus::kPassing;
  if (word == "warning") return CheckStatus::kWarning;
  if (word == "critical") return CheckStatus::kCritical;
  return std::nullopt;
}

std::string_view word_of(CheckStatus status) {
  return status == CheckStatus::kPassing   ? "passing"
         : status == CheckStatus::kWarning ? "warning"
                                           : "critical";
}

std::string listing(const Catalogue& catalogue) {
  std::string text;
  for (const auto& service : catalogue.services()) {
    for (const auto& instance : catalogue.all(service)) {
      text +=
          fmt::format("{} {} {}", service, instance.endpoint.to_string(), word_of(instance.status));
      for (const auto& tag : instance.tags) text += " " + tag;
      text += '\n';
    }
  }
  if (!text.empty()) text.pop_back();
  return text.empty() ? "nothing is registered" : text;
}

bool read_weight(const json::object& object, std::string_view key, std::uint16_t& value) {
  const auto* found = object.if_contains(key);
  if (found == nullptr) return true;
  boost::system::error_code ec;
  const auto number = found->to_number<std::uint16_t>(ec);
  if (!ec) value = number;
  return !ec;
}

/// What is wrong with it, or nothing.
std::string read_instance(const json::value& value, CatalogueInstance& instance) {
  const auto* object = value.if_object();
  if (object == nullptr) return "an instance is not an object";
  const auto* address = object->if_contains("address");
  const auto endpoint = address != nullptr && address->is_string()
                            ? Endpoint::parse(std::string_view(address->get_string()))
                            : std::nullopt;
  if (!endpoint) return "an instance has no \"address\" like 127.0.0.1:9001";
  instance.endpoint = *endpoint;
  if (!read_weight(*object, "weight", instance.passing_weight) ||
      !read_weight(*object, "warning_weight", instance.warning_weight) ||
      !read_weight(*object, "priority", instance.priority)) {
    return endpoint->to_string() + ": weights and priority are 0 to 65535";
  }
  if (const auto* status = object->if_contains("status")) {
    const auto known =
        status->is_string() ? status_of(std::string_view(status->get_string())) : std::nullopt;
    if (!known) return endpoint->to_string() + ": status is passing, warning or critical";
    instance.status = *known;
  }
  if (const auto* tags = object->if_contains("tags")) {
    if (!tags->is_array()) return endpoint->to_string() + ": tags is a list";
    for (const auto& tag : tags->get_array()) {
      if (!tag.is_string()) return endpoint->to_string() + ": tags are strings";
      instance.tags.emplace_back(tag.get_string());
    }
  }
  return {};
}

}  // namespace

std::string obey(Catalogue& catalogue, std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string verb;
  std::string service;
  std::string address;
  words >> verb;
  if (verb.empty()) return {};
  if (verb == "list") return listing(catalogue);
  const auto status = status_of(verb);
  if (verb != "add" && verb != "remove" && !status) {
    return "error: \"" + verb + "\" is none of add, remove, passing, warning, critical, list";
  }
  words >> service >> address;
  const auto endpoint = Endpoint::parse(address);
  if (!endpoint) return "error: " + verb + " SERVICE ADDRESS:PORT, with a literal address";
  if (verb == "add") {
    CatalogueInstance instance;
    instance.endpoint = *endpoint;
    for (std::string tag; words >> tag;) instance.tags.push_back(tag);
    catalogue.add(service, std::move(instance));
    return "ok";
  }
  const bool known = status ? catalogue.set_status(service, *endpoint, *status)
                            : catalogue.remove(service, *endpoint);
  return known ? "ok" : "error: " + service + " has no instance " + address;
}

std::string load_catalogue(Catalogue& catalogue, std::string_view text) {
  boost::system::error_code ec;
  const auto parsed = json::parse(json::string_view(text.data(), text.size()), ec);
  if (ec) return "not JSON: " + ec.message();
  if (!parsed.is_object()) return "not an object of services";
  for (const auto& service : parsed.get_object()) {
    const std::string name(service.key());
    if (!service.value().is_array()) return name + ": not a list of instances";
    for (const auto& value : service.value().get_array()) {
      CatalogueInstance instance;
      const auto wrong = read_instance(value, instance);
      if (!wrong.empty()) return name + ": " + wrong;
      catalogue.add(name, std::move(instance));
    }
  }
  return {};
}

}  // namespace pilotfish::bench
