#include "resolver/srv_instances.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/best_first.hpp"

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

/// The addresses that came with an answer, by owner.
class Given {
 public:
  using Addresses = std::unordered_multimap<std::string_view, const IpAddress*>;

  explicit Given(const DnsAnswer& answer) {
    addresses_.reserve(answer.addresses.size());
    // Many instances of one host come with its address once each: the product of the two lists
    // would be sorted only to be thrown away.
    std::set<std::pair<std::string_view, IpAddress>> known;
    for (const auto& record : answer.addresses) {
      if (known.emplace(record.owner, record.address).second) {
        addresses_.emplace(record.owner, &record.address);
      }
    }
    for (const auto& alias : answer.aliases) {
      aliases_.emplace(alias.owner, alias.target);
    }
  }

  [[nodiscard]] std::pair<Addresses::const_iterator, Addresses::const_iterator> find(
      std::string_view name) const {
    for (std::size_t step = 0; step < kMaxAliases && !addresses_.contains(name); ++step) {
      const auto next = aliases_.find(name);
      if (next == aliases_.end()) {
        break;
      }
      name = next->second;
    }
    return addresses_.equal_range(name);
  }

 private:
  Addresses addresses_;
  std::unordered_map<std::string_view, std::string_view> aliases_;
};

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
  if (rest.size() <= consul_domain.size() || rest[rest.size() - consul_domain.size() - 1] != '.' ||
      !rest.ends_with(consul_domain)) {
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

SrvReading read_srv(const DnsAnswer& answer, std::string_view consul_domain,
                    const AddressBook& looked_up) {
  SrvReading out;
  out.instances.reserve(answer.srv.size());
  std::optional<Given> given;  // most answers of Consul never need it
  std::unordered_set<std::string_view> missing;
  for (const auto& record : answer.srv) {
    if (record.target.empty() && record.usable) {
      continue;  // "decidedly not available" is not an instance, and not an oddity either
    }
    if (record.port == 0 || !record.usable) {
      ++out.skipped;
      continue;
    }
    const auto add = [&](const IpAddress& address) {
      auto& instance = out.instances.emplace_back(
          Instance{Endpoint{address, record.port}, record.weight, record.priority, {}});
      // Consul's targets are names of its own: its nodes', or addresses in hexadecimal.
      instance.host = consul_domain.empty() ? record.target : std::string();
    };
    if (const auto decoded = decode_addr_name(record.target, consul_domain)) {
      add(*decoded);
      continue;
    }
    if (!given) {
      given.emplace(answer);
    }
    const auto range = given->find(record.target);
    std::for_each(range.first, range.second, [&add](const auto& entry) { add(*entry.second); });
    if (range.first != range.second) {
      continue;
    }
    if (const auto found = looked_up.find(record.target); found != looked_up.end()) {
      std::ranges::for_each(found->second, add);
    } else if (missing.insert(record.target).second) {
      out.missing.push_back(record.target);
    }
  }
  if (!consul_domain.empty()) {
    best_first(out.instances);
  }
  normalise(out.instances);
  return out;
}

}  // namespace pilotfish::resolver
