#include <string>
#include <utility>

#include "config/codecs.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

constexpr std::uint32_t kMany = 10'000'000;

/// `on:` is a list in the file and a flag each in the options.
Codec<balancer::RetryOptions> retry_causes() {
  using Retry = balancer::RetryOptions;
  static constexpr std::pair<const char*, bool Retry::*> kCauses[] = {
      {"connect", &Retry::on_connect}, {"reset", &Retry::on_reset}, {"502", &Retry::on_502},
      {"503", &Retry::on_503},         {"504", &Retry::on_504},
  };
  std::vector<std::pair<std::string, bool Retry::*>> words;
  for (const auto& [word, member] : kCauses) {
    words.emplace_back(word, member);
  }
  const auto list = list_of(word_of<bool Retry::*>(words), true, true);
  auto read = [list](const Scope& scope, const Node& node, Retry& out) {
    std::vector<bool Retry::*> given;
    if (!list.read(scope, node, given)) {
      return false;
    }
    for (const auto& [word, member] : kCauses) {
      out.*member = std::ranges::find(given, member) != given.end();
    }
    return true;
  };
  auto write = [list](const Retry& value) {
    std::vector<bool Retry::*> given;
    for (const auto& [word, member] : kCauses) {
      if (value.*member) {
        given.push_back(member);
      }
    }
    return list.write(given);
  };
  return {"list of connect, reset, 502, 503, 504", std::move(read), std::move(write), {}, {}};
}

}  // namespace

FieldTable<resolver::LookupOptions> lookup_table() {
  using Lookup = resolver::LookupOptions;
  FieldTable<Lookup> t;
  t.field("timeout", &Lookup::timeout, positive_duration(),
          "How long a connection waits for the registry before it uses the last good answer.");
  t.field("max_rate", &Lookup::max_rate, number(1, 1'000'000),
          "Lookups a second and name at most; above it, connections wait for the next one and "
          "share it.");
  return t;
}

FieldTable<balancer::FallbackOptions> fallback_table() {
  using Fallback = balancer::FallbackOptions;
  FieldTable<Fallback> t;
  t.field("min_healthy", &Fallback::min_healthy,
          text_codec<balancer::MinHealthy>(
              "number, or percentage", parse_min_healthy,
              [](const balancer::MinHealthy& value) -> std::optional<Node> {
                return Node::scalar(format_min_healthy(value));
              }),
          "A tier serves while it has this many eligible instances; a percentage is of its "
          "largest size in 10 minutes.");
  t.field("fail_back_after", &Fallback::fail_back_after, duration(),
          "Uninterrupted health of a better tier before traffic returns to it.");
  t.field("hold_empty", &Fallback::hold_empty, duration(),
          "How long the last good set serves after every tier answered empty.");
  return t;
}

FieldTable<proxy::Timeouts> timeouts_table() {
  FieldTable<proxy::Timeouts> t;
  t.field("head", &proxy::Timeouts::head, positive_duration(),
          "For the client to send a whole head.");
  t.field("body", &proxy::Timeouts::body, positive_duration(),
          "A body that stalls, either direction.");
  t.field("write", &proxy::Timeouts::write, positive_duration(), "A reader that stalls.");
  t.field("keep_alive", &proxy::Timeouts::keep_alive, positive_duration(),
          "An idle client connection.");
  t.field("pool_idle", &proxy::Timeouts::pool_idle, positive_duration(),
          "An idle pooled connection to an instance.");
  t.hints(timeouts_hints());
  return t;
}

FieldTable<balancer::RetryOptions> retry_table() {
  using Retry = balancer::RetryOptions;
  FieldTable<Retry> t;
  t.field("attempts", &Retry::attempts, number(0, 100), "Tries after the first one.");
  t.field(
      "on", [](auto& o) -> auto& { return o; }, retry_causes(),
      "What is tried again; only ever where that is safe.");
  t.field("budget", &Retry::budget_percent, percent(),
          "Retries as a share of the requests of the last 10 s; at least 3 a second.");
  t.field("backoff", &Retry::backoff, duration(),
          "Wait before a second try on the same instance, and from the third try on; doubles up to "
          "ten times of it, drawn from the upper half of its step; 0 is none.");
  return t;
}

FieldTable<balancer::EjectOptions> eject_table() {
  using Eject = balancer::EjectOptions;
  FieldTable<Eject> t;
  t.field("consecutive", &Eject::consecutive, number(0, 1'000'000),
          "Failures in a row that eject an instance; 0 turns ejection off.");
  t.field("base", &Eject::base, positive_duration(),
          "How long an instance is out, times the count of its ejections.");
  t.field("max", &Eject::max, positive_duration(), "The longest time out; at least `base`.");
  t.field("max_share", &Eject::max_share_percent, percent(),
          "Share of a tier that may be out; at least one instance may.");
  t.rule([](const Scope& scope, const Seen& seen, const Eject& o) {
    if (seen.good("base") && seen.good("max") && o.max < o.base) {
      const auto* key = seen.has("max") ? "max" : "base";
      scope.fail(seen.value_at(key), "max (" + format_duration(o.max) + ") is below base (" +
                                         format_duration(o.base) + "); raise max or lower base");
    }
  });
  return t;
}

FieldTable<balancer::LimitOptions> limits_table() {
  using Limits = balancer::LimitOptions;
  FieldTable<Limits> t;
  t.field("connections", &Limits::connections, number(1, kMany), "Connections to this upstream.");
  t.field("pending", &Limits::pending, number(0, kMany), "Requests waiting for a connection.");
  t.field("head", &Limits::head, size_between(256, 16UL << 20U), "The largest head.");
  t.field("body", &Limits::body, size(), "The largest request body; 0 is no limit.");
  t.hints(limits_hints());
  return t;
}

}  // namespace pilotfish::config
