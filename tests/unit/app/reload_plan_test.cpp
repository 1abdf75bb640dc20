#include "app/reload_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

proxy::UpstreamOptions upstream(const std::string& name, const std::string& listen) {
  proxy::UpstreamOptions options;
  options.name = name;
  if (listen.starts_with("fd:")) {
    options.listen.inherited = listen.substr(3);
  } else {
    options.listen.endpoint = Endpoint::parse(listen).value();
  }
  options.source = resolver::ConsulSource{name, ""};
  return options;
}

config::RootOptions root(std::vector<proxy::UpstreamOptions> upstreams) {
  config::RootOptions options;
  options.upstreams = std::move(upstreams);
  return options;
}

std::vector<std::string> texts(const std::vector<Place>& places) {
  std::vector<std::string> out;
  for (const auto& place : places) {
    out.push_back(place.id + "=" + place.upstream);
  }
  return out;
}

TEST(ReloadPlan, OfTheSameFileKeepsEverything) {
  const auto options = root({upstream("a", "127.0.0.1:1"), upstream("b", "fd:web")});
  const auto plan = plan_reload(options, options);
  EXPECT_TRUE(plan.after == options);
  EXPECT_THAT(texts(plan.keep), ElementsAre("127.0.0.1:1=a", "fd:web=b"));
  EXPECT_THAT(plan.bind, IsEmpty());
  EXPECT_FALSE(plan.bind_admin || plan.admin_changed || plan.access_log_changed ||
               plan.registries_changed || plan.state_changed);
  EXPECT_EQ(describe_plan(plan), "nothing changed");
}

TEST(ReloadPlan, TellsAddedRemovedAndChangedUpstreamsApart) {
  const auto before = root({upstream("a", "127.0.0.1:1"), upstream("b", "127.0.0.1:2")});
  auto after = root({upstream("a", "127.0.0.1:1"), upstream("c", "127.0.0.1:3")});
  after.upstreams[0].limits.pending = 3;
  after.log.level = LogLevel::kDebug;
  const auto plan = plan_reload(before, after);
  EXPECT_TRUE(plan.after == after);
  EXPECT_THAT(plan.added, ElementsAre("c"));
  EXPECT_THAT(plan.removed, ElementsAre("b"));
  EXPECT_THAT(plan.changed, ElementsAre("log.level", "upstreams.a.limits.pending"));
  EXPECT_THAT(texts(plan.keep), ElementsAre("127.0.0.1:1=a"));
  EXPECT_THAT(texts(plan.bind), ElementsAre("127.0.0.1:3=c"));
  EXPECT_EQ(describe_plan(plan),
            "added: c; removed: b; changed: log.level, upstreams.a.limits.pending");
}

TEST(ReloadPlan, KeepsTheSocketsOfAnAddressWhoeverGetsIt) {
  const auto before = root({upstream("a", "127.0.0.1:1"), upstream("b", "127.0.0.1:2")});
  const auto swapped = root({upstream("a", "127.0.0.1:2"), upstream("b", "127.0.0.1:1")});
  EXPECT_THAT(texts(plan_reload(before, swapped).keep),
              ElementsAre("127.0.0.1:2=a", "127.0.0.1:1=b"));
  EXPECT_THAT(plan_reload(before, swapped).bind, IsEmpty());
  const auto given = root({upstream("c", "127.0.0.1:2")});
  EXPECT_THAT(texts(plan_reload(before, given).keep), ElementsAre("127.0.0.1:2=c"));
}

TEST(ReloadPlan, GivesEachUpstreamOnAnyFreePortASocketOfItsOwn) {
  const auto before = root({upstream("a", "127.0.0.1:0")});
  const auto after = root({upstream("a", "127.0.0.1:0"), upstream("b", "127.0.0.1:0")});
  const auto plan = plan_reload(before, after);
  EXPECT_THAT(texts(plan.keep), ElementsAre("127.0.0.1:0 for a=a"));
  EXPECT_THAT(texts(plan.bind), ElementsAre("127.0.0.1:0 for b=b"));
}

TEST(ReloadPlan, LeavesTheNumberOfWorkersToARestart) {
  const auto before = root({upstream("a", "127.0.0.1:1")});
  auto after = before;
  after.workers = 4;
  after.max_clients = 5;
  const auto plan = plan_reload(before, after);
  EXPECT_THAT(plan.restart, ElementsAre("workers"));
  EXPECT_THAT(plan.changed, ElementsAre("max_clients"));
  EXPECT_EQ(plan.after.workers, before.workers);
}

TEST(ReloadPlan, SaysWhatElseHasToBeMadeAnew) {
  const auto before = root({upstream("a", "127.0.0.1:1")});
  auto after = before;
  after.admin.is_public = true;
  EXPECT_TRUE(plan_reload(before, after).admin_changed);
  EXPECT_FALSE(plan_reload(before, after).bind_admin);
  after.admin.listen = Endpoint::parse("127.0.0.1:2").value();
  EXPECT_TRUE(plan_reload(before, after).bind_admin);
  after.admin.listen.reset();
  EXPECT_FALSE(plan_reload(before, after).bind_admin);
  EXPECT_TRUE(plan_reload(before, after).admin_changed);
  after = before;
  after.log.format = config::LogFormat::kJson;
  EXPECT_TRUE(plan_reload(before, after).access_log_changed);
  after = before;
  after.consul_http.token = "new";
  EXPECT_TRUE(plan_reload(before, after).registries_changed);
  EXPECT_THAT(plan_reload(before, after).changed, ElementsAre("consul.token"));
  after = before;
  after.state_dir = "/x";
  EXPECT_TRUE(plan_reload(before, after).state_changed);
}

}  // namespace
}  // namespace pilotfish::app
