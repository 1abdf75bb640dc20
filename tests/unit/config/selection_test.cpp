// Which instances a request may go to: tiers as maps, split, choose_by, sticky, enabled, drain.
#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

using namespace std::chrono_literals;
using Tiers = std::vector<resolver::ConsulTier>;
using Shares = std::vector<balancer::SplitShare>;

proxy::UpstreamOptions first(const std::string& text) {
  return good(text).upstreams.at(0);
}
resolver::ConsulSource consul(const std::string& lines) {
  return std::get<resolver::ConsulSource>(first(upstream(lines)).source);
}
resolver::ConsulTier tier(std::vector<std::string> tags, std::string datacenter,
                          std::vector<std::string> without = {},
                          std::map<std::string, std::string> meta = {}) {
  resolver::ConsulTier out(std::move(tags));
  out.datacenter = std::move(datacenter);
  out.without = std::move(without);
  out.meta = std::move(meta);
  return out;
}

TEST(Selection, ATierMayBeAMapBesideTheOtherForms) {
  const auto source = consul(
      "fresh: watch\n"
      "prefer: [v4, {tags: [v4], datacenter: dc2}, {tags: v3, not: canary, meta: {stage: prod}}, "
      "{not: [a, b]}, {datacenter: dc3}, any]");
  EXPECT_EQ(source.tiers, (Tiers{{"v4"},
                                 tier({"v4"}, "dc2"),
                                 tier({"v3"}, "", {"canary"}, {{"stage", "prod"}}),
                                 tier({}, "", {"a", "b"}),
                                 tier({}, "dc3"),
                                 {}}));
  EXPECT_EQ(consul("prefer: {tags: [v4, read], datacenter: dc2}").tiers,
            (Tiers{tier({"v4", "read"}, "dc2")}));
}

TEST(Selection, DatacentersAreTiersOverDnsToo) {
  EXPECT_EQ(consul("prefer: [any, {datacenter: dc2}]").tiers, (Tiers{{}, tier({}, "dc2")}));
}

TEST(Selection, RefusesBadTiers) {
  expect_reports({
      {upstream("prefer: [{tags: [v3], not: [canary]}]"),
       "f.yaml:5:32: upstreams.billing: \"not\" cannot be asked for over DNS; add fresh: watch to "
       "this upstream\n"},
      {upstream("prefer: {meta: {a: b}}\nfresh: ttl"),
       "f.yaml:5:20: upstreams.billing: \"meta\" cannot be asked for over DNS; add fresh: watch to "
       "this upstream\n"},
      {upstream("prefer: [{}]"),
       "f.yaml:5:14: upstreams.billing.prefer: a tier that asks for nothing; write any for all "
       "instances\n"},
      {upstream("prefer: [{tag: v3}]"),
       "f.yaml:5:15: unknown key \"tag\" in upstreams.billing.prefer; did you mean \"tags\"?\n"},
      {upstream("prefer: [{tags: [any]}]"),
       "f.yaml:5:22: upstreams.billing.prefer.tags: \"any\" cannot stand among tags; it is a tier "
       "of its own\n"},
      {upstream("prefer: [{tags: []}]"),
       "f.yaml:5:21: upstreams.billing.prefer.tags: a tier without tags; write any for all "
       "instances\n"},
      {upstream("prefer: [{tags: {a: b}}]"),
       "f.yaml:5:21: upstreams.billing.prefer.tags: must be a tag or a list of tags, not a map\n"},
      {upstream("prefer: [{datacenter: a.b}]"),
       "f.yaml:5:27: upstreams.billing.prefer.datacenter: \"a.b\" has a dot; over DNS Consul "
       "would read it as a tag and another service\n"},
      {upstream("fresh: watch\nprefer: [{tags: [a], not: [a]}]"),
       "f.yaml:6:31: upstreams.billing.prefer: no instance can have tag \"a\" and not have it; "
       "remove one\n"},
      {upstream("prefer: [{tags: [a, b], datacenter: d}, {datacenter: d, tags: [b, a]}]"),
       "f.yaml:5:45: upstreams.billing.prefer: this tier is given twice; keep one\n"},
      {upstream("prefer: [v4, {tags: v4}]"),
       "f.yaml:5:18: upstreams.billing.prefer: this tier is given twice; keep one\n"},
  });
}

TEST(Selection, SplitIsAMapOfTagsToTenthsOfAPercent) {
  const auto one = first(upstream("prefer: v4\nsplit: {v5: 5%, v6+read: 0.1%, v7: 94.9%, v8: 0%}"));
  EXPECT_EQ(one.cluster.split,
            (Shares{{{"v5"}, 50}, {{"v6", "read"}, 1}, {{"v7"}, 949}, {{"v8"}, 0}}));
  EXPECT_EQ(first(upstream("split: {v5: 100%}")).cluster.split.at(0).permille, 1000U);
}

TEST(Selection, RefusesBadShares) {
  const std::string form =
      " is not a share; write a percentage with at most one decimal, like 5% or 0.5%\n";
  expect_reports({
      {upstream("split: {v5: 5}"), "f.yaml:5:17: upstreams.billing.split.v5: \"5\"" + form},
      {upstream("split: {v5: 0.05%}"), "f.yaml:5:17: upstreams.billing.split.v5: \"0.05%\"" + form},
      {upstream("split: {v5: -1%}"), "f.yaml:5:17: upstreams.billing.split.v5: \"-1%\"" + form},
      {upstream("split: {v5: .5%}"), "f.yaml:5:17: upstreams.billing.split.v5: \".5%\"" + form},
      {upstream("split: {v5: 5.%}"), "f.yaml:5:17: upstreams.billing.split.v5: \"5.%\"" + form},
      {upstream("split: {v5: '%'}"), "f.yaml:5:17: upstreams.billing.split.v5: \"%\"" + form},
      {upstream("split: {v5: 9999999999999%}"),
       "f.yaml:5:17: upstreams.billing.split.v5: \"9999999999999%\"" + form},
      {upstream("split: {v5: 100.1%}"),
       "f.yaml:5:17: upstreams.billing.split.v5: \"100.1%\" is more than 100%\n"},
      {upstream("split: {v5: 60%, v6: 40.1%}"),
       "f.yaml:5:12: upstreams.billing.split: the shares are 100.1% together; 100% is the most\n"},
      {upstream("split: {a+b: 1%, b+a: 1%}"),
       "f.yaml:5:22: upstreams.billing.split: \"b+a\" is given twice; keep one\n"},
      {upstream("split: {a+a: 1%}"),
       "f.yaml:5:13: upstreams.billing.split: tag \"a\" is given twice in \"a+a\"\n"},
      {upstream("split: {any: 1%}"),
       "f.yaml:5:13: upstreams.billing.split: \"any\" is no tag; what has no share follows "
       "prefer\n"},
      {upstream("split: [v5]"),
       "f.yaml:5:12: upstreams.billing.split: must be a map of tags to shares, like {v5: 5%}, not "
       "a "
       "list\n"},
      {entry("listen: 127.0.0.1:1\nsrv: a.b\nsplit: {v5: 5%}"),
       "f.yaml:5:5: upstreams.billing: \"split\" works only with consul:, where instances have "
       "tags\n"},
  });
}

TEST(Selection, ChooseByIsAHeaderInAnyCase) {
  EXPECT_EQ(first(upstream("choose_by: header:X-Version")).choose_by, "x-version");
  expect_reports({
      {upstream("choose_by: x-version"),
       "f.yaml:5:16: upstreams.billing.choose_by: \"x-version\" cannot be chosen by; write "
       "header:NAME, like header:x-version\n"},
      {upstream("choose_by: 'header:'"),
       "f.yaml:5:16: upstreams.billing.choose_by: \"header:\" cannot be chosen by; write "
       "header:NAME, like header:x-version\n"},
      {upstream("choose_by: header:x\nprotocol: tcp"),
       "f.yaml:5:5: upstreams.billing: \"choose_by\" works only with protocol: http\n"},
      {entry("listen: 127.0.0.1:1\nstatic: 10.0.0.1:80\nchoose_by: header:x"),
       "f.yaml:5:5: upstreams.billing: \"choose_by\" works only with consul:, where instances have "
       "tags\n"},
  });
}

TEST(Selection, StickyIsACookieWithALife) {
  EXPECT_EQ(first(upstream("sticky: {cookie: c}")).sticky, (proxy::Sticky{"c", 1h}));
  EXPECT_EQ(first(upstream("sticky: {cookie: c, ttl: 90s}")).sticky, (proxy::Sticky{"c", 90s}));
  expect_reports({
      {upstream("sticky: {ttl: 1h}"),
       "f.yaml:5:5: upstreams.billing.sticky: \"cookie\" is missing; add cookie: pilotfish\n"},
      {upstream("sticky: {cookie: 'a b'}"),
       "f.yaml:5:22: upstreams.billing.sticky.cookie: \"a b\" is no name for a cookie; use "
       "letters, "
       "digits, - and _\n"},
      {upstream("sticky: {cookie: a, ttl: 0}"),
       "f.yaml:5:30: upstreams.billing.sticky.ttl: \"0\" is too short; 1s is the least\n"},
      {upstream("sticky: {cookie: a}\nprotocol: tcp"),
       "f.yaml:5:5: upstreams.billing: \"sticky\" works only with protocol: http\n"},
  });
}

TEST(Selection, DrainIsAddressesAndNodes) {
  using Entries = std::vector<std::string>;
  EXPECT_EQ(first(upstream("drain: ['10.0.0.5:80', 'node:web-3', '[::0001]:80']")).drain,
            (Entries{"10.0.0.5:80", "node:web-3", "[::1]:80"}));
  EXPECT_EQ(first(upstream("drain: 10.0.0.5:80")).drain, Entries{"10.0.0.5:80"});
  EXPECT_EQ(first(upstream("drain: []")).drain, Entries{});
  expect_reports({
      {upstream("drain: [web-3]"),
       "f.yaml:5:13: upstreams.billing.drain: \"web-3\" is not an address; write IP:PORT, like "
       "127.0.0.1:7001 or [::1]:7001; or node:NAME\n"},
      {upstream("drain: ['node:']"),
       "f.yaml:5:13: upstreams.billing.drain: \"node:\" has no name of a node behind node:; write "
       "one like node:web-3\n"},
      {entry("listen: 127.0.0.1:1\nstatic: 10.0.0.1:80\ndrain: ['10.0.0.1:80', 'node:a']"),
       "f.yaml:5:28: upstreams.billing: nodes are known only with consul:; write the instance's "
       "IP:PORT\n"},
  });
}

TEST(Selection, SurvivesDumpAndLoad) {
  for (const std::string lines :
       {"prefer: [v4, {tags: [v4], datacenter: dc2}, {tags: [v3], not: [canary], meta: {s: "
        "'1.0'}}, "
        "any]\nfresh: watch\nsplit: {v5: 5%, a+b: 0.5%}\nchoose_by: header:x-version\n"
        "sticky: {cookie: pilotfish, ttl: 1h}\nenabled: false\ndrain: ['10.0.0.5:80', 'node:w']",
        "prefer: {datacenter: dc2}", "prefer: {not: [a]}\nfresh: watch"}) {
    const auto options = good(upstream(lines));
    EXPECT_TRUE(good(dump(options)) == options) << dump(options);
    EXPECT_EQ(dump(good(dump(options))), dump(options));
  }
}

}  // namespace
}  // namespace pilotfish::config::test
