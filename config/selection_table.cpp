#include "config/selection_table.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "config/codecs.hpp"
#include "config/names.hpp"

namespace pilotfish::config {
namespace {

using resolver::ConsulTier;
using Tags = std::vector<std::string>;

/// Tags that an instance must have, or must not have; one may stand alone. "any" is none.
Codec<Tags> tag_list(std::string what) {
  const auto tag = name("tag", wrong_with_tag);
  auto codec = list_of(tag, true);
  codec.read = [tag, what](const Scope& scope, const Node& node, Tags& out) {
    out.clear();
    const bool alone = node.kind == Node::Kind::kScalar;
    if (!alone && node.kind != Node::Kind::kSequence) {
      return scope.fail(node.at, "must be a tag or a list of tags, not " + node.describe());
    }
    if (!alone && node.items.empty()) {
      return scope.fail(node.at, what + " without tags; write any for all instances");
    }
    bool good = true;
    for (const auto& item : alone ? std::vector<Node>{node} : node.items) {
      if (item.kind == Node::Kind::kScalar && item.text == "any") {
        good = scope.fail(item.at, "\"any\" cannot stand among tags; it is a tier of its own");
        continue;
      }
      std::string value;
      if (!tag.read(scope, item, value)) {
        good = false;
      } else if (std::ranges::find(out, value) != out.end()) {
        good = scope.fail(item.at, "tag " + quote(value) + " is given twice in one tier");
      } else {
        out.push_back(std::move(value));
      }
    }
    return good;
  };
  return codec;
}

FieldTable<ConsulTier> tier_table() {
  FieldTable<ConsulTier> t;
  t.field("tags", &ConsulTier::tags, omit_when_empty(tag_list("a tier")),
          "Tags that an instance must have, all of them.")
      .otherwise("none needed");
  t.field("datacenter", &ConsulTier::datacenter, name("datacenter", wrong_with_label),
          "Where to look for it.")
      .otherwise("that of `consul`");
  t.field("not", &ConsulTier::without, omit_when_empty(tag_list("a list")),
          "Tags of which it may have none. Only with `fresh: watch`.")
      .otherwise("none");
  t.field("meta", &ConsulTier::meta, omit_when_empty(text_map()),
          "What its `Meta` in the registry must say, word for word. Only with `fresh: watch`.")
      .otherwise("none");
  t.rule([](const Scope& scope, const Seen& seen, const ConsulTier& tier) {
    const bool all_good = seen.good("") && seen.good("tags") && seen.good("not") &&
                          seen.good("datacenter") && seen.good("meta");
    if (all_good && tier == ConsulTier{}) {
      scope.fail(seen.value_at(""), "a tier that asks for nothing; write any for all instances");
    }
    for (const auto& tag : tier.without) {
      if (std::ranges::find(tier.tags, tag) != tier.tags.end()) {
        scope.fail(seen.value_at("not"),
                   "no instance can have tag " + quote(tag) + " and not have it; remove one");
      }
    }
  });
  return t;
}

/// One tier: a tag, a list of tags, any (no tag), or a map.
Codec<ConsulTier> tier() {
  const auto tags = tag_list("a tier");
  const auto as_map = tier_table().codec();
  auto read = [tags, as_map](const Scope& scope, const Node& node, ConsulTier& out) {
    out = {};
    if (node.kind == Node::Kind::kMap) {
      return as_map.read(scope, node, out);
    }
    if (node.kind == Node::Kind::kScalar && node.text == "any") {
      return true;
    }
    if (node.kind != Node::Kind::kScalar && node.kind != Node::Kind::kSequence) {
      return scope.fail(
          node.at, "a tier must be a tag, a list of tags, any or a map, not " + node.describe());
    }
    return tags.read(scope, node, out.tags);
  };
  auto write = [as_map](const ConsulTier& tier) -> std::optional<Node> {
    if (tier != ConsulTier(tier.tags)) {
      return as_map.write(tier);
    }
    if (tier.tags.empty()) {
      return Node::scalar("any");
    }
    const auto tag = name("tag", wrong_with_tag);
    return tier.tags.size() == 1 ? tag.write(tier.tags.front())
                                 : list_of(tag, false).write(tier.tags);
  };
  return {"tag, list of tags, any, or map", std::move(read), std::move(write), as_map.inside, {}};
}

auto identity(const ConsulTier& tier) {
  return std::tuple(std::set<std::string>(tier.tags.begin(), tier.tags.end()), tier.datacenter,
                    std::set<std::string>(tier.without.begin(), tier.without.end()), tier.meta);
}

Parsed<std::uint32_t> parse_permille(std::string_view text) {
  Mistake mistake{"is not a share; write a percentage with at most one decimal, like 5% or 0.5%"};
  if (!text.ends_with('%')) {
    return mistake;
  }
  text.remove_suffix(1);
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  const auto tenth = dot == std::string_view::npos ? std::string_view("0") : text.substr(dot + 1);
  const auto digits = [](std::string_view part, std::size_t most) {
    return !part.empty() && part.size() <= most &&
           part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!digits(whole, 3) || !digits(tenth, 1)) {
    return mistake;
  }
  const auto value = static_cast<std::uint32_t>(std::stoul(std::string(whole)) * 10) +
                     static_cast<std::uint32_t>(tenth.front() - '0');
  return value <= 1000 ? Parsed<std::uint32_t>(value) : Mistake{"is more than 100%"};
}

std::string format_permille(std::uint32_t value) {
  return std::to_string(value / 10) + (value % 10 == 0 ? "" : "." + std::to_string(value % 10)) +
         "%";
}

std::string joined(const Tags& tags) {
  std::string out;
  for (const auto& tag : tags) {
    out += (out.empty() ? "" : "+") + tag;
  }
  return out;
}

/// "a+b" as its tags.
bool read_tags(const Scope& scope, const Entry& entry, Tags& out) {
  std::string_view rest = entry.key;
  for (bool more = true; more;) {
    const auto plus = rest.find('+');
    const std::string tag(rest.substr(0, plus));
    more = plus != std::string_view::npos;
    rest.remove_prefix(more ? plus + 1 : rest.size());
    if (tag == "any") {
      return scope.fail(entry.key_at, "\"any\" is no tag; what has no share follows prefer");
    }
    if (const auto wrong = wrong_with_tag(tag); !wrong.empty()) {
      return scope.fail(entry.key_at, "tag " + quote(tag) + " " + wrong);
    }
    if (std::ranges::find(out, tag) != out.end()) {
      return scope.fail(entry.key_at,
                        "tag " + quote(tag) + " is given twice in " + quote(entry.key));
    }
    out.push_back(tag);
  }
  return true;
}

}  // namespace

Codec<std::vector<ConsulTier>> prefer() {
  auto codec = list_of(tier(), true);
  codec.type = "list of tiers: a tag, a list of tags (all needed), any, or a map";
  codec.read = [inner = codec.read](const Scope& scope, const Node& node,
                                    std::vector<ConsulTier>& out) {
    if (node.kind == Node::Kind::kMap) {
      return tier().read(scope, node, out.emplace_back());
    }
    if (!inner(scope, node, out)) {
      return false;
    }
    std::set<decltype(identity(out.front()))> before;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!before.insert(identity(out[i])).second) {
        return scope.fail(node.items[i].at, "this tier is given twice; keep one");
      }
    }
    return true;
  };
  return codec;
}

Codec<std::vector<balancer::SplitShare>> split_shares() {
  using Shares = std::vector<balancer::SplitShare>;
  const auto share = text_codec<std::uint32_t>(
      "share, like 5% or 0.5%", parse_permille, [](const std::uint32_t& value) {
        return std::optional(Node::scalar(format_permille(value)));
      });
  auto read = [share](const Scope& scope, const Node& node, Shares& out) {
    out.clear();
    if (node.kind != Node::Kind::kMap) {
      return scope.fail(node.at,
                        "must be a map of tags to shares, like {v5: 5%}, not " + node.describe());
    }
    bool good = true;
    std::uint32_t sum = 0;
    std::set<std::set<std::string>> before;
    for (const auto& entry : node.entries) {
      balancer::SplitShare one;
      const auto inner = scope.child(entry.key, entry.key_at);
      if (!read_tags(scope, entry, one.tags) || !share.read(inner, entry.value, one.permille)) {
        good = false;
        continue;
      }
      if (!before.insert({one.tags.begin(), one.tags.end()}).second) {
        good = scope.fail(entry.key_at, quote(entry.key) + " is given twice; keep one");
      }
      sum += one.permille;
      out.push_back(std::move(one));
    }
    if (good && sum > 1000) {
      good = scope.fail(node.at,
                        "the shares are " + format_permille(sum) + " together; 100% is the most");
    }
    return good;
  };
  auto write = [share](const Shares& shares) -> std::optional<Node> {
    std::vector<Entry> entries;
    for (const auto& one : shares) {
      entries.push_back({joined(one.tags), {}, *share.write(one.permille)});
    }
    return shares.empty() ? std::nullopt : std::optional(Node::map(std::move(entries)));
  };
  return {"map of a tag, or a+b, to its share", std::move(read), std::move(write), {}, {}};
}

Codec<std::string> choose_by() {
  constexpr std::string_view kHeader = "header:";
  auto parse = [kHeader](std::string_view text) -> Parsed<std::string> {
    if (text.starts_with(kHeader) && is_token(text.substr(kHeader.size()))) {
      return to_lower(text.substr(kHeader.size()));
    }
    return Mistake{"cannot be chosen by; write header:NAME, like header:x-version"};
  };
  auto write = [kHeader](const std::string& header) -> std::optional<Node> {
    return header.empty() ? std::nullopt
                          : std::optional(Node::scalar(std::string(kHeader) + header));
  };
  return text_codec<std::string>("header:NAME", std::move(parse), std::move(write));
}

Codec<proxy::Sticky> sticky() {
  FieldTable<proxy::Sticky> t;
  t.required("cookie", &proxy::Sticky::cookie,
             name("cookie name",
                  [](std::string_view text) -> std::string {
                    return is_token(text) && text.size() <= 128
                               ? ""
                               : "is no name for a cookie; use letters, digits, - and _";
                  }),
             "cookie: pilotfish",
             "Its name. It is set by the sidecar, says the instance in a form that does not show "
             "its address in the clear, and is not passed on to the instance.");
  t.field("ttl", &proxy::Sticky::ttl, seconds(std::chrono::seconds(1)),
          "How long the client keeps it, from the answer that set it.");
  const auto as_map = t.codec();
  auto out = as_map;
  out.write = [as_map](const proxy::Sticky& value) {
    return value.cookie.empty() ? std::nullopt : as_map.write(value);
  };
  return out;
}

Codec<std::vector<std::string>> drain() {
  constexpr std::string_view kNode = "node:";
  auto parse = [kNode](std::string_view text) -> Parsed<std::string> {
    if (text.starts_with(kNode)) {
      const auto node = text.substr(kNode.size());
      return is_plain_name(node)
                 ? Parsed<std::string>(std::string(text))
                 : Mistake{"has no name of a node behind node:; write one like node:web-3"};
    }
    const auto endpoint = parse_endpoint(text, false);
    if (const auto* mistake = std::get_if<Mistake>(&endpoint)) {
      return Mistake{mistake->what + "; or node:NAME"};
    }
    return std::get<Endpoint>(endpoint).to_string();
  };
  const auto one = text_codec<std::string>(
      "IP:PORT or node:NAME", std::move(parse),
      [](const std::string& value) { return std::optional(Node::scalar(value)); });
  auto codec = omit_when_empty(list_of(one, true, true));
  codec.type = "list of IP:PORT and node:NAME";
  return codec;
}

void check_selection(const Scope& scope, const Seen& seen, const proxy::UpstreamOptions& options) {
  const auto* consul = std::get_if<resolver::ConsulSource>(&options.source);
  const bool has_consul = seen.has("consul");
  for (const auto* key : {"split", "choose_by"}) {
    if (seen.has(key) && !has_consul && seen.good("consul")) {
      scope.fail(seen.key_at(key),
                 "\"" + std::string(key) + "\" works only with consul:, where instances have tags");
    }
  }
  for (const auto* key : {"choose_by", "sticky"}) {
    if (seen.has(key) && seen.good("protocol") && options.protocol != proxy::Protocol::kHttp) {
      scope.fail(seen.key_at(key), "\"" + std::string(key) + "\" works only with protocol: http");
    }
  }
  const auto* drained = seen.node("drain");
  for (std::size_t i = 0; drained != nullptr && i < drained->items.size(); ++i) {
    if (seen.good("drain") && !has_consul && seen.good("consul") &&
        drained->items[i].text.starts_with("node:")) {
      scope.fail(drained->items[i].at,
                 "nodes are known only with consul:; write the instance's IP:PORT");
    }
  }
  if (consul == nullptr || !seen.good("prefer") || !seen.good("fresh") || !seen.good("split")) {
    return;
  }
  const auto* tiers = seen.node("prefer");
  for (std::size_t i = 0; tiers != nullptr && i < consul->tiers.size(); ++i) {
    const auto& tier = consul->tiers[i];
    const auto& node = i < tiers->items.size() ? tiers->items[i] : *tiers;
    if ((!tier.without.empty() || !tier.meta.empty()) &&
        options.fresh != resolver::Freshness::kWatch) {
      const auto* key = tier.without.empty() ? "meta" : "not";
      const auto* value = node.find(key);
      scope.fail(value == nullptr ? node.at : value->at,
                 "\"" + std::string(key) +
                     "\" cannot be asked for over DNS; add fresh: watch to this upstream");
    }
  }
  constexpr std::size_t kMost = 64;  // as the balancer has it (balancer/cluster.hpp kMostTiers)
  const auto all = consul->tiers.size() + options.cluster.split.size();
  if (all > kMost && (seen.has("split") || seen.has("choose_by"))) {
    scope.fail(seen.key_at(seen.has("split") ? "split" : "choose_by"),
               "works with " + std::to_string(kMost) + " tiers and shares at most, not " +
                   std::to_string(all));
  }
}

}  // namespace pilotfish::config
