#include "app/merge_status.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/status_json.hpp"

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr TimePoint kNow{std::chrono::hours(3)};

proxy::InstanceStatus instance(std::string address, std::string state = "healthy",
                               std::uint64_t requests = 1) {
  return {.address = std::move(address),
          .weight = 2,
          .priority = 1,
          .tags = {"v4"},
          .tier = 0,
          .state = std::move(state),
          .why = "",
          .in_flight = 1,
          .requests = requests,
          .failures = 0};
}

proxy::UpstreamStatus upstream(std::string name, int tier,
                               std::vector<proxy::InstanceStatus> instances = {}) {
  return {.name = std::move(name),
          .required = true,
          .tier = tier,
          .reason = "because " + std::to_string(tier),
          .age_ms = tier < 0 ? -1 : 10 + tier,
          .tier_names = {"v4", "v3"},
          .instances = std::move(instances),
          .answers = {}};
}

TEST(MergeStatus, ShowsTheTierThatMostWorkersServeWithItsReason) {
  const auto merged =
      merge_status({{{upstream("b", 0)}}, {{upstream("b", 1)}}, {{upstream("b", 1)}}});
  ASSERT_EQ(merged.upstreams.size(), 1U);
  EXPECT_EQ(merged.upstreams[0].status.tier, 1);
  EXPECT_EQ(merged.upstreams[0].status.reason, "because 1");
  EXPECT_EQ(merged.upstreams[0].status.age_ms, 11);
}

TEST(MergeStatus, ShowsTheWorseTierWhereWorkersAreLevel) {
  EXPECT_EQ(merge_status({{{upstream("b", 1)}}, {{upstream("b", 0)}}}).upstreams[0].status.tier, 1);
  EXPECT_EQ(merge_status({{{upstream("b", -1)}}, {{upstream("b", 0)}}}).upstreams[0].status.tier,
            -1);
}

TEST(MergeStatus, SumsCountersAndShowsTheWorstState) {
  auto bad = instance("10.0.0.1:80", "ejected", 5);
  bad.why = "ejected for 30 s";
  const auto merged = merge_status({{{upstream("b", 0, {instance("10.0.0.1:80", "healthy", 7)})}},
                                    {{upstream("b", 0, {bad, instance("10.0.0.2:80")})}}});
  const auto& instances = merged.upstreams[0].status.instances;
  ASSERT_EQ(instances.size(), 2U);
  EXPECT_EQ(instances[0].state, "ejected");
  EXPECT_EQ(instances[0].why, "ejected for 30 s");
  EXPECT_EQ(instances[0].requests, 12U);
  EXPECT_EQ(instances[0].in_flight, 2U);
  EXPECT_EQ(instances[1].address, "10.0.0.2:80");
}

TEST(MergeStatus, KeepsTheNewestAnswerOfEachTier) {
  auto older = upstream("b", 0);
  older.answers.resize(1);
  older.answers[0].answered = kNow;
  older.answers[0].result = LookupResult::kTimeout;
  auto newer = older;
  newer.answers[0].answered = kNow + 1s;
  newer.answers[0].result = LookupResult::kOk;
  const auto merged = merge_status({{{newer}}, {{older}}, std::nullopt});
  EXPECT_EQ(merged.upstreams[0].status.answers[0].result, LookupResult::kOk);
  EXPECT_EQ(merged.workers, 3U);
  EXPECT_EQ(merged.workers_answered, 2U);
}

TEST(Readiness, NeedsAnInstanceForEveryUpstreamOnEveryWorker) {
  EXPECT_TRUE(readiness(merge_status({{{upstream("b", 1)}}})).ready);
  const auto state = readiness(merge_status({{{upstream("b", 0)}}, {{upstream("b", -1)}}}));
  EXPECT_FALSE(state.ready);
  EXPECT_EQ(state.text, "b: because -1 (on 1 of 2 workers)\n");
}

TEST(Readiness, LooksPastUpstreamsThatAreNotRequired) {
  auto optional = upstream("b", -1);
  optional.required = false;
  EXPECT_TRUE(readiness(merge_status({{{optional}}})).ready);
}

TEST(Readiness, FailsWhereAWorkerDoesNotAnswer) {
  const auto state = readiness(merge_status({{{upstream("b", 0)}}, std::nullopt}));
  EXPECT_FALSE(state.ready);
  EXPECT_THAT(state.text, HasSubstr("1 of 2 workers did not answer"));
}

TEST(UpstreamsJson, HasTheKeysOfTheContractFirstAndInItsOrder) {
  const auto text =
      upstreams_json(merge_status({{{upstream("billing", 0, {instance("10.0.0.1:80")})}}}), kNow);
  EXPECT_THAT(
      text,
      StartsWith(
          R"({"upstreams":[{"name":"billing","tier":0,"reason":"because 0","age_ms":10,)"
          R"("instances":[{"address":"10.0.0.1:80","weight":2,"priority":1,"tags":["v4"],)"
          R"("tier":0,"state":"healthy","why":"","in_flight":1,"requests":1,"failures":0}])"));
}

TEST(UpstreamsJson, ShowsEachTiersLastLookups) {
  auto one = upstream("b", 0);
  one.answers.resize(1);
  one.answers[0] = {.result = LookupResult::kNxdomain,
                    .instances = {},
                    .asked = kNow - 40ms,
                    .answered = kNow - 38ms,
                    .ttl = {},
                    .names = {{.name = "v4.b.service.consul",
                               .result = LookupResult::kNxdomain,
                               .took = 2ms,
                               .note = "a\xff\"quote"}}};
  const auto root = boost::json::parse(upstreams_json(merge_status({{{one}}}), kNow));
  const auto& tiers = root.at("upstreams").at(0).at("tiers").as_array();
  ASSERT_EQ(tiers.size(), 2U);
  EXPECT_EQ(tiers[0].at("result").as_string(), "nxdomain");
  EXPECT_EQ(tiers[0].at("age_ms").as_int64(), 40);
  EXPECT_EQ(tiers[0].at("lookups").at(0).at("took_ms").to_number<double>(), 2.0);
  EXPECT_EQ(tiers[1].at("result").as_string(), "none yet");
}

}  // namespace
}  // namespace pilotfish::app
