#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "config/names.hpp"

namespace pilotfish::config {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLongest = 87600h;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first, as formatting wants them.
constexpr std::array<Unit, 5> kTimes{{{"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000}}};
constexpr std::array<Unit, 8> kSizes{{{"GiB", 1ULL << 30U},
                                      {"MiB", 1ULL << 20U},
                                      {"KiB", 1ULL << 10U},
                                      {"B", 1},
                                      {"GB", 1'000'000'000},
                                      {"MB", 1'000'000},
                                      {"KB", 1'000},
                                      {"kB", 1'000}}};

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Digits to a number; nullopt where it does not fit 64 bits. REQUIRES: all_digits.
std::optional<std::uint64_t> to_number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return parsed.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

/// The digits at the front, and what follows them.
std::pair<std::string_view, std::string_view> split_digits(std::string_view text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  return {text.substr(0, end), text.substr(end)};
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
  const auto found = std::ranges::find(units, name, &Unit::name);
  return found == units.end() ? nullptr : &*found;
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
  if (text == "0") {
    return Duration::zero();
  }
  if (all_digits(text)) {
    const std::string number(text.substr(0, 20));
    return Mistake{"needs a unit; write " + number + "ms, " + number + "s, " + number + "m or " +
                   number + "h"};
  }
  const auto [digits, name] = split_digits(text);
  const auto* unit = find_unit(kTimes, name);
  if (digits.empty() || unit == nullptr) {
    return Mistake{"is not a duration; write a whole number and a unit, like 250ms, 10s, 1m or 1h"};
  }
  const auto value = to_number(digits);
  if (!value || *value > static_cast<std::uint64_t>(kLongest.count()) / unit->factor) {
    return Mistake{"is too long; 87600h (10 years) is the most"};
  }
  return Duration(static_cast<Duration::rep>(*value * unit->factor));
}

std::string format_duration(Duration value) {
  if (value == Duration::zero()) {
    return "0s";
  }
  const auto count = static_cast<std::uint64_t>(value.count());
  for (const auto& unit : kTimes) {
    if (count % unit.factor == 0) {
      return std::to_string(count / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(count / 1000) + "us";
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
  const auto [digits, name] = split_digits(text);
  const auto* unit = find_unit(kSizes, name.empty() ? "B" : name);
  if (digits.empty() || unit == nullptr) {
    return Mistake{"is not a size; write bytes or a unit, like 65536, 64KiB or 1MiB"};
  }
  const auto value = to_number(digits);
  if (!value || *value > (std::uint64_t{1} << 62U) / unit->factor) {
    return Mistake{"is too large for a size"};
  }
  return *value * unit->factor;
}

std::string format_size(std::uint64_t value) {
  for (const auto& unit : kSizes) {
    if (value != 0 && unit.factor > 1 && value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
    if (unit.factor == 1) {
      break;  // decimal units are only read
    }
  }
  return std::to_string(value);
}

Parsed<std::uint32_t> parse_number(std::string_view text, std::uint32_t low, std::uint32_t high) {
  const auto range = std::to_string(low) + " to " + std::to_string(high);
  if (!all_digits(text)) {
    return Mistake{"is not a whole number; write one from " + range};
  }
  const auto value = to_number(text);
  if (!value || *value < low || *value > high) {
    return Mistake{"is out of range; write a number from " + range};
  }
  return static_cast<std::uint32_t>(*value);
}

Parsed<std::uint32_t> parse_percent(std::string_view text, std::uint32_t low) {
  const auto [digits, sign] = split_digits(text);
  if (digits.empty() || sign != "%") {
    return Mistake{"is not a percentage; write one like 20%"};
  }
  const auto value = to_number(digits);
  if (!value || *value < low || *value > 100) {
    return Mistake{"is out of range; write " + std::to_string(low) + "% to 100%"};
  }
  return static_cast<std::uint32_t>(*value);
}

Parsed<balancer::MinHealthy> parse_min_healthy(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto value = percent ? parse_percent(text, 1) : parse_number(text, 1, 65535);
  if (const auto* number = std::get_if<std::uint32_t>(&value)) {
    return balancer::MinHealthy{*number, percent};
  }
  return Mistake{
      "is neither a number of instances nor a percentage; write 1 to 65535, or 1% to "
      "100%"};
}

std::string format_min_healthy(const balancer::MinHealthy& value) {
  return std::to_string(value.value) + (value.percent ? "%" : "");
}

Parsed<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") {
    return true;
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return false;
  }
  return Mistake{"is not a truth value; write true or false"};
}

Parsed<Endpoint> parse_endpoint(std::string_view text, bool port_zero) {
  if (const auto endpoint = Endpoint::parse(text)) {
    if (endpoint->port == 0 && !port_zero) {
      return Mistake{"has port 0; write a port from 1 to 65535"};
    }
    return *endpoint;
  }
  const auto host_port = split_host_port(text);
  if ((text.starts_with(':') && all_digits(text.substr(1))) || text.starts_with("*:")) {
    return Mistake{"has no address; write 127.0.0.1" + std::string(text.substr(text.find(':')))};
  }
  if (!host_port) {
    if (IpAddress::parse(text)) {
      const bool v6 = text.find(':') != std::string_view::npos;
      return v6 ? Mistake{"needs brackets and a port; write [" + std::string(text) + "]:PORT"}
                : Mistake{"has no port; write " + std::string(text) + ":PORT"};
    }
    return Mistake{"is not an address; write IP:PORT, like 127.0.0.1:7001 or [::1]:7001"};
  }
  if (!parse_port(host_port->port)) {
    return Mistake{std::string("has a bad port; write a port from ") + (port_zero ? "0" : "1") +
                   " to 65535"};
  }
  return Mistake{"has no IP address; names are not looked up here, write one like 127.0.0.1:" +
                 std::string(host_port->port)};
}

Parsed<proxy::ListenAddress> parse_listen(std::string_view text) {
  if (text.starts_with("fd:")) {
    const auto name = text.substr(3);
    const bool fits = !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
      return c > ' ' && c < 0x7F && c != ':';
    });
    if (!fits) {
      return Mistake{"has a bad socket name; write fd:NAME as in FileDescriptorName= of the unit"};
    }
    return proxy::ListenAddress{{}, std::string(name)};
  }
  if (text.starts_with("unix:")) {
    return Mistake{"is not built yet; write an address like 127.0.0.1:7001"};
  }
  const auto endpoint = parse_endpoint(text, true);
  if (const auto* mistake = std::get_if<Mistake>(&endpoint)) {
    return *mistake;
  }
  return proxy::ListenAddress{std::get<Endpoint>(endpoint), {}};
}

Parsed<proxy::HashOn> parse_hash_on(std::string_view text) {
  if (text == "source_ip") {
    return proxy::HashOn{};
  }
  constexpr std::string_view kHeader = "header:";
  if (text.starts_with(kHeader) && is_token(text.substr(kHeader.size()))) {
    return proxy::HashOn{false, to_lower(text.substr(kHeader.size()))};
  }
  return Mistake{"cannot be hashed on; write source_ip, or header:NAME like header:x-user"};
}

std::string format_hash_on(const proxy::HashOn& value) {
  return value.source_ip ? "source_ip" : "header:" + value.header;
}

}  // namespace pilotfish::config
