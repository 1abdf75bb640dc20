#include "app/describe.hpp"

#include <cerrno>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/admin_routes.hpp"
#include "app/listeners.hpp"
#include "app/resolve_report.hpp"
#include "app/table.hpp"

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

proxy::UpstreamOptions billing() {
  proxy::UpstreamOptions options;
  options.name = "billing";
  options.listen.endpoint = *Endpoint::parse("127.0.0.1:7001");
  options.source = resolver::ConsulSource{"billing", "", {{"v4"}, {"v3", "read"}, {}}};
  return options;
}

MergedUpstream serving() {
  MergedUpstream merged;
  merged.status.name = "billing";
  merged.status.tier = 1;
  merged.status.reason = "tier 0 is empty";
  merged.status.tier_names = {"v4", "v3+read", "any"};
  merged.status.instances = {
      {.address = "10.0.0.1:80", .tags = {"read", "v3"}, .tier = 1, .state = "healthy"},
      {.address = "10.0.0.2:80", .weight = 0, .tier = 1, .state = "draining", .why = "weight 0"}};
  merged.workers = merged.workers_serving = 1;
  return merged;
}

TEST(Table, AlignsColumnsAndKeepsDataFromBreakingARow) {
  EXPECT_EQ(format_table({{"a", "bb"}, {"long", "x\ny"}, {"s", ""}}),
            "  a     bb\n  long  x\\ny\n  s\n");
}

TEST(StartScreen, SaysWhatListensWhereAndWhereItRoutes) {
  config::RootOptions options;
  options.upstreams = {billing()};
  options.announcements.resize(1);
  options.announcements[0].name = "web";
  options.announcements[0].port = 5000;
  StartScreen screen;
  screen.file = "a.yaml";
  screen.version = "0.1.0 (abc)";
  screen.pid = 42;
  screen.admin = "127.0.0.1:9900";
  screen.listens = {"127.0.0.1:7001"};
  screen.status.upstreams = {serving()};
  EXPECT_EQ(start_screen(options, screen),
            "pilotfish 0.1.0 (abc), a.yaml, 1 worker, pid 42\n"
            "\n"
            "  upstream  listens on      protocol  routes to                         instances  "
            "serving\n"
            "  billing   127.0.0.1:7001  http      consul billing: v4, v3+read, any  2          "
            "tier 1 (v3+read)\n"
            "\n"
            "  admin       http://127.0.0.1:9900  (/metrics /health /ready /upstreams /config)\n"
            "  registers   web (consul, port 5000)\n"
            "  access log  off\n");
}

TEST(ResolveReport, SaysWhatEachTierAnsweredAndWhyAnInstanceIsNotEligible) {
  MergedUpstream merged = serving();
  merged.status.answers.resize(2);
  merged.status.answers[0].result = LookupResult::kNxdomain;
  merged.status.answers[0].answered = TimePoint(1h);
  merged.status.answers[0].names = {
      {.name = "v4.billing.service.consul", .result = LookupResult::kNxdomain, .took = 1500us}};
  const std::string text = resolve_report(billing(), merged);
  EXPECT_THAT(text, HasSubstr("v4.billing.service.consul  nxdomain"));
  EXPECT_THAT(text, HasSubstr("1.5ms"));
  EXPECT_THAT(text, HasSubstr("no answer in time"));
  EXPECT_THAT(text, HasSubstr("read,v3  yes\n"));
  EXPECT_THAT(text, HasSubstr("no: weight 0\n"));
  EXPECT_THAT(text, HasSubstr("serves: tier 1 (v3+read): tier 0 is empty\n"));
}

TEST(BindErrors, SayWhatToDo) {
  const auto text = [](int error) {
    return bind_error_text("upstreams.billing.listen", "127.0.0.1:7001", error);
  };
  EXPECT_EQ(text(EADDRINUSE),
            "upstreams.billing.listen: 127.0.0.1:7001 is taken (address already in use)");
  EXPECT_THAT(text(EACCES), HasSubstr("CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(text(EADDRNOTAVAIL), HasSubstr("no address of this machine"));
  EXPECT_THAT(text(EMFILE), HasSubstr("no free file descriptors"));
}

TEST(AdminHost, IsOursOnlyAsAnAddressOrLocalhost) {
  for (const char* ours :
       {"127.0.0.1", "127.0.0.1:9900", "[::1]:9900", "[::1]", "localhost", "LocalHost:9900"}) {
    EXPECT_TRUE(host_is_local(ours)) << ours;
  }
  for (const char* other : {"evil.example", "evil.example:9900", "localhost.evil.example", "",
                            "127.0.0.1.evil.example", "[::1", "[evil]", "[::1]x"}) {
    EXPECT_FALSE(host_is_local(other)) << other;
  }
}

}  // namespace
}  // namespace pilotfish::app
