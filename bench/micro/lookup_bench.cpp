// SRV answers as Consul gives them, from the bytes of a message to normalised instances.
#include "bench/harness/dns_message.hpp"
#include "bench/harness/dns_zone.hpp"
#include "bench/micro/groups.hpp"
#include "bench/micro/sets.hpp"
#include "resolver/dns_message.hpp"
#include "resolver/srv_instances.hpp"

namespace pilotfish::micro {
namespace {

constexpr const char* kName = "v4.billing.service.consul";

/// Targets `<hex>.addr.dc1.consul`; `additional`: with their addresses beside them.
std::vector<std::uint8_t> message(std::int64_t records, bool additional) {
  bench::DnsMessage out;
  out.query.name = kName;
  out.query.type = bench::DnsType::kSrv;
  out.query.edns_size = 4096;
  for (const auto& instance : instances(records, true)) {
    const auto target = bench::address_name(instance.endpoint.address, {});
    out.answers.push_back({kName, 0,
                           bench::SrvData{1, static_cast<std::uint16_t>(instance.weight),
                                          instance.endpoint.port, target}});
    if (additional) {
      out.additional.push_back({target, 0, instance.endpoint.address});
    }
  }
  return bench::encode(out);
}

void parse(benchmark::State& state, bool additional) {
  const auto bytes = message(state.range(0), additional);
  const resolver::Question question{kName, resolver::RecordType::kSrv};
  for (auto _ : state) {
    const auto answer = resolver::parse_answer(bytes, question);
    if (!std::holds_alternative<resolver::DnsAnswer>(answer)) {
      state.SkipWithError("the message is not believed");
      return;
    }
    benchmark::DoNotOptimize(answer);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) *
                          static_cast<std::int64_t>(state.iterations()));
}

void read(benchmark::State& state, bool additional) {
  const auto bytes = message(state.range(0), additional);
  const auto parsed = resolver::parse_answer(bytes, {kName, resolver::RecordType::kSrv});
  const auto* answer = std::get_if<resolver::DnsAnswer>(&parsed);
  // Without the domain nothing is decoded, and every address is looked for among the given ones.
  const std::string_view domain = additional ? "" : "consul";
  for (auto _ : state) {
    const auto reading = resolver::read_srv(*answer, domain);
    if (static_cast<std::int64_t>(reading.instances.size()) != state.range(0)) {
      state.SkipWithError("instances are missing");
      return;
    }
    benchmark::DoNotOptimize(reading);
  }
}

}  // namespace

void register_lookups() {
  for (const bool additional : {false, true}) {
    const std::string variant = additional ? "with_addresses" : "addr_names";
    auto* parsed =
        benchmark::RegisterBenchmark(("srv_parse/" + variant).c_str(), parse, additional);
    auto* instances_of =
        benchmark::RegisterBenchmark(("srv_instances/" + variant).c_str(), read, additional);
    for (auto* each : {parsed, instances_of}) {
      each->Arg(3)->Arg(100)->Arg(300);
    }
  }
}

}  // namespace pilotfish::micro
