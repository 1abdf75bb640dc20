#include <algorithm>

#include "config/codecs.hpp"
#include "config/names.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

using namespace std::chrono_literals;
using registry::Announcement;
using registry::CheckKind;
using registry::CheckOptions;
using registry::RegisterIn;

/// A check in the shape of the file: one key per kind.
struct CheckDraft {
  std::optional<std::string> http;
  std::optional<std::string> tcp;
  std::optional<Duration> ttl;
  std::optional<Duration> interval;
  std::optional<Duration> timeout;
  std::optional<Duration> deregister_after;
};

CheckOptions to_check(const CheckDraft& draft) {
  CheckOptions out;
  if (draft.http) {
    out.kind = CheckKind::kHttp;
    out.target = *draft.http;
  } else if (draft.tcp) {
    out.kind = CheckKind::kTcp;
    out.target = *draft.tcp;
  } else if (draft.ttl) {
    out.kind = CheckKind::kTtl;
    out.ttl = *draft.ttl;
  }
  out.interval = draft.interval.value_or(out.interval);
  out.timeout = draft.timeout.value_or(out.timeout);
  out.deregister_after = draft.deregister_after.value_or(out.deregister_after);
  return out;
}

CheckDraft to_draft(const CheckOptions& check) {
  CheckDraft out;
  switch (check.kind) {
    case CheckKind::kHttp: out.http = check.target; break;
    case CheckKind::kTcp: out.tcp = check.target; break;
    case CheckKind::kTtl: out.ttl = check.ttl; break;
    case CheckKind::kNone: break;
  }
  if (check.kind != CheckKind::kTtl) {
    out.interval = check.interval;
    out.timeout = check.timeout;
  }
  if (check.deregister_after != Duration::zero()) {
    out.deregister_after = check.deregister_after;
  }
  return out;
}

Codec<std::string> check_url() {
  auto codec =
      name("URL", [](std::string_view value) { return wrong_with_check_url(value, true); });
  codec.write = [](const std::string& value) -> std::optional<Node> {
    return Node::scalar(redact_url(value));
  };
  return codec;
}

Codec<std::string> check_address() {
  return name("HOST:PORT", [](std::string_view value) -> std::string {
    const auto parts = split_host_port(value);
    const bool good = parts && is_host(parts->host) && parse_port(parts->port);
    return good ? "" : "is no address to check; write HOST:PORT, like 127.0.0.1:5000";
  });
}

void check_kind(const Scope& scope, const Seen& seen, const CheckDraft& /*draft*/) {
  std::vector<const char*> given;
  bool all_good = true;
  for (const auto* key : {"http", "tcp", "ttl"}) {
    all_good = all_good && seen.good(key);
    if (seen.has(key)) {
      given.push_back(key);
    }
  }
  if (given.empty() && all_good) {
    scope.fail(scope.key_at(),
               "http, tcp or ttl is missing; add what is checked, like tcp: 127.0.0.1:5000");
  }
  if (given.size() > 1) {
    const auto later =
        std::ranges::max_element(given, {}, [&](const char* key) { return seen.key_at(key); });
    scope.fail(seen.key_at(*later), "only one of http, tcp and ttl may be given; keep one");
  } else if (seen.has("ttl")) {
    for (const auto* key : {"interval", "timeout"}) {
      if (seen.has(key)) {
        scope.fail(seen.key_at(key),
                   quote(key) +
                       " works only with http: or tcp:; a ttl is kept alive at a third of "
                       "its time");
      }
    }
  }
}

Codec<CheckOptions> check_codec() {
  FieldTable<CheckDraft> t;
  t.field("http", &CheckDraft::http, optional_of(check_url()),
          "Healthy while this URL answers 2xx. Exactly one of `http`, `tcp` and `ttl` is needed.");
  t.field("tcp", &CheckDraft::tcp, optional_of(check_address()),
          "Healthy while this address accepts connections.");
  t.field("ttl", &CheckDraft::ttl, optional_of(positive_duration()),
          "Healthy while the sidecar lives; kept alive at a third of this time.");
  t.field("interval", &CheckDraft::interval, optional_of(positive_duration()),
          "Time between two checks.")
      .otherwise(format_duration(CheckOptions{}.interval));
  t.field("timeout", &CheckDraft::timeout, optional_of(positive_duration()), "For one check.")
      .otherwise(format_duration(CheckOptions{}.timeout));
  t.field(
       "deregister_after", &CheckDraft::deregister_after, optional_of(duration()),
       "Withdrawn after being critical for this long, by the agent's check or by the sidecar's "
       "probe of the same address, until that answers again; 0 is never. Consul alone, without a "
       "sidecar, rounds up to 1m. Only Consul.")
      .otherwise("0s");
  t.rule(check_kind);
  return through<CheckOptions, CheckDraft>(t.codec(), to_check, to_draft);
}

FieldTable<registry::Weights> weights_table() {
  FieldTable<registry::Weights> t;
  t.field("passing", &registry::Weights::passing, number(1, 65535), "While its checks pass.");
  t.field("warning", &registry::Weights::warning, number(0, 65535), "While a check warns.");
  return t;
}

/// An announcement in the shape of the file: keys of one registry alone may be absent.
struct Draft {
  Announcement base;
  std::optional<registry::Weights> weights;
  std::optional<CheckOptions> check;
  std::optional<Duration> lease;
  std::optional<std::uint32_t> priority;
  std::optional<std::uint32_t> weight;
  std::optional<std::uint32_t> ttl;
};

Announcement to_announcement(const Draft& draft) {
  auto out = draft.base;
  out.weights = draft.weights.value_or(out.weights);
  out.check = draft.check.value_or(out.check);
  out.lease = draft.lease.value_or(out.lease);
  out.priority = draft.priority.value_or(out.priority);
  out.weight = draft.weight.value_or(out.weight);
  out.ttl = draft.ttl.value_or(out.ttl);
  return out;
}

Draft to_draft(const Announcement& value) {
  Draft out{value, {}, {}, {}, {}, {}, {}};
  if (value.check.kind != CheckKind::kNone) {
    out.check = value.check;
  }
  if (value.in == RegisterIn::kConsul) {
    out.weights = value.weights;
  } else {
    out.lease = value.lease;
    out.priority = value.priority;
    out.weight = value.weight;
    out.ttl = value.ttl;
  }
  return out;
}

void refuse(const Scope& scope, const Seen& seen, std::initializer_list<const char*> keys,
            const std::string& why) {
  for (const auto* key : keys) {
    if (seen.has(key)) {
      scope.fail(seen.key_at(key), quote(key) + " " + why);
    }
  }
}

void check_self(const Scope& scope, const Seen& seen, const Draft& draft) {
  if (!seen.good("self")) {
    return;
  }
  if (draft.base.self) {
    refuse(scope, seen, {"port", "check"},
           "cannot stand beside self: true, which means the admin port and its /ready; remove it");
  } else if (!seen.has("port") && seen.good("port")) {
    scope.fail(scope.key_at(),
               "\"port\" is missing; add port: 5000, or self: true for the sidecar");
  }
}

void check_etcd(const Scope& scope, const Seen& seen, const Draft& draft) {
  refuse(scope, seen, {"tags", "meta", "weights"}, "works only in Consul; remove it or in: etcd");
  if (!seen.has("srv") && seen.good("srv")) {
    scope.fail(scope.key_at(),
               "\"srv\" is missing, which in: etcd needs; add srv: _web._tcp.prom.local");
  }
  const auto* check = seen.node("check");
  if (check == nullptr || !draft.check) {
    return;
  }
  const auto inner = scope.child("check", seen.key_at("check"));
  if (const auto* ttl = check->find("ttl")) {
    inner.fail(ttl->at, "\"ttl\" works only in Consul; the lease does this in etcd, remove check");
  }
  if (const auto* after = check->find("deregister_after")) {
    inner.fail(after->at,
               "\"deregister_after\" works only in Consul; in etcd a failed check withdraws at "
               "once");
  }
  const auto* http = check->find("http");
  if (http != nullptr && http->text.starts_with("https://")) {
    inner.fail(http->at, quote(http->text) +
                             " needs TLS, and TLS is not supported yet; write "
                             "http://HOST:PORT/PATH");
  }
}

void check_registry(const Scope& scope, const Seen& seen, const Draft& draft) {
  if (!seen.good("in")) {
    return;
  }
  if (draft.base.in == RegisterIn::kEtcd) {
    check_etcd(scope, seen, draft);
  } else {
    refuse(scope, seen, {"srv", "lease", "priority", "weight", "ttl"},
           "works only with in: etcd; remove it or add in: etcd");
  }
}

Codec<std::string> host() {
  return name("IP or host name", [](std::string_view value) -> std::string {
    if (!IpAddress::parse(value) && split_host_port(value)) {
      return "has a port in it; write the address alone, and the port under port:";
    }
    return is_host(value) ? "" : "is neither an IP address nor a host name";
  });
}

Codec<std::vector<std::string>> tags() {
  auto codec = omit_when_empty(titled("list of tags", list_of(text("tag"), true, true)));
  codec.read = [inner = codec.read](const Scope& scope, const Node& node,
                                    std::vector<std::string>& out) {
    if (!inner(scope, node, out)) {
      return false;
    }
    for (std::size_t i = 1; i < out.size(); ++i) {
      if (std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(i), out[i]) !=
          out.begin() + static_cast<std::ptrdiff_t>(i)) {
        return scope.fail(node.item_at(i), "tag " + quote(out[i]) + " is given twice; keep one");
      }
    }
    return true;
  };
  return codec;
}

/// What Consul's agent accepts as service meta.
Codec<std::map<std::string, std::string>> meta() {
  using Map = std::map<std::string, std::string>;
  auto codec = omit_when_empty(text_map());
  codec.read = [inner = codec.read](const Scope& scope, const Node& node, Map& out) {
    bool good = inner(scope, node, out);
    for (const auto& entry : node.entries) {
      const bool plain = entry.key.size() <= 128 && std::ranges::all_of(entry.key, [](char c) {
                           return c != '.' && is_plain_name(std::string_view(&c, 1));
                         });
      if (!plain) {
        good = scope.fail(entry.key_at, quote(entry.key) +
                                            " is no key for Consul's meta; use letters, digits, _ "
                                            "and -, 128 at most");
      }
      if (entry.value.text.size() > 512) {
        good = scope.fail(entry.value.at, "the value of " + quote(entry.key) +
                                              " is longer than Consul's meta can be (512)");
      }
    }
    if (node.entries.size() > 63) {
      good =
          scope.fail(node.at,
                     "has more than 63 keys: Consul's meta can have 64, and one of them says which "
                     "sidecar announces the service");
    }
    return good;
  };
  return codec;
}

constexpr auto kBase = [](auto member) {
  return [member](auto& draft) -> auto& {
    return draft.base.*member;
  };
};

void add_common_fields(FieldTable<Draft>& t) {
  t.field(
      "self", kBase(&Announcement::self), boolean(),
      "The sidecar itself: its admin port, with `/ready` (in etcd: `/health`) checked every 2 s, "
      "timeout 1 s.");
  t.field("in", kBase(&Announcement::in),
          word_of<RegisterIn>({{"consul", RegisterIn::kConsul}, {"etcd", RegisterIn::kEtcd}}),
          "Which registry: Consul's agent, or etcd in the form that CoreDNS reads.");
  t.field("port", kBase(&Announcement::port), port(), "Where the service listens.")
      .otherwise("required, but not with `self`");
  t.field("name", kBase(&Announcement::name), name("name", wrong_with_label),
          "The service's name; the id is `<name>-<address>-<port>`.")
      .otherwise("the key");
  t.field("address", kBase(&Announcement::address), host(), "Where others reach the service.")
      .otherwise("Consul: its node's address; etcd: the local end of the route to it");
}

void add_consul_fields(FieldTable<Draft>& t) {
  t.field("tags", kBase(&Announcement::tags), tags(), "Tags, for `prefer`. Only Consul.")
      .otherwise("none");
  t.field("meta", kBase(&Announcement::meta), meta(), "Texts beside the service. Only Consul.")
      .otherwise("none");
  t.field("weights", &Draft::weights, optional_of(weights_table().codec()),
          "Weights in DNS answers. Only Consul.")
      .otherwise("see below");
  t.field("check", &Draft::check, optional_of(check_codec()),
          "What tells that the service is healthy; in etcd the sidecar checks it itself.")
      .otherwise("none: always healthy");
}

void add_etcd_fields(FieldTable<Draft>& t) {
  const Announcement initial;
  t.field("srv", kBase(&Announcement::srv), dns_name(),
          "The name under which CoreDNS serves it. Only etcd.")
      .otherwise("required with `in: etcd`");
  t.field("lease", &Draft::lease, optional_of(seconds(1s)),
          "How long the record outlives a sidecar that crashed. Only etcd.")
      .otherwise(format_duration(initial.lease));
  t.field("priority", &Draft::priority, optional_of(number(0, 65535)), "Of the record. Only etcd.")
      .otherwise(std::to_string(initial.priority));
  t.field("weight", &Draft::weight, optional_of(number(0, 65535)), "Of the record. Only etcd.")
      .otherwise(std::to_string(initial.weight));
  t.field("ttl", &Draft::ttl, optional_of(second_count()),
          "Of the record; 0 leaves it to CoreDNS. Only etcd.")
      .otherwise("0s");
}

}  // namespace

Codec<std::vector<Announcement>> announcements_codec() {
  FieldTable<Draft> t;
  add_common_fields(t);
  add_consul_fields(t);
  add_etcd_fields(t);
  t.rule(check_self);
  t.rule(check_registry);
  auto codec = entries_of<Announcement>(
      through<Announcement, Draft>(t.codec(), to_announcement,
                                   [](const Announcement& value) { return to_draft(value); }),
      "services",
      [](std::string_view key) -> std::string {
        return is_plain_name(key) ? "" : "is no key for a service; use letters, digits, _ . -";
      },
      &Announcement::key);
  codec.read = [inner = codec.read](const Scope& scope, const Node& node,
                                    std::vector<Announcement>& out) {
    const bool good = inner(scope, node, out);
    for (auto& value : out) {
      if (value.name.empty()) {
        value.name = value.key;
      }
    }
    return good;
  };
  return codec;
}

}  // namespace pilotfish::config
