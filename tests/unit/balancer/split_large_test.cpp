// Shares of `split` among instances that the rest sees too, few and many, prepared ahead or not.
#include <functional>

#include "balancer/tier_table.hpp"
#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

InstanceList fleet(int from, int to, std::uint32_t weight = 1) {
  InstanceList out;
  for (int i = from; i <= to; ++i) {
    out.push_back(instance(i, weight));
  }
  return out;
}

/// As a watch takes over: every tier arrives ahead, then every tier answers.
void answer_prepared(ClusterBox& box, const std::vector<InstanceList>& lists) {
  std::vector<PreparedTierPtr> ready;
  for (std::size_t tier = 0; tier < lists.size(); ++tier) {
    const InstanceSet to(lists[tier]);
    ready.push_back(std::make_shared<const PreparedTier>(
        PreparedTier{to, std::make_shared<const TierTable>(to, box.cluster.algorithm()),
                     TierDiff(box.cluster.instances(tier), to)}));
    while (!box.cluster.arrive(tier, ready.back(), box.now, 64)) {
    }
  }
  for (std::size_t tier = 0; tier < lists.size(); ++tier) {
    TierAnswer answer;
    answer.result = LookupResult::kOk;
    answer.instances = ready[tier]->answer;
    box.cluster.on_answer(tier, answer, box.now, ready[tier]);
  }
}

/// How many of `times` new requests went where `is` says.
int count(ClusterBox& box, int times, const std::function<bool(const InstanceState&)>& is) {
  int sum = 0;
  for (int i = 0; i < times; ++i) {
    PickContext context{box.now};
    context.wanted = box.cluster.draw_share();
    context.hash = static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15ULL;
    const auto* picked = box.cluster.pick(context);
    sum += picked != nullptr && is(*picked) ? 1 : 0;
  }
  return sum;
}

auto beyond(int last) {
  return [last](const InstanceState& state) { return state.endpoint > at(last); };
}

TEST(SplitAmongMany, KeepsItsShareWhereBothTiersWerePreparedAhead) {
  for (const bool again : {false, true}) {
    ClusterBox box({}, {"any", "split v5"}, {1, {0, 50}});
    if (again) {
      box.answer(0, fleet(1, 300));
    }
    answer_prepared(box, {fleet(1, 600), fleet(301, 600)});
    EXPECT_NEAR(count(box, 100'000, beyond(300)), 5000, 100) << again;
    EXPECT_EQ(box.cluster.tally(box.now).healthy, 600U);
  }
}

TEST(SplitAmongMany, WhoArrivesInBothTiersHasTheTagsOfBoth) {
  ClusterBox box({}, {"any", "split v5"}, {1, {0, 50}});
  auto any = fleet(1, 600);
  InstanceList v5;
  for (int i = 301; i <= 600; ++i) {
    v5.push_back(instance(i, 1, 0, {"v5"}));
    any[static_cast<std::size_t>(i) - 1].tags = {"blue"};
  }
  answer_prepared(box, {any, v5});
  EXPECT_EQ(box.state(400).tags, (std::vector<std::string>{"blue", "v5"}));
  EXPECT_EQ(box.state(400).tier, 0);
}

TEST(SplitAmongMany, WhoArrivedAheadAndLeftTheOtherTierMeanwhileIsCalledOffWithTheRest) {
  ClusterBox box({}, {"any", "split v5"}, {1, {0, 50}});
  box.answer(0, fleet(1, 600));
  box.answer(1, fleet(5000, 5300));
  const InstanceSet to(fleet(301, 600));
  const auto ready = std::make_shared<const PreparedTier>(
      PreparedTier{to, std::make_shared<const TierTable>(to, box.cluster.algorithm()),
                   TierDiff(box.cluster.instances(1), to)});
  EXPECT_FALSE(box.cluster.arrive(1, ready, box.now, 100));
  box.answer(0, fleet(1, 300));
  EXPECT_EQ(box.state(350).tier, 1) << "it arrived there";
  EXPECT_EQ(box.state(450).tier, -1) << "it did not";
  box.fail(1);  // what was prepared does not come
  EXPECT_EQ(box.state(350).tier, -1);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, 601U);
}

}  // namespace
}  // namespace pilotfish::balancer
