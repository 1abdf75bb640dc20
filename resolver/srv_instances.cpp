#include "resolver/srv_instances.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

namespace pilotfish::resolver {
namespace {

template <std::size_t kOctets>
std::optional<std::array<std::uint8_t, kOctets>> from_hex(std::string_view text) {
  std::array<std::uint8_t, kOctets> out{};
  for (std::size_t index = 0; index < kOctets; ++index) {
    const auto* first = text.data() + index * 2;
    const auto parsed = std::from_chars(first, first + 2, out[index], 16);
    if (parsed.ec != std::errc{} || parsed.ptr != first + 2) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::optional<IpAddress> decode_addr_name(std::string_view target, std::string_view consul_domain) {
  constexpr std::string_view kAddr = ".addr.";
  if (consul_domain.empty()) {
    return std::nullopt;
  }
  const auto dot = target.find('.');
  if (dot == std::string_view::npos || !target.substr(dot).starts_with(kAddr)) {
    return std::nullopt;
  }
  // What is left is "<dc>.<domain>", or the domain alone for the agent's own datacenter.
  const auto rest = target.substr(dot + kAddr.size() - 1);
  const auto domain = "." + lower_case(consul_domain);
  if (!rest.ends_with(domain)) {
    return std::nullopt;
  }
  const auto hex = target.substr(0, dot);
  if (hex.size() == 8) {
    const auto octets = from_hex<4>(hex);
    return octets ? std::optional(IpAddress::v4(*octets)) : std::nullopt;
  }
  if (hex.size() == 32) {
    const auto octets = from_hex<16>(hex);
    return octets ? std::optional(IpAddress::v6(*octets)) : std::nullopt;
  }
  return std::nullopt;
}

SrvReading read_srv(const DnsAnswer& answer, std::string_view consul_domain) {
  SrvReading out;
  std::unordered_multimap<std::string_view, const IpAddress*> given;
  for (const auto& record : answer.addresses) {
    given.emplace(record.owner, &record.address);
  }
  std::unordered_map<std::string_view, std::string_view> aliases;
  for (const auto& alias : answer.aliases) {
    aliases.emplace(alias.owner, alias.target);
  }
  std::unordered_set<std::string_view> seen;
  for (const auto& record : answer.srv) {
    if (record.target.empty() && record.usable) {
      continue;  // "decidedly not available" is not an instance, and not an oddity either
    }
    if (record.port == 0 || !record.usable) {
      ++out.skipped;
      continue;
    }
    out.records.push_back(record);
    if (!seen.insert(record.target).second) {
      continue;
    }
    if (const auto decoded = decode_addr_name(record.target, consul_domain)) {
      out.addresses[record.target].push_back(*decoded);
      continue;
    }
    std::string_view name = record.target;
    for (std::size_t step = 0; step < kMaxAliases && !given.contains(name); ++step) {
      const auto next = aliases.find(name);
      if (next == aliases.end()) {
        break;
      }
      name = next->second;
    }
    const auto range = given.equal_range(name);
    if (range.first == range.second) {
      out.missing.push_back(record.target);
      continue;
    }
    auto& addresses = out.addresses[record.target];
    for (auto entry = range.first; entry != range.second; ++entry) {
      addresses.push_back(*entry->second);
    }
    std::ranges::sort(addresses);
  }
  return out;
}

InstanceList to_instances(const std::vector<SrvRecord>& records, const AddressBook& addresses) {
  InstanceList out;
  out.reserve(records.size());
  for (const auto& record : records) {
    const auto found = addresses.find(record.target);
    if (found == addresses.end()) {
      continue;
    }
    for (const auto& address : found->second) {
      out.push_back({Endpoint{address, record.port}, record.weight, record.priority, {}});
    }
  }
  normalise(out);
  return out;
}

}  // namespace pilotfish::resolver
