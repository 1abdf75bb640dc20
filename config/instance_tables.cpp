// What the sidecar itself asks the instances of an upstream, and what Host says to them.
#include "config/instance_tables.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "config/codecs.hpp"
#include "config/field_table.hpp"
#include "config/names.hpp"

namespace pilotfish::config {
namespace {

using proxy::ActiveCheck;
using proxy::ActiveCheckKind;
using proxy::HostRule;

/// The check in the shape of the file: its kinds side by side.
struct CheckDraft {
  ActiveCheck check;
  std::optional<std::string> http;
  std::optional<bool> tcp;
};

Parsed<std::string> parse_path(std::string_view text) {
  if (!text.starts_with('/')) {
    return Mistake{"is no path; write one like /health"};
  }
  const bool sendable = std::ranges::all_of(
      text, [](char c) { return c > ' ' && static_cast<unsigned char>(c) < 0x7F && c != '#'; });
  if (!sendable) {
    return Mistake{"cannot be sent as a path; write spaces and other letters as %20, %C3%A4"};
  }
  return std::string(text);
}

Codec<std::string> path() {
  return text_codec<std::string>(
      "path", parse_path,
      [](const std::string& value) -> std::optional<Node> { return Node::scalar(value); });
}

void check_kind(const Scope& scope, const Seen& seen, const CheckDraft& draft) {
  if (seen.has("http") && seen.has("tcp")) {
    scope.fail(seen.key_at("tcp"), "only one of http and tcp may be given; keep one");
    return;
  }
  if (!seen.has("http") && !seen.has("tcp") && seen.good("http") && seen.good("tcp")) {
    scope.fail(scope.key_at(), "http or tcp is missing; add http: /health or tcp: true");
  }
  if (draft.tcp && !*draft.tcp && seen.good("tcp")) {
    scope.fail(seen.value_at("tcp"), "tcp: false checks nothing; write tcp: true, or remove check");
  }
}

ActiveCheck to_check(const CheckDraft& draft) {
  auto out = draft.check;
  out.kind = draft.http  ? ActiveCheckKind::kHttp
             : draft.tcp ? ActiveCheckKind::kTcp
                         : ActiveCheckKind::kNone;
  out.path = draft.http.value_or("");
  return out;
}

CheckDraft to_check_draft(const ActiveCheck& check) {
  CheckDraft out;
  out.check = check;
  if (check.kind == ActiveCheckKind::kHttp) {
    out.http = check.path;
  } else if (check.kind == ActiveCheckKind::kTcp) {
    out.tcp = true;
  }
  return out;
}

Parsed<HostRule> parse_host_rule(std::string_view text) {
  if (text == "keep") {
    return HostRule{};
  }
  if (text == "instance") {
    return HostRule{HostRule::Kind::kInstance, {}};
  }
  const auto parts = split_host_port(text);
  const bool with_port = parts && is_host(parts->host) && parse_port(parts->port);
  if (!with_port && !is_host(text)) {
    return Mistake{"is neither keep, instance nor a host; write one like billing.internal"};
  }
  return HostRule{HostRule::Kind::kName, std::string(text)};
}

constexpr auto kCheck = [](auto member) {
  return [member](auto& draft) -> auto& {
    return draft.check.*member;
  };
};

}  // namespace

Codec<ActiveCheck> active_check() {
  FieldTable<CheckDraft> t;
  t.field("http", &CheckDraft::http, optional_of(path()),
          "A path that is got from each instance; an answer of 2xx passes. One of `http` and `tcp` "
          "is needed.");
  t.field("tcp", &CheckDraft::tcp, optional_of(boolean()), "true: a connection passes.");
  t.field("interval", kCheck(&ActiveCheck::interval), positive_duration(),
          "From one probe of an instance to the next, give or take a tenth.");
  t.field("timeout", kCheck(&ActiveCheck::timeout), positive_duration(),
          "For one probe, its connection included.");
  t.field("healthy", kCheck(&ActiveCheck::healthy), number(1, 1'000'000),
          "Passes in a row that bring an unhealthy instance back.");
  t.field("unhealthy", kCheck(&ActiveCheck::unhealthy), number(1, 1'000'000),
          "Failures in a row that take an instance out; of a new one the first probe decides.");
  t.rule(check_kind);
  auto codec = through<ActiveCheck, CheckDraft>(t.codec(), to_check, to_check_draft);
  // A word that a later release knows, and that people try: no key of the table as yet.
  codec.read = [inner = codec.read](const Scope& scope, const Node& node, ActiveCheck& out) {
    const auto grpc = std::ranges::find(node.entries, "grpc", &Entry::key);
    return grpc == node.entries.end()
               ? inner(scope, node, out)
               : scope.fail(grpc->key_at,
                            "grpc checks are not built yet; write http: PATH or tcp: true");
  };
  codec.write = [inner = codec.write](const ActiveCheck& value) -> std::optional<Node> {
    return value.kind == ActiveCheckKind::kNone ? std::nullopt : inner(value);
  };
  return codec;
}

Codec<HostRule> host_rule() {
  return text_codec<HostRule>("keep, instance, or a name", parse_host_rule,
                              [](const HostRule& value) -> std::optional<Node> {
                                switch (value.kind) {
                                  case HostRule::Kind::kKeep: return Node::scalar("keep");
                                  case HostRule::Kind::kInstance: return Node::scalar("instance");
                                  case HostRule::Kind::kName: return Node::scalar(value.name);
                                }
                                return std::nullopt;
                              });
}

}  // namespace pilotfish::config
