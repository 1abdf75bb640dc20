#include <algorithm>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>
#include <limits>
#include <stdexcept>

#include "bench/report/json.hpp"

namespace pilotfish::bench {
namespace {

namespace json = boost::json;

/// Stays in this file: says which member is wrong, and how.
struct Malformed : std::runtime_error {
  Malformed(const std::string& path, const std::string& message)
      : std::runtime_error(path + ": " + message) {}
};

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return "a number";
    case json::kind::string: return "a text";
    case json::kind::array: return "a list";
    case json::kind::object: return "an object";
  }
  return "something else";
}

[[noreturn]] void unexpected(const std::string& path, std::string_view wanted,
                             const json::value& found) {
  throw Malformed(path, fmt::format("expected {}, found {}", wanted, kind_of(found)));
}

std::string text(const json::value& value, const std::string& path) {
  const auto* found = value.if_string();
  if (found == nullptr) unexpected(path, "a text", value);
  return {found->data(), found->size()};
}

double number(const json::value& value, const std::string& path) {
  if (!value.is_number()) unexpected(path, "a number", value);
  return value.to_number<double>();
}

template <typename Int>
Int whole(const json::value& value, const std::string& path) {
  if (!value.is_number()) unexpected(path, "a whole number", value);
  boost::system::error_code error;
  const auto result = value.to_number<Int>(error);
  if (error) {
    throw Malformed(
        path, fmt::format("expected a whole number from {} to {}", std::numeric_limits<Int>::min(),
                          std::numeric_limits<Int>::max()));
  }
  return result;
}

const json::array& list(const json::value& value, const std::string& path) {
  if (!value.is_array()) unexpected(path, "a list", value);
  return value.get_array();
}

/// One object of the file, with its path in it.
class Node {
 public:
  Node(const json::value& value, std::string path) : path_(std::move(path)) {
    if (!value.is_object()) unexpected(path_.empty() ? "the file" : path_, "an object", value);
    object_ = &value.get_object();
  }

  [[nodiscard]] std::string path(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }
  [[nodiscard]] const json::value* find(std::string_view key) const {
    return object_->if_contains(key);
  }
  void need(std::string_view key) const {
    if (find(key) == nullptr) throw Malformed(path(key), "is missing");
  }
  void get(std::string_view key, std::string& into) const {
    if (const auto* value = find(key)) into = text(*value, path(key));
  }
  void get(std::string_view key, double& into) const {
    if (const auto* value = find(key)) into = number(*value, path(key));
  }
  template <typename Int>
  requires std::is_integral_v<Int>
  void get(std::string_view key, Int& into) const {
    if (const auto* value = find(key)) into = whole<Int>(*value, path(key));
  }
  /// Calls with each element and its path.
  template <typename Each>
  void each(std::string_view key, const Each& each) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    std::size_t index = 0;
    for (const auto& element : list(*value, path(key))) {
      each(element, fmt::format("{}[{}]", path(key), index++));
    }
  }
  /// Calls with each key, value and path of an object below.
  template <typename Each>
  void members(std::string_view key, const Each& each) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    const Node below(*value, path(key));
    for (const auto& member : *below.object_) {
      const std::string name(member.key());
      each(name, member.value(), below.path(name));
    }
  }

 private:
  const json::object* object_ = nullptr;
  std::string path_;
};

ContenderInfo read_contender(const json::value& value, const std::string& path) {
  const Node node(value, path);
  node.need("name");
  ContenderInfo contender;
  node.get("name", contender.name);
  node.get("version", contender.version);
  node.get("command", contender.command);
  node.get("configuration", contender.configuration);
  return contender;
}

Measurement read_measurement(const json::value& value, const std::string& path) {
  const Node node(value, path);
  node.need("contender");
  Measurement measurement;
  node.get("contender", measurement.contender);
  node.get("case", measurement.test_case);
  node.get("round", measurement.round);
  node.members("figures", [&](const auto& key, const auto& figure, const auto& where) {
    measurement.figures[key] = number(figure, where);
  });
  node.each("latency", [&](const json::value& point, const std::string& where) {
    const auto& pair = list(point, where);
    if (pair.size() != 2) throw Malformed(where, "expected a fraction and microseconds");
    measurement.latency.emplace_back(number(pair[0], where), number(pair[1], where));
  });
  return measurement;
}

Timeline read_timeline(const json::value& value, const std::string& path) {
  const Node node(value, path);
  node.need("contender");
  Timeline timeline;
  node.get("contender", timeline.contender);
  node.get("case", timeline.test_case);
  node.get("round", timeline.round);
  node.get("bucket_ms", timeline.bucket_ms);
  if (!(timeline.bucket_ms > 0)) throw Malformed(node.path("bucket_ms"), "expected more than 0");
  node.each("events", [&](const json::value& event, const std::string& where) {
    const Node entry(event, where);
    auto& added = timeline.events.emplace_back();
    entry.get("at_ms", added.at_ms);
    entry.get("what", added.what);
  });
  std::optional<std::size_t> length;
  node.members("requests", [&](const auto& instance, const auto& counts, const auto& where) {
    auto& row = timeline.requests[instance];
    for (const auto& count : list(counts, where)) {
      row.push_back(whole<std::uint32_t>(count, fmt::format("{}[{}]", where, row.size())));
    }
    if (length.value_or(row.size()) != row.size()) {
      throw Malformed(where,
                      fmt::format("{} buckets, where the others have {}", row.size(), *length));
    }
    length = row.size();
  });
  return timeline;
}

RunResult read_result(const json::value& value) {
  const Node node(value, "");
  if (node.find("format") == nullptr) {
    throw Malformed("format", "is missing: this is no result of pilotfish-lab bench");
  }
  int format = 0;
  node.get("format", format);
  if (format < 1 || format > kResultFormat) {
    throw Malformed("format", fmt::format("is {}, and this pilotfish-lab reads up to {}: use the "
                                          "one that wrote the file",
                                          format, kResultFormat));
  }
  for (const auto* key : {"scenario", "contenders", "measurements"}) node.need(key);
  RunResult result;
  node.get("scenario", result.scenario);
  node.get("date", result.date);
  node.get("version", result.version);
  node.each("arguments", [&](const auto& argument, const auto& where) {
    result.arguments.push_back(text(argument, where));
  });
  node.members("options", [&](const auto& key, const auto& option, const auto& where) {
    result.options[key] = text(option, where);
  });
  node.get("seed", result.seed);
  if (const auto* found = node.find("machine")) {
    const Node machine(*found, "machine");
    machine.get("kernel", result.machine.kernel);
    machine.get("processor", result.machine.processor);
    machine.get("cores", result.machine.cores);
    machine.get("memory_bytes", result.machine.memory_bytes);
    machine.get("load_before", result.machine.load_before);
  }
  node.each("notes", [&](const auto& note, const auto& where) {
    result.notes.push_back(text(note, where));
  });
  node.each("contenders", [&](const auto& contender, const auto& where) {
    result.contenders.push_back(read_contender(contender, where));
  });
  node.each("measurements", [&](const auto& measurement, const auto& where) {
    result.measurements.push_back(read_measurement(measurement, where));
  });
  node.each("timelines", [&](const auto& timeline, const auto& where) {
    result.timelines.push_back(read_timeline(timeline, where));
  });
  return result;
}

std::string position(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at);
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto start = before.rfind('\n');
  return fmt::format("line {}, column {}", line,
                     at - (start == std::string_view::npos ? 0 : start + 1) + 1);
}

}  // namespace

ReadResult from_json(std::string_view text) {
  constexpr std::size_t kDepth = 16;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return {{}, "it is empty"};
  try {
    json::parse_options options;
    options.max_depth = kDepth;
    json::parser parser({}, options);
    boost::system::error_code error;
    const std::size_t read = parser.write_some(text.data(), text.size(), error);
    const auto rest = text.find_first_not_of(" \t\r\n", read);
    if (!error && rest != std::string_view::npos) {
      return {{}, position(text, rest) + ": more follows after the end of the JSON"};
    }
    if (error == json::error::incomplete) {
      return {{}, position(text, text.size()) + ": it ends in the middle (written only in part?)"};
    }
    if (error) return {{}, fmt::format("{}: {}", position(text, read), error.message())};
    return {read_result(parser.release()), ""};
  } catch (const std::exception& problem) {
    return {{}, problem.what()};
  }
}

}  // namespace pilotfish::bench
