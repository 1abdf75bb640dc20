#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <fmt/core.h>

#include "bench/report/html_text.hpp"
#include "bench/report/json.hpp"

namespace pilotfish::bench {
namespace {

namespace json = boost::json;

template <typename List>
json::array list_of(const List& list) {
  json::array result;
  for (const auto& each : list) result.emplace_back(each);
  return result;
}

json::object figures_json(const std::map<std::string, double>& figures) {
  json::object result;
  for (const auto& [key, value] : figures) {
    if (std::isfinite(value)) result[key] = value;
  }
  return result;
}

json::object measurement_json(const Measurement& measurement) {
  json::object result;
  result["contender"] = measurement.contender;
  result["case"] = measurement.test_case;
  result["round"] = measurement.round;
  result["figures"] = figures_json(measurement.figures);
  json::array latency;
  for (const auto& [fraction, value] : measurement.latency) {
    if (std::isfinite(fraction) && std::isfinite(value)) latency.push_back({fraction, value});
  }
  result["latency"] = std::move(latency);
  return result;
}

json::object timeline_json(const Timeline& timeline) {
  json::object result;
  result["contender"] = timeline.contender;
  result["case"] = timeline.test_case;
  result["round"] = timeline.round;
  result["bucket_ms"] = timeline.bucket_ms;
  json::array events;
  for (const auto& event : timeline.events) {
    events.push_back({{"at_ms", event.at_ms}, {"what", event.what}});
  }
  result["events"] = std::move(events);
  json::object requests;
  for (const auto& [instance, counts] : timeline.requests) requests[instance] = list_of(counts);
  result["requests"] = std::move(requests);
  return result;
}

json::object machine_json(const MachineInfo& machine) {
  json::object result;
  result["kernel"] = machine.kernel;
  result["processor"] = machine.processor;
  result["cores"] = machine.cores;
  result["memory_bytes"] = machine.memory_bytes;
  result["load_before"] = machine.load_before;
  return result;
}

json::object result_json(const RunResult& run) {
  json::object result;
  result["format"] = kResultFormat;
  result["scenario"] = run.scenario;
  result["date"] = run.date;
  result["version"] = run.version;
  result["arguments"] = list_of(run.arguments);
  json::object options;
  for (const auto& [key, value] : run.options) options[key] = value;
  result["options"] = std::move(options);
  result["seed"] = run.seed;
  result["machine"] = machine_json(run.machine);
  result["notes"] = list_of(run.notes);
  json::array contenders;
  for (const auto& each : run.contenders) {
    contenders.push_back({{"name", each.name},
                          {"version", each.version},
                          {"command", each.command},
                          {"configuration", each.configuration}});
  }
  result["contenders"] = std::move(contenders);
  json::array measurements;
  for (const auto& each : run.measurements) measurements.push_back(measurement_json(each));
  result["measurements"] = std::move(measurements);
  json::array timelines;
  for (const auto& each : run.timelines) timelines.push_back(timeline_json(each));
  result["timelines"] = std::move(timelines);
  return result;
}

/// Indented, but a list of numbers (or of pairs of numbers) is one line. The library writes
/// doubles as `1.31E1`, which nobody
/// wants to read.
class Writer {
 public:
  std::string take(const json::value& value) {
    write(value, 0);
    text_ += '\n';
    return std::move(text_);
  }

 private:
  static std::string quoted(std::string_view text) {
    return json::serialize(json::string_view(clean_text(text)));
  }

  static bool flat(const json::value& value, int depth = 0) {
    if (value.is_object()) return value.get_object().empty();
    if (!value.is_array()) return true;
    if (depth == 2) return false;
    for (const auto& each : value.get_array()) {
      if (each.is_string() || !flat(each, depth + 1)) return false;
    }
    return true;
  }

  /// Nothing is measured to more than nine digits.
  void write(double value) {
    constexpr double kWhole = 1e15;
    const bool whole = value == std::floor(value) && std::abs(value) < kWhole;
    text_ += whole ? fmt::format("{:.0f}", value) : fmt::format("{:.9g}", value);
  }

  void line(std::size_t indent) { text_.append(1, '\n').append(indent, ' '); }

  template <typename Items, typename Item>
  void items(const Items& list, bool one_line, std::size_t indent, const Item& item) {
    bool first = true;
    for (const auto& each : list) {
      if (!first) text_ += one_line ? ", " : ",";
      first = false;
      if (!one_line) line(indent + 1);
      item(each);
    }
    if (!one_line) line(indent);
  }

  void write(const json::value& value, std::size_t indent) {
    if (value.is_double()) {
      write(value.get_double());
    } else if (value.is_array()) {
      text_ += '[';
      items(value.get_array(), flat(value), indent,
            [&](const auto& each) { write(each, indent + 1); });
      text_ += ']';
    } else if (value.is_object()) {
      text_ += '{';
      items(value.get_object(), value.get_object().empty(), indent, [&](const auto& each) {
        text_ += quoted(each.key()) + ": ";
        write(each.value(), indent + 1);
      });
      text_ += '}';
    } else {
      // Output of other programs may be no UTF-8, which no reader of JSON would take.
      text_ += value.is_string() ? quoted(value.get_string()) : json::serialize(value);
    }
  }

  std::string text_;
};

}  // namespace

std::string to_json(const RunResult& result) {
  return Writer().take(result_json(result));
}

}  // namespace pilotfish::bench
