#include <algorithm>
#include <thread>

#include "config/codecs.hpp"
#include "config/names.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

using namespace std::chrono_literals;

Codec<std::optional<Endpoint>> admin_address() {
  auto parse = [](std::string_view value) -> Parsed<std::optional<Endpoint>> {
    if (value == "off") {
      return std::optional<Endpoint>();
    }
    const auto parsed = parse_endpoint(value, true);
    if (const auto* mistake = std::get_if<Mistake>(&parsed)) {
      return Mistake{mistake->what + ", or off"};
    }
    return std::optional(std::get<Endpoint>(parsed));
  };
  auto write = [](const std::optional<Endpoint>& value) -> std::optional<Node> {
    return Node::scalar(value ? value->to_string() : "off", !value);
  };
  return text_codec<std::optional<Endpoint>>("address IP:PORT, or off", parse, write);
}

Codec<std::uint32_t> worker_count() {
  static constexpr std::uint32_t kMost = 1024;
  auto parse = [](std::string_view value) -> Parsed<std::uint32_t> {
    if (value == "auto") {
      return std::clamp(std::thread::hardware_concurrency(), 1U, kMost);
    }
    auto parsed = parse_number(value, 1, kMost);
    if (const auto* mistake = std::get_if<Mistake>(&parsed)) {
      return Mistake{mistake->what + ", or auto"};
    }
    return parsed;
  };
  return text_codec<std::uint32_t>("number, 1 to 1024, or auto", parse, number(1, kMost).write);
}

Codec<std::string> access_target() {
  auto parse = [](std::string_view value) -> Parsed<std::string> {
    const auto lower = to_lower(value);
    for (const auto* word : {"on", "true", "false", "yes", "no", "none"}) {
      if (lower == word) {
        return Mistake{"is no place for the access log; write off, stdout, stderr or a path"};
      }
    }
    if (!is_printable(value)) {
      return Mistake{"has a control character; remove it"};
    }
    return std::string(value);
  };
  auto write = [](const std::string& value) -> std::optional<Node> {
    return Node::scalar(value, value == "off");
  };
  return text_codec<std::string>("off, stdout, stderr or a path", parse, write);
}

Codec<std::string> consul_address() {
  auto parse = [](std::string_view value) -> Parsed<std::string> {
    std::string why;
    auto url = consul_url(value, &why);
    if (url.empty()) {
      return Mistake{why};
    }
    return url;
  };
  return text_codec<std::string>("http://HOST:PORT, HOST:PORT or unix://PATH", parse,
                                 text("").write);
}

Codec<std::string> etcd_prefix() {
  return name("path like /skydns", [](std::string_view value) -> std::string {
    const bool good = value.starts_with('/') && value.size() > 1 && !value.ends_with('/') &&
                      std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7F; });
    return good ? "" : "is no key prefix; write one like /skydns, without a slash at its end";
  });
}

FieldTable<LogOptions> log_table() {
  FieldTable<LogOptions> t;
  t.field("level", &LogOptions::level,
          word_of<LogLevel>({{"debug", LogLevel::kDebug},
                             {"info", LogLevel::kInfo},
                             {"warn", LogLevel::kWarn},
                             {"error", LogLevel::kError}}),
          "The least important messages that are written.");
  t.field("format", &LogOptions::format,
          word_of<LogFormat>({{"text", LogFormat::kText}, {"json", LogFormat::kJson}}),
          "How messages and the access log are written.");
  t.field("access", &LogOptions::access, access_target(),
          "Where the access log goes: one line per request or TCP connection.");
  return t;
}

FieldTable<RootOptions> consul_table() {
  FieldTable<RootOptions> t;
  t.field(
      "http", [](auto& o) -> auto& { return o.consul_http.url; }, consul_address(),
      "The agent's HTTP API. `CONSUL_HTTP_ADDR` overrides it; the ACL token comes from "
      "`CONSUL_HTTP_TOKEN_FILE` or `CONSUL_HTTP_TOKEN`, never from this file.");
  t.field(
      "dns", [](auto& o) -> auto& { return o.consul_dns.server; }, endpoint(false),
      "The agent's DNS, which `consul:` upstreams ask.");
  t.field(
      "domain", [](auto& o) -> auto& { return o.consul_dns.domain; }, dns_name(),
      "The domain that Consul serves.");
  t.field(
       "only_passing", [](auto& o) -> auto& { return o.consul_http.only_passing; },
       optional_of(boolean()),
       "The agent's `dns_config.only_passing`: true where its DNS leaves out instances in state "
       "warning, so that `fresh: watch` does too. Needed where the token may not ask "
       "`/v1/agent/self` (agent:read).")
      .otherwise("asked of the agent; false where it does not say");
  t.hints(consul_hints());
  return t;
}

FieldTable<registry::EtcdOptions> etcd_table() {
  FieldTable<registry::EtcdOptions> t;
  t.field("endpoints", &registry::EtcdOptions::endpoints,
          titled("list of http://HOST:PORT", list_of(base_url(), true)),
          "Members of the etcd cluster, tried in turn (the v3 JSON gateway).");
  t.field("prefix", &registry::EtcdOptions::prefix, etcd_prefix(),
          "CoreDNS's `path`: what record keys begin with.");
  t.hints(etcd_hints());
  return t;
}

FieldTable<RootOptions> shutdown_table() {
  FieldTable<RootOptions> t;
  t.field("grace", &RootOptions::grace, duration(),
          "After SIGTERM: so long everything is still served as before, new connections too, while "
          "registrations are withdrawn and `/ready` fails; then the drain begins. For applications "
          "that stop beside their sidecar and still call out.");
  t.field("drain", &RootOptions::drain, duration(),
          "How long running requests and connections may still take after SIGTERM, and `grace`.");
  t.hints(shutdown_hints());
  return t;
}

/// The whole of RootOptions: for tables whose keys lie deeper in the file than in the struct.
constexpr auto kSelf = [](auto& o) -> auto& {
  return o;
};

}  // namespace

FieldTable<RootOptions> root_table() {
  FieldTable<RootOptions> t;
  t.field(
      "admin", [](auto& o) -> auto& { return o.admin.listen; }, admin_address(),
      "Where metrics, health and status are served. Anything but loopback also needs "
      "`admin_public: true`.");
  t.field(
      "admin_public", [](auto& o) -> auto& { return o.admin.is_public; }, boolean(),
      "Allows an `admin` address that other machines can reach.");
  t.field("workers", &RootOptions::workers, worker_count(),
          "Threads that carry traffic, each a whole proxy; auto is one per processor.");
  t.field("max_clients", &RootOptions::max_clients, number(1, 10'000'000),
          "Client connections in all; above it accepting pauses.");
  t.field("state_dir", &RootOptions::state_dir, text("path"),
          "Where the last good answers are kept, for a restart while the registry is down.")
      .otherwise("none: nothing is kept");
  t.field("log", &RootOptions::log, log_table().codec(), "The program's own messages.");
  t.field("shutdown", kSelf, shutdown_table().codec(), "How the sidecar ends.");
  t.field("consul", kSelf, consul_table().codec(), "The local Consul agent.");
  t.field("dns", &RootOptions::dns,
          titled("list of IP:PORT", omit_when_empty(list_of(endpoint(false), true))),
          "Servers that `srv:` upstreams ask.")
      .otherwise("the system's resolvers");
  t.field("etcd", &RootOptions::etcd, etcd_table().codec(),
          "Only for `register:` entries with `in: etcd`.");
  t.field("upstreams", &RootOptions::upstreams, omit_when_empty(upstreams_codec()),
          "What the application calls, each under a name of its own.")
      .otherwise("required, unless there is `register`");
  t.field("register", &RootOptions::announcements, omit_when_empty(announcements_codec()),
          "What is announced to the registry, each under a name of its own.")
      .otherwise("nothing is announced");
  t.rule([](const Scope& scope, const Seen& seen, const RootOptions& /*options*/) {
    const bool idle = !seen.has("upstreams") && !seen.has("register");
    if (idle && seen.good("upstreams") && seen.good("register")) {
      scope.fail(scope.key_at(),
                 "\"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
                 "consul: billing}}");
    }
  });
  t.hints(root_hints());
  t.rule([](const Scope& scope, const Seen& seen, const RootOptions& o) {
    if (o.admin.listen && !o.admin.listen->address.is_loopback() && !o.admin.is_public &&
        seen.good("admin") && seen.good("admin_public")) {
      scope.fail_plainly(seen.value_at("admin"),
                         "admin: " + quote(o.admin.listen->to_string()) +
                             " can be reached from other machines; add admin_public: true if that "
                             "is wanted, or use 127.0.0.1");
    }
  });
  return t;
}

}  // namespace pilotfish::config
