// DNS answers: whatever arrives is refused, or yields bounded, clean instances.
#include <algorithm>
#include <span>
#include <string>

#include "resolver/dns_message.hpp"
#include "resolver/srv_instances.hpp"
#include "tests/fuzz/slices.hpp"

namespace pilotfish::fuzz {
namespace {

using resolver::DnsAnswer;
using resolver::Question;
using resolver::RecordType;

/// Fit for a log line, a label of a metric and a header field (faults.md, row 33).
bool clean(std::string_view name) {
  return name.size() <= 253 &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
}

void judge(const DnsAnswer& answer, std::size_t size) {
  // A record takes at least 11 bytes: its root owner, type, class, TTL and length.
  require(answer.srv.size() + answer.addresses.size() + answer.own_addresses.size() +
                  answer.aliases.size() <=
              2 * size / 11 + 1,
          "no more records than bytes can hold");
  require(answer.bytes == size, "the size is the message's");
  require(clean(answer.canonical), "the canonical name is clean");
  for (const auto& record : answer.srv) {
    require(!record.usable || clean(record.target), "a usable target is clean");
  }
  for (const auto& record : answer.addresses) {
    require(clean(record.owner), "an owner is clean");
  }
  for (const auto* domain : {"consul", ""}) {
    const auto reading = resolver::read_srv(answer, domain);
    require(reading.instances.size() <=
                answer.srv.size() * std::max<std::size_t>(1, answer.addresses.size()),
            "no more instances than records and addresses");
    for (const auto& instance : reading.instances) {
      require(instance.endpoint.port != 0, "no instance on port 0");
      require(instance.weight <= 65535 && instance.priority <= 65535, "weights in their range");
    }
    require(std::ranges::is_sorted(reading.instances, {}, &Instance::endpoint) &&
                std::ranges::adjacent_find(reading.instances, {}, &Instance::endpoint) ==
                    reading.instances.end(),
            "instances are normalised");
    for (const auto& name : reading.missing) {
      require(!name.empty() && clean(name), "what would be looked up is a clean name");
    }
  }
}

void ask(std::span<const std::uint8_t> message, const Question& question) {
  const auto parsed = resolver::parse_answer(message, question);
  if (const auto* answer = std::get_if<DnsAnswer>(&parsed)) {
    judge(*answer, message.size());
  }
}

}  // namespace
}  // namespace pilotfish::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pilotfish;
  const std::span<const std::uint8_t> message(data, size);
  fuzz::ask(message, {"web.service.consul", resolver::RecordType::kSrv});
  const auto question = resolver::parse_question(message);
  if (const auto* asked = std::get_if<resolver::Question>(&question)) {
    fuzz::ask(message, *asked);
    for (const auto type :
         {resolver::RecordType::kA, resolver::RecordType::kAaaa, resolver::RecordType::kSrv}) {
      fuzz::ask(message, {asked->name, type});
    }
  }
  return 0;
}
