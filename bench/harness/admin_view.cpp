#include "bench/harness/admin_view.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>

namespace pilotfish::bench {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view key, std::int64_t fallback) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return fallback;
  boost::system::error_code ec;
  const auto number = value->to_number<std::int64_t>(ec);
  return ec ? fallback : number;
}

const json::array* array_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

InstanceView read_instance(const json::object& object) {
  InstanceView view;
  view.address = text_of(object, "address");
  view.tier = static_cast<int>(number_of(object, "tier", -1));
  view.state = text_of(object, "state");
  view.why = text_of(object, "why");
  view.requests = static_cast<std::uint64_t>(number_of(object, "requests", 0));
  view.failures = static_cast<std::uint64_t>(number_of(object, "failures", 0));
  return view;
}

}  // namespace

const InstanceView* UpstreamView::find(std::string_view address) const {
  for (const auto& instance : instances) {
    if (instance.address == address) return &instance;
  }
  return nullptr;
}

std::optional<std::vector<UpstreamView>> parse_upstreams(std::string_view text) {
  boost::system::error_code ec;
  const auto parsed = json::parse(json::string_view(text.data(), text.size()), ec);
  if (ec || !parsed.is_object()) return std::nullopt;
  const auto* upstreams = array_of(parsed.get_object(), "upstreams");
  if (upstreams == nullptr) return std::nullopt;
  std::vector<UpstreamView> views;
  for (const auto& value : *upstreams) {
    const auto* object = value.if_object();
    if (object == nullptr) return std::nullopt;
    UpstreamView view;
    view.name = text_of(*object, "name");
    view.tier = static_cast<int>(number_of(*object, "tier", -1));
    view.reason = text_of(*object, "reason");
    view.age_ms = number_of(*object, "age_ms", 0);
    if (const auto* instances = array_of(*object, "instances")) {
      for (const auto& instance : *instances) {
        if (instance.is_object()) view.instances.push_back(read_instance(instance.get_object()));
      }
    }
    views.push_back(std::move(view));
  }
  return views;
}

std::map<std::string, double> parse_metrics(std::string_view text) {
  std::map<std::string, double> samples;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto brace = line.rfind('}');
    const auto space = line.find(' ', brace == std::string_view::npos ? 0 : brace);
    if (space == std::string_view::npos) continue;
    double value = 0;
    const auto number = line.substr(space + 1);
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    if (read.ec == std::errc()) samples[std::string(line.substr(0, space))] = value;
  }
  return samples;
}

double sum_of(const std::map<std::string, double>& samples, std::string_view family) {
  double sum = 0;
  for (const auto& [name, value] : samples) {
    if (name == family || (name.starts_with(family) && name[family.size()] == '{')) sum += value;
  }
  return sum;
}

}  // namespace pilotfish::bench
