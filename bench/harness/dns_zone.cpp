#include "bench/harness/dns_zone.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace pilotfish::bench {
namespace {

std::vector<std::string_view> split_labels(std::string_view name) {
  std::vector<std::string_view> labels;
  while (!name.empty()) {
    const auto dot = name.find('.');
    labels.push_back(name.substr(0, dot));
    name = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  }
  return labels;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<IpAddress> parse_hex_address(std::string_view hex) {
  std::array<std::uint8_t, 16> octets{};
  if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    octets[i / 2] = static_cast<std::uint8_t>((high << 4) | low);
  }
  if (hex.size() == 32) return IpAddress::v6(octets);
  return IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
}

/// What a name asks for.
struct Asked {
  enum class Kind : std::uint8_t { kNothing, kOutside, kService, kAddress } kind = Kind::kNothing;
  std::string service;
  std::string tag;
  IpAddress address;
};

Asked understand(const Catalogue& catalogue, const std::string& name,
                 const DnsZoneOptions& options) {
  Asked asked;
  if (catalogue.knows(name)) {
    asked.kind = Asked::Kind::kService;
    asked.service = name;
    return asked;
  }
  auto labels = split_labels(name);
  if (labels.empty() || labels.back() != canonical_name(options.domain)) {
    // A whole name whose instances have all gone is still ours to deny, not to refuse.
    asked.kind = name.starts_with('_') ? Asked::Kind::kNothing : Asked::Kind::kOutside;
    return asked;
  }
  labels.pop_back();
  if (!labels.empty() && labels.back() == canonical_name(options.datacenter)) labels.pop_back();
  if (labels.size() == 2 && labels[1] == "addr") {
    if (const auto address = parse_hex_address(labels[0])) {
      asked.kind = Asked::Kind::kAddress;
      asked.address = *address;
    }
    return asked;
  }
  if (labels.size() < 2 || labels.back() != "service") return asked;
  labels.pop_back();
  asked.kind = Asked::Kind::kService;
  if (labels.size() == 2 && labels[0].starts_with('_') && labels[1].starts_with('_')) {
    asked.service = labels[0].substr(1);
    asked.tag = labels[1].substr(1);
    if (asked.tag == "tcp") asked.tag.clear();
    return asked;
  }
  asked.service = labels.back();
  for (std::size_t i = 0; i + 1 < labels.size(); ++i) {
    if (i != 0) asked.tag += '.';
    asked.tag += labels[i];
  }
  return asked;
}

void add_soa(DnsMessage& message, const DnsZoneOptions& options) {
  message.authority.push_back(
      {options.domain, 0, SoaData{"ns." + options.domain, "hostmaster." + options.domain, 1}});
}

bool wants(DnsType asked, const IpAddress& address) {
  return asked == DnsType::kAny || asked == (address.is_v4() ? DnsType::kA : DnsType::kAaaa);
}

void answer_service(DnsMessage& message, std::vector<CatalogueInstance> instances,
                    const DnsZoneOptions& options, Random& random) {
  if (options.shuffle) {
    for (std::size_t i = instances.size(); i > 1; --i) {
      std::swap(instances[i - 1], instances[random.below(i)]);
    }
  }
  const auto& query = message.query;
  const bool srv = query.type == DnsType::kSrv || query.type == DnsType::kAny;
  std::unordered_set<std::string> named;
  for (const auto& instance : instances) {
    const auto& address = instance.endpoint.address;
    const auto target = address_name(address, options);
    if (srv) {
      message.answers.push_back(
          {query.name, options.ttl,
           SrvData{instance.priority, instance.weight(), instance.endpoint.port, target}});
      if (options.additional) message.additional.push_back({target, options.ttl, address});
    } else if (wants(query.type, address) && named.insert(target).second) {
      message.answers.push_back({query.name, options.ttl, address});
    }
  }
}

std::size_t size_limit(const DnsQuery& query, DnsTransport transport, TrimStyle trim) {
  if (transport == DnsTransport::kTcp) return trim == TrimStyle::kSilent ? 65523 : 65535;
  const std::size_t advertised = std::min<std::size_t>(query.edns_size.value_or(512), 65467);
  return trim == TrimStyle::kSilent ? advertised - 8 : advertised;
}

std::size_t count_limit(const DnsQuery& query, DnsTransport transport, TrimStyle trim) {
  if (trim != TrimStyle::kSilent) return SIZE_MAX;
  if (transport == DnsTransport::kTcp) return 1024;
  return query.edns_size.value_or(512) <= 512 ? 3 : SIZE_MAX;
}

/// The message with its first `count` answers; each SRV has one ADDITIONAL at the same place.
DnsMessage shortened(const DnsMessage& message, std::size_t count) {
  DnsMessage result = message;
  result.answers.resize(count);
  if (message.additional.size() == message.answers.size()) result.additional.resize(count);
  return result;
}

}  // namespace

std::string address_name(const IpAddress& address, const DnsZoneOptions& options) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (const auto octet : address.octets()) {
    name += kDigits[octet >> 4U];
    name += kDigits[octet & 0xfU];
  }
  return name + ".addr." + options.datacenter + "." + options.domain;
}

DnsMessage answer_query(const Catalogue& catalogue, const DnsQuery& query,
                        const DnsZoneOptions& options, Random& random) {
  DnsMessage message;
  message.query = query;
  if (query.malformed) {
    message.rcode = DnsRcode::kFormatError;
    message.authoritative = false;
    return message;
  }
  if (query.opcode != 0) {
    message.rcode = DnsRcode::kNotImplemented;
    return message;
  }
  const auto asked = understand(catalogue, canonical_name(query.name), options);
  if (query.klass != 1 || asked.kind == Asked::Kind::kOutside) {
    message.rcode = DnsRcode::kRefused;
    message.authoritative = false;
    return message;
  }
  if (asked.kind == Asked::Kind::kAddress) {
    if (wants(query.type, asked.address)) {
      message.answers.push_back({query.name, options.ttl, asked.address});
    }
  } else if (asked.kind == Asked::Kind::kService) {
    auto instances = catalogue.healthy(asked.service, asked.tag);
    if (instances.empty()) message.rcode = DnsRcode::kNameError;
    answer_service(message, std::move(instances), options, random);
  } else {
    message.rcode = DnsRcode::kNameError;
  }
  if (message.answers.empty()) add_soa(message, options);
  return message;
}

std::vector<std::uint8_t> encode_within(DnsMessage message, DnsTransport transport,
                                        TrimStyle trim) {
  const auto most = size_limit(message.query, transport, trim);
  const auto allowed = count_limit(message.query, transport, trim);
  if (message.answers.size() > allowed) message = shortened(message, allowed);
  auto bytes = encode(message);
  if (bytes.size() <= most) return bytes;

  if (trim == TrimStyle::kTruncate) message.truncated = true;
  std::size_t fits = 0;
  std::size_t too_many = message.answers.size();
  while (fits + 1 < too_many) {
    const auto middle = fits + (too_many - fits) / 2;
    (encode(shortened(message, middle)).size() <= most ? fits : too_many) = middle;
  }
  return encode(shortened(message, fits));
}

}  // namespace pilotfish::bench
