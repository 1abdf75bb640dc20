#include "tests/unit/config/full_example.hpp"
#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

using namespace std::chrono_literals;

TEST(FullExample, LoadsAsWritten) {
  const auto options = good(kFull);
  ASSERT_EQ(options.upstreams.size(), 3U);
  ASSERT_EQ(options.announcements.size(), 3U);
  EXPECT_EQ(options.state_dir, "/var/lib/pilotfish");
  EXPECT_EQ(options.upstreams[0].hash_on, (proxy::HashOn{false, "x-user"}));
  EXPECT_EQ(options.upstreams[1].protocol, proxy::Protocol::kTcp);
  const auto& web = options.announcements[0];
  EXPECT_EQ(web.weights, (registry::Weights{10, 1}));
  EXPECT_EQ(web.meta.at("version"), "3.2");
  EXPECT_EQ(web.check.kind, registry::CheckKind::kHttp);
  EXPECT_EQ(web.check.deregister_after, 1min);
  EXPECT_TRUE(options.announcements[1].self);
  EXPECT_EQ(options.announcements[2].in, registry::RegisterIn::kEtcd);
  EXPECT_EQ(options.announcements[2].srv, "_web._tcp.prom.local");
}

TEST(FullExample, SpellsTheDefaults) {
  auto options = good(kFull);
  auto defaults = options.upstreams[0];
  const auto smallest = good(entry("listen: 127.0.0.1:7001\nconsul: billing")).upstreams.at(0);
  defaults.source = smallest.source;
  defaults.hash_on = smallest.hash_on;
  EXPECT_TRUE(defaults == smallest) << "the example's values are said to be the defaults";
}

TEST(Dump, LoadsToTheSameOptions) {
  for (const std::string_view text : {kFull, kSmallest}) {
    const auto options = good(text);
    EXPECT_TRUE(good(dump(options)) == options) << dump(options);
    EXPECT_EQ(dump(good(dump(options))), dump(options));
  }
}

TEST(Dump, OfAnnouncementsAloneLoadsToTheSameOptions) {
  const auto options = good("register: {web: {port: 5000}}\n");
  EXPECT_TRUE(options.upstreams.empty());
  EXPECT_EQ(good(dump(options)), options) << dump(options);
}

TEST(Dump, ShowsDefaults) {
  const auto text = dump(good(kSmallest));
  EXPECT_NE(text.find("admin: 127.0.0.1:9900\n"), std::string::npos);
  EXPECT_NE(text.find("      timeout: 200ms\n"), std::string::npos);
  EXPECT_NE(text.find("    on: [connect, reset, 502, 503, 504]\n"), std::string::npos);
}

TEST(Dump, RedactsSecrets) {
  const auto options = good(announce("port: 1\ncheck: {http: 'http://me:hush@h:1/x'}"),
                            {{"CONSUL_HTTP_TOKEN", "s3cret"}});
  const auto text = dump(options);
  EXPECT_EQ(text.find("s3cret"), std::string::npos);
  EXPECT_EQ(text.find("hush"), std::string::npos);
  EXPECT_NE(text.find("http://me:<redacted>@h:1/x"), std::string::npos) << text;
  EXPECT_NE(text.find("token is set by the environment: <redacted>"), std::string::npos);
  EXPECT_EQ(problems(text), "") << "what is dumped can be loaded";
}

TEST(Dump, QuotesWhatWouldReadAsAnotherType) {
  const auto options = good(
      announce("port: 1\ntags: ['true', '1.0', 'a: b', '#x', '\"q\"', 'back\\slash', '[x]', x]"));
  EXPECT_NE(dump(options).find("[\"true\", \"1.0\", \"a: b\", "), std::string::npos);
  EXPECT_EQ(good(dump(options)).announcements, options.announcements) << dump(options);
}

}  // namespace
}  // namespace pilotfish::config::test
