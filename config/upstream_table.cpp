#include <algorithm>

#include "config/codecs.hpp"
#include "config/host_names.hpp"
#include "config/instance_tables.hpp"
#include "config/names.hpp"
#include "config/selection_table.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

using balancer::Algorithm;
using proxy::Protocol;
using resolver::Freshness;
using Tiers = std::vector<resolver::ConsulTier>;

/// An upstream in the shape of the file: the source's keys side by side.
struct UpstreamDraft {
  proxy::UpstreamOptions options;
  std::optional<ConsulTarget> consul;
  std::optional<Tiers> prefer;
  std::optional<std::vector<std::string>> srv;
  std::vector<Endpoint> dns;
  std::optional<InstanceList> fixed;
  std::optional<std::vector<resolver::HostPort>> hosts;
  std::optional<proxy::HashOn> hash_on;
};

proxy::UpstreamOptions to_options(const UpstreamDraft& draft) {
  auto out = draft.options;
  if (draft.consul) {
    // Consul lowers the names of its datacenters, and its API knows them by no other.
    resolver::ConsulSource source{draft.consul->service, to_lower(draft.consul->datacenter)};
    source.tiers = draft.prefer.value_or(source.tiers);
    for (auto& tier : source.tiers) {
      tier.datacenter = to_lower(tier.datacenter);
    }
    out.source = std::move(source);
  } else if (draft.srv) {
    out.source = resolver::SrvSource{*draft.srv, draft.dns};
  } else if (draft.hosts) {
    out.source = resolver::HostsSource{*draft.hosts, draft.dns};
  } else if (draft.fixed) {
    auto instances = *draft.fixed;
    normalise(instances);
    out.source = resolver::StaticSource{std::move(instances)};
  }
  out.hash_on = draft.hash_on.value_or(proxy::HashOn{});
  return out;
}

bool hashes(Algorithm algorithm) {
  return algorithm == Algorithm::kRingHash || algorithm == Algorithm::kMaglev;
}

UpstreamDraft to_draft(const proxy::UpstreamOptions& options) {
  UpstreamDraft out;
  out.options = options;
  if (const auto* consul = std::get_if<resolver::ConsulSource>(&options.source)) {
    out.consul = ConsulTarget{consul->service, consul->datacenter};
    out.prefer = consul->tiers;
  } else if (const auto* srv = std::get_if<resolver::SrvSource>(&options.source)) {
    out.srv = srv->names;
    out.dns = srv->servers;
  } else if (const auto* hosts = std::get_if<resolver::HostsSource>(&options.source)) {
    out.hosts = hosts->hosts;
    out.dns = hosts->servers;
  } else {
    out.fixed = std::get<resolver::StaticSource>(options.source).instances;
  }
  if (hashes(options.cluster.algorithm) || options.hash_on != proxy::HashOn{}) {
    out.hash_on = options.hash_on;
  }
  return out;
}

void check_source(const Scope& scope, const Seen& seen, const UpstreamDraft& draft) {
  std::vector<std::string> given;
  bool all_good = true;
  for (const auto* key : {"consul", "srv", "hosts", "static"}) {
    all_good = all_good && seen.good(key);
    if (seen.has(key)) {
      given.emplace_back(key);
    }
  }
  if (given.empty() && all_good) {
    scope.fail(scope.key_at(), "consul, srv, hosts or static is missing; add consul: SERVICE");
  }
  if (given.size() > 1) {
    const auto later = std::ranges::max_element(
        given, {}, [&](const std::string& key) { return seen.key_at(key); });
    scope.fail(seen.key_at(*later),
               "only one of consul, srv, hosts and static may be given; keep one");
    return;
  }
  if (seen.has("prefer") && !given.empty() && !seen.has("consul")) {
    scope.fail(seen.key_at("prefer"),
               "\"prefer\" works only with consul:; " +
                   std::string(seen.has("srv")     ? "list several names under srv: instead"
                               : seen.has("hosts") ? "list several names under hosts: instead"
                                                   : "use priority in static: instead"));
  }
  const bool asks_dns = seen.has("srv") || seen.has("hosts");
  if (seen.has("dns") && !given.empty() && !asks_dns) {
    scope.fail(seen.key_at("dns"), "\"dns\" works only with srv: and hosts:; remove it");
  }
  if (asks_dns && seen.good("fresh") && draft.options.fresh == Freshness::kWatch) {
    scope.fail(seen.value_at("fresh"),
               "\"watch\" works only with consul:; write connection or ttl");
  }
}

void check_hash(const Scope& scope, const Seen& seen, const UpstreamDraft& draft) {
  if (!seen.good("balance") || !seen.good("hash_on")) {
    return;
  }
  const bool needed = hashes(draft.options.cluster.algorithm);
  if (needed && !seen.has("hash_on")) {
    scope.fail(seen.value_at("balance"),
               "\"hash_on\" is missing, which ring_hash and maglev need; add hash_on: source_ip "
               "or hash_on: header:NAME");
  }
  if (needed && draft.hash_on && !draft.hash_on->source_ip && seen.good("protocol") &&
      draft.options.protocol == Protocol::kTcp) {
    scope.fail(seen.value_at("hash_on"),
               "a header cannot be hashed on with protocol: tcp; write source_ip");
  }
}

void check_host(const Scope& scope, const Seen& seen, const UpstreamDraft& draft) {
  if (seen.good("host") && seen.good("protocol") && draft.options.protocol == Protocol::kTcp &&
      draft.options.host != proxy::HostRule{}) {
    scope.fail(seen.key_at("host"), "\"host\" works only with protocol: http; remove it");
  }
  if (seen.good("client_half_close") && seen.good("protocol") &&
      draft.options.protocol == Protocol::kTcp &&
      draft.options.client_half_close != proxy::ClientHalfClose::kAbort) {
    scope.fail(seen.key_at("client_half_close"),
               "\"client_half_close\" works only with protocol: http; remove it (tcp passes a "
               "half-close on)");
  }
}

constexpr auto kOptions = [](auto member) {
  return [member](auto& draft) -> auto& {
    return draft.options.*member;
  };
};

Codec<proxy::ListenAddress> listen_address() {
  auto codec = text_codec<proxy::ListenAddress>(
      "address IP:PORT, or fd:NAME", parse_listen,
      [](const proxy::ListenAddress& value) -> std::optional<Node> {
        return Node::scalar(value.to_string());
      });
  codec.read = [inner = codec.read](const Scope& scope, const Node& node,
                                    proxy::ListenAddress& out) {
    if (node.kind == Node::Kind::kMap) {
      return scope.fail(node.at,
                        "a map (tls, proxy_protocol, mode) is not built yet; write an address "
                        "like 127.0.0.1:7001");
    }
    return inner(scope, node, out);
  };
  return codec;
}

void add_entry_fields(FieldTable<UpstreamDraft>& t) {
  using Options = proxy::UpstreamOptions;
  t.required("listen", kOptions(&Options::listen), listen_address(), "listen: 127.0.0.1:7001",
             "Where the application calls it: an address, or a socket inherited from systemd "
             "(`FileDescriptorName=`).");
  t.field("protocol", kOptions(&Options::protocol),
          word_of<Protocol>({{"http", Protocol::kHttp}, {"tcp", Protocol::kTcp}}, protocol_hints()),
          "HTTP/1.1 with balancing per request, or bytes with balancing per connection.");
  t.field("required", kOptions(&Options::required), boolean(),
          "Whether `/ready` fails while it has no instance.");
  t.field(
      "enabled", kOptions(&Options::enabled), boolean(),
      "false: answers 503 `disabled by configuration` (tcp: closes the connection), and does not "
      "fail `/ready`.");
  t.field("drain", kOptions(&Options::drain), drain(),
          "Instances that get no new requests, by address or by node; what runs there finishes. "
          "`node:` needs `fresh: watch`: DNS does not say what runs where.")
      .otherwise("none");
}

void add_source_fields(FieldTable<UpstreamDraft>& t) {
  t.field("consul", &UpstreamDraft::consul, optional_of(consul_target()),
          "The service in Consul. Exactly one of `consul`, `srv`, `hosts` and `static` is needed.");
  t.field("prefer", &UpstreamDraft::prefer, optional_of(prefer()),
          "Ordered tiers of instances; the first with enough healthy ones serves. Only with "
          "`consul`.")
      .otherwise("[any]");
  t.field(
       "split", [](auto& d) -> auto& { return d.options.cluster.split; }, split_shares(),
       "Shares of the requests (tcp: connections) that go to instances with that tag, while there "
       "is an eligible one; the rest, and what finds none, follows `prefer`. In tenths of a "
       "percent, at most 100 % together. Only with `consul`.")
      .otherwise("none");
  t.field(
      "choose_by", kOptions(&proxy::UpstreamOptions::choose_by), choose_by(),
      "A request whose header names a tag (or `a+b`) of `prefer` or `split` goes there while it "
      "has an eligible instance; others follow `prefer`. Only with `consul` and http.");
  t.field("srv", &UpstreamDraft::srv, optional_of(srv_names()),
          "SRV records to look up; several names are ordered tiers.");
  t.field(
      "hosts", &UpstreamDraft::hosts, optional_of(host_names()),
      "Names with a port, like app.internal:8080: each address of their A and AAAA records is an "
      "instance; several names are ordered tiers.");
  t.field("dns", &UpstreamDraft::dns,
          titled("list of IP:PORT", omit_when_empty(list_of(endpoint(false), true))),
          "Servers to ask for `srv` and `hosts`.")
      .otherwise("`dns` of the top level");
  t.field("static", &UpstreamDraft::fixed, optional_of(static_instances()),
          "Fixed instances, without a registry.");
  t.field(
      "fresh", kOptions(&proxy::UpstreamOptions::fresh),
      word_of<Freshness>({{"connection", Freshness::kConnection},
                          {"ttl", Freshness::kTtl},
                          {"watch", Freshness::kWatch}}),
      "connection: a lookup precedes every connection; ttl: answers live as long as their "
      "TTL; watch (consul: alone): the agent's API tells of each change by a blocking query, one "
      "per service for the whole process; while it fails, as connection. Best for services of "
      "more than about 500 instances.");
  t.field("lookup", kOptions(&proxy::UpstreamOptions::lookup), lookup_table().codec(),
          "How the registry is asked.");
}

void add_balance_fields(FieldTable<UpstreamDraft>& t) {
  t.field(
      "fallback", [](auto& d) -> auto& { return d.options.cluster.fallback; },
      fallback_table().codec(), "When traffic moves between tiers.");
  t.field(
      "balance", [](auto& d) -> auto& { return d.options.cluster.algorithm; },
      word_of<Algorithm>({{"least_request", Algorithm::kLeastRequest},
                          {"round_robin", Algorithm::kRoundRobin},
                          {"random", Algorithm::kRandom},
                          {"peak_ewma", Algorithm::kPeakEwma},
                          {"ring_hash", Algorithm::kRingHash},
                          {"maglev", Algorithm::kMaglev}}),
      "How one instance of a tier is chosen.");
  t.field(
      "hash_on", &UpstreamDraft::hash_on,
      optional_of(text_codec<proxy::HashOn>("source_ip, or header:NAME", parse_hash_on,
                                            [](const proxy::HashOn& value) -> std::optional<Node> {
                                              return Node::scalar(format_hash_on(value));
                                            })),
      "What stays with one instance; needed by ring_hash and maglev, unused by the others.");
  t.field("sticky", kOptions(&proxy::UpstreamOptions::sticky), sticky(),
          "The instance that answered first keeps the client, by a cookie, while it is eligible. "
          "Only with http.")
      .otherwise("off");
}

void add_limit_fields(FieldTable<UpstreamDraft>& t) {
  using Options = proxy::UpstreamOptions;
  t.field("connect_timeout", kOptions(&Options::connect_timeout), positive_duration(),
          "For one connection to an instance; also how long a request waits for a free one.");
  t.field("request_timeout", kOptions(&Options::request_timeout), positive_duration(),
          "From the last request byte sent upstream to the answer's head, over all tries.");
  t.field("idle_timeout", kOptions(&Options::idle_timeout), positive_duration(),
          "A TCP or upgraded connection on which nothing moves.");
  using proxy::ClientHalfClose;
  t.field(
      "client_half_close", kOptions(&Options::client_half_close),
      word_of<ClientHalfClose>(
          {{"abort", ClientHalfClose::kAbort}, {"serve", ClientHalfClose::kServe}}),
      "HTTP: what a client's FIN behind a whole request means. abort: it went away, its request is "
      "cancelled; serve: it sends no more and reads its answers.");
  t.field("timeouts", kOptions(&Options::timeouts), timeouts_table().codec(),
          "The other deadlines of HTTP.");
  t.field("host", kOptions(&Options::host), host_rule(),
          "What Host says to the instances: keep is what the client said, instance is its name (of "
          "srv: "
          "and hosts:) or address, with its port; anything else is that name. http only.");
  t.field("check", kOptions(&Options::check), active_check(),
          "An active check of each instance by the sidecar; one that fails gets no requests until "
          "it passes.");
  t.field("retry", kOptions(&Options::retry), retry_table().codec(),
          "When another instance is tried.");
  t.field(
      "eject", [](auto& d) -> auto& { return d.options.cluster.eject; }, eject_table().codec(),
      "When an instance that fails is left out for a while.");
  t.field("limits", kOptions(&Options::limits), limits_table().codec(),
          "Bounds; connections and pending are divided among the workers.");
  t.field(
      "slow_start", [](auto& d) -> auto& { return d.options.cluster.slow_start; }, duration(),
      "How long a new instance takes to get its full share; 0 is at once.");
}

}  // namespace

Codec<std::vector<proxy::UpstreamOptions>> upstreams_codec() {
  FieldTable<UpstreamDraft> t;
  add_entry_fields(t);
  add_source_fields(t);
  add_balance_fields(t);
  add_limit_fields(t);
  t.hints(upstream_hints());
  t.rule(check_source);
  t.rule([](const Scope& scope, const Seen& seen, const UpstreamDraft& draft) {
    check_selection(scope, seen, to_options(draft));
  });
  t.rule(check_hash);
  t.rule(check_host);
  return entries_of<proxy::UpstreamOptions>(
      through<proxy::UpstreamOptions, UpstreamDraft>(t.codec(), to_options, to_draft), "upstreams",
      [](std::string_view key) -> std::string {
        return is_plain_name(key) ? "" : "is no name for an upstream; use letters, digits, _ . -";
      },
      &proxy::UpstreamOptions::name);
}

}  // namespace pilotfish::config
