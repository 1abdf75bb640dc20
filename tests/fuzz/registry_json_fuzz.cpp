// What a registry's HTTP API sends: Consul's listings and agent answers, etcd's gateway.
#include <algorithm>
#include <string>

#include "registry/consul_codec.hpp"
#include "registry/consul_health_codec.hpp"
#include "registry/etcd_codec.hpp"
#include "registry/json.hpp"
#include "registry/skydns.hpp"
#include "registry/text.hpp"
#include "tests/fuzz/slices.hpp"

namespace pilotfish::fuzz {
namespace {

bool one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

void judge_listing(std::string_view body) {
  const auto listing = registry::decode_health(body);
  if (!listing) {
    return;
  }
  const auto& instances = listing->instances;
  for (const auto& instance : instances) {
    require(instance.endpoint.port != 0, "no instance on port 0");
    require(instance.weight <= 65535 && instance.priority == 1, "weight and priority");
    require(std::ranges::is_sorted(instance.tags), "tags are sorted");
    require(registry::has_tags(instance.tags, instance.tags), "has_tags of its own tags");
  }
  require(std::ranges::is_sorted(instances, {}, &Instance::endpoint) &&
              std::ranges::adjacent_find(instances, {}, &Instance::endpoint) == instances.end(),
          "instances are normalised");
  require(instances.size() + listing->excluded + listing->skipped <= body.size(),
          "no more entries than bytes");
}

void judge_agent(std::string_view body) {
  if (const auto known = registry::decode_agent_health(body)) {
    registry::ConsulService wanted;
    wanted.id = known->id;
    wanted.name = known->name;
    wanted.address = known->address;
    wanted.tags = known->tags;
    wanted.meta = known->meta;
    wanted.port = static_cast<std::uint16_t>(known->port & 0xffff);
    require(one_line(registry::difference(wanted, *known)), "a difference is one line");
    require(
        registry::parse_json(registry::encode_registration(wanted, known->owner, true)).has_value(),
        "what we announce is JSON");  // parse_json let only UTF-8 in
  }
  (void)registry::decode_member_address(body);
}

void judge_etcd(std::string_view body) {
  namespace etcd = registry::etcd;
  if (const auto lease = etcd::decode_grant(body)) {
    require(lease->ttl >= Duration::zero(), "a lease is not negative");
  }
  if (const auto left = etcd::decode_keepalive(body)) {
    require(*left >= Duration::zero(), "the remaining time is not negative");
  }
  if (const auto records = etcd::decode_range(body)) {
    require(records->size() <= body.size(), "no more records than bytes");
  }
  for (const unsigned status : {200U, 404U, 500U}) {
    (void)etcd::is_lease_gone(status, body);
  }
  const auto said = etcd::error_text(body);
  require(one_line(said) && said.size() <= 210, "an error is one short line");
}

void judge_texts(std::string_view text) {
  const auto encoded = registry::base64_encode(text);
  require(registry::base64_decode(encoded) == text, "base64 there and back");
  if (const auto decoded = registry::base64_decode(text)) {
    require(registry::base64_encode(*decoded).size() == text.size(), "base64 is whole");
  }
  const auto path = registry::percent_encode(text);
  require(std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7f && c != '/'; }),
          "a segment stays one");
  require(one_line(registry::shorten(text)), "one log line");
  const auto label = registry::skydns_label(text);
  require(label.size() <= 63 &&
              std::ranges::none_of(
                  label, [](char c) { return c == '.' || c == '/' || (c >= 'A' && c <= 'Z'); }),
          "a label is a label");
  (void)registry::skydns_key("/skydns", text, "id");
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return;  // config/ lets no text in that is not UTF-8
  }
  registry::Announcement announcement;
  announcement.name = announcement.key = announcement.address = text;
  announcement.tags = {std::string(text)};
  announcement.meta = {{std::string(text), std::string(text)}};
  require(registry::parse_json(registry::encode_registration(
                                   registry::consul_service(announcement, "10.0.0.1"), {}, true))
              .has_value(),
          "a registration of any text is JSON");
  require(registry::parse_json(registry::skydns_value(announcement, text)).has_value(),
          "a record of any text is JSON");
}

}  // namespace
}  // namespace pilotfish::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  pilotfish::fuzz::judge_listing(body);
  pilotfish::fuzz::judge_agent(body);
  pilotfish::fuzz::judge_etcd(body);
  if (size <= 512) {
    pilotfish::fuzz::judge_texts(body);
  }
  return 0;
}
