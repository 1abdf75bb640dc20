#include "balancer/split.hpp"

#include <cmath>
#include <cstdlib>
#include <map>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

constexpr std::uint64_t kV5 = 0b10;

TierRoles v5_share(std::uint32_t permille) {
  return {1, {0, permille}};
}

PickContext wanting(const ClusterBox& box, std::uint64_t wanted,
                    std::span<InstanceState* const> tried = {}) {
  PickContext context{box.now};
  context.wanted = wanted;
  context.tried = tried;
  return context;
}

TEST(Split, IsExactToATenthOfAPercentOverAHundredThousand) {
  const std::vector<std::vector<std::uint32_t>> cases{
      {50}, {1}, {999}, {500}, {10, 20, 30}, {333, 333, 333}, {0, 125, 0, 1}, {100, 900}};
  for (const auto& shares : cases) {
    for (const std::uint64_t seed : {0ULL, 1ULL, 77ULL, ~0ULL}) {
      Split split(seed);
      split.set_shares(shares);
      std::map<std::size_t, int> count;
      for (int i = 0; i < 100'000; ++i) {
        ++count[split.next()];
      }
      for (std::size_t i = 0; i < shares.size(); ++i) {
        const auto off = count[i] - static_cast<int>(shares[i]) * 100;
        EXPECT_LE(std::abs(off), 20) << "entry " << i << ", seed " << seed;
      }
    }
  }
}

TEST(Split, IsEvenInEveryStretch) {
  Split split(5);
  split.set_shares(std::vector<std::uint32_t>{50});
  int count = 0;
  for (int i = 1; i <= 10'000; ++i) {
    count += split.next() == 0 ? 1 : 0;
    EXPECT_LE(std::abs(count - i * 0.05), 3.0) << "after " << i;
  }
}

TEST(Split, MeetsEveryRhythmOfTheApplication) {
  for (const int period : {2, 3, 10, 20, 100}) {
    Split split(9);
    split.set_shares(std::vector<std::uint32_t>{50});
    std::map<int, int> count;
    for (int i = 0; i < 100'000; ++i) {
      count[i % period] += split.next() == 0 ? 1 : 0;
    }
    for (int phase = 0; phase < period; ++phase) {
      EXPECT_NEAR(count[phase], 5000.0 / period, 25) << phase << " of " << period;
    }
  }
}

TEST(Split, OfNothingOrOfEverythingIsSo) {
  Split none(3);
  EXPECT_FALSE(none.any());
  none.set_shares(std::vector<std::uint32_t>{0, 0});
  EXPECT_FALSE(none.any());
  Split all(3);
  all.set_shares(std::vector<std::uint32_t>{0, 1000});
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(all.next(), 1U);
  }
}

TEST(SplitOfACluster, SendsItsShareWhateverTheAlgorithm) {
  for (const auto algorithm : {Algorithm::kLeastRequest, Algorithm::kRoundRobin, Algorithm::kRandom,
                               Algorithm::kPeakEwma, Algorithm::kRingHash, Algorithm::kMaglev}) {
    ClusterOptions options;
    options.algorithm = algorithm;
    ClusterBox box(options, {"v4", "split v5"}, v5_share(50));
    box.answer(0, {instance(1), instance(2), instance(3)});
    box.answer(1, {instance(4), instance(5)});
    int share = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      auto context = wanting(box, box.cluster.draw_share());
      context.hash = i * 0x9e3779b97f4a7c15ULL;
      share += box.cluster.pick(context)->tier == 1 ? 1 : 0;
    }
    EXPECT_NEAR(share, 5000, 20) << static_cast<int>(algorithm);
  }
}

TEST(SplitOfACluster, FollowsTheOrderWhereItsTierHasNobodyEligible) {
  ClusterBox box({}, {"v4", "split v5"}, v5_share(1000));
  box.answer(0, {instance(1)});
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5))->name, "10.0.0.1:80");
  box.answer(1, {instance(2)});
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5))->name, "10.0.0.2:80");
  box.fail_times(box.state(2), 5);
  ASSERT_TRUE(box.state(2).ejected);
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5))->name, "10.0.0.1:80");
}

TEST(SplitOfACluster, IsProbedByItsOwnRequestsAlone) {
  ClusterBox box({}, {"v4", "split v5"}, v5_share(50));
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  box.fail_times(box.state(2), 5);
  box.pass(31s);
  EXPECT_TRUE(box.state(2).ejected) << "it waits for a probe";
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(box.pick_name(), "10.0.0.1:80") << "what follows the order is no probe of it";
  }
  auto* probe = box.cluster.pick(wanting(box, kV5));
  ASSERT_EQ(probe->name, "10.0.0.2:80");
  box.run(*probe, Outcome::kSuccess);
  EXPECT_FALSE(box.state(2).ejected);
}

TEST(SplitOfACluster, NeverServesWhatFollowsTheOrder) {
  ClusterBox box({}, {"v4", "split v5"}, v5_share(50));
  box.answer(1, {instance(2)});
  EXPECT_EQ(box.cluster.serving_tier(), -1);
  EXPECT_EQ(box.pick_name(), "none");
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5))->name, "10.0.0.2:80") << "its share is served";
  box.answer(0, {instance(1)});
  auto* first = box.pick();
  InstanceState* tried[] = {first};
  EXPECT_EQ(box.pick_name(tried), "10.0.0.1:80") << "not even a retry goes there";
  EXPECT_FALSE(box.cluster.another(tried));
  EXPECT_TRUE(box.cluster.another(tried, kV5));
}

TEST(SplitOfACluster, RetriesGoToAnotherOfItsTierThenToTheOrder) {
  ClusterBox box({}, {"v4", "split v5"}, v5_share(50));
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2), instance(3)});
  auto* first = box.cluster.pick(wanting(box, kV5));
  ASSERT_EQ(first->tier, 1);
  box.run(*first, Outcome::kConnectFailure);
  std::vector<InstanceState*> tried{first};
  auto* second = box.cluster.pick(wanting(box, kV5, tried));
  EXPECT_EQ(second->tier, 1);
  EXPECT_NE(second, first);
  tried.push_back(second);
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5, tried))->name, "10.0.0.1:80");
}

TEST(SplitOfACluster, ARetryLeavesATierWhoseOthersFailedAMomentAgo) {
  ClusterBox box({}, {"v4", "split v5"}, v5_share(50));
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2), instance(3)});
  box.run(box.state(2), Outcome::kReset);
  box.run(box.state(3), Outcome::kReset);
  InstanceState* tried[] = {&box.state(2)};
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5, tried))->name, "10.0.0.1:80");
  box.empty(0);
  box.pass(11s);  // the held set is gone
  box.run(box.state(3), Outcome::kReset);
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5, tried))->name, "10.0.0.3:80") << "better than none";
}

TEST(SplitOfACluster, OfATierInTheOrderIsThatTier) {
  ClusterBox box({}, {"v4", "v5"}, {2, {0, 50}});
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
  EXPECT_EQ(box.cluster.pick(wanting(box, kV5))->name, "10.0.0.2:80");
  box.empty(0);
  EXPECT_EQ(box.pick_name(), "10.0.0.2:80") << "it serves as the next tier";
  EXPECT_NE(box.cluster.reason().find("split: 5 % to tier 1 (v5), 1 instance"), std::string::npos)
      << box.cluster.reason();
}

TEST(SplitOfACluster, IsExactWhereTheServingTierHasItsInstancesToo) {
  for (const int size : {4, 400}) {
    ClusterBox box({}, {"any", "split v5"}, v5_share(50));
    InstanceList all;
    for (int i = 1; i <= size; ++i) {
      all.push_back(instance(i));
    }
    box.answer(0, all);
    box.answer(1, InstanceList(all.begin(), all.begin() + size / 4));
    int share = 0;
    for (int i = 0; i < 100'000; ++i) {
      auto* picked = box.cluster.pick(wanting(box, box.cluster.draw_share()));
      share += picked->endpoint <= at(size / 4) ? 1 : 0;
    }
    EXPECT_NEAR(share, 5000, 20) << size;
    box.answer(0, InstanceList(all.begin(), all.begin() + size / 4));
    EXPECT_NE(box.pick_name(), "none") << "they serve where there are no others";
    box.answer(0, all);
    box.cluster.set_shares({0, 0}, box.now);
    share = 0;
    for (int i = 0; i < 10'000; ++i) {
      share += box.pick()->endpoint <= at(size / 4) ? 1 : 0;
    }
    EXPECT_NEAR(share, 2500, 250) << "without shares nobody is set apart";
  }
}

TEST(SplitOfACluster, LeavesItsInstancesToRetriesOfTheRest) {
  ClusterBox box({}, {"any", "split v5"}, v5_share(50));
  box.answer(0, {instance(1), instance(2)});
  box.answer(1, {instance(2)});
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
  InstanceState* tried[] = {&box.state(1)};
  EXPECT_EQ(box.pick_name(tried), "10.0.0.2:80");
  box.fail_times(box.state(1), 5);
  EXPECT_EQ(box.pick_name(), "10.0.0.2:80");
}

TEST(SplitOfACluster, WorksAmongManyInstances) {
  ClusterBox box({}, {"v4", "split v5"}, v5_share(125));
  InstanceList many;
  for (int i = 1; i <= 600; ++i) {
    many.push_back(instance(i));
  }
  box.answer(0, InstanceList(many.begin(), many.begin() + 300));
  box.answer(1, InstanceList(many.begin() + 300, many.end()));
  int share = 0;
  for (int i = 0; i < 100'000; ++i) {
    share += box.cluster.pick(wanting(box, box.cluster.draw_share()))->tier;
  }
  EXPECT_NEAR(share, 12'500, 20);
}

TEST(Kept, IsTakenWhileItIsEligible) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  box.answer(1, {instance(3)});
  PickContext context{box.now};
  for (const int number : {1, 2, 3}) {
    context.keep = &box.state(number);
    EXPECT_EQ(box.cluster.pick(context), context.keep);
  }
  context.wanted = 0b01;
  EXPECT_EQ(box.cluster.pick(context)->tier, 0) << "what the request names comes before";
  context.wanted = 0;
  InstanceState* tried[] = {context.keep};
  context.tried = tried;
  EXPECT_NE(box.cluster.pick(context), context.keep);
  context.tried = {};
  box.fail_times(*context.keep, 5);
  EXPECT_EQ(box.cluster.pick(context)->tier, 0);
  context.keep = &box.state(1);
  box.answer(0, {instance(2)});
  EXPECT_EQ(box.cluster.pick(context)->name, "10.0.0.2:80") << "it left";
}

TEST(Kept, MayServeIsToldByTheSameContext) {
  ClusterBox box({}, {"v4", "v3", "split v5"}, {2, {0, 0, 50}});
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  box.answer(2, {instance(3)});
  PickContext plain{box.now};
  EXPECT_TRUE(box.cluster.may_serve(box.state(1), plain));
  EXPECT_FALSE(box.cluster.may_serve(box.state(2), plain));
  EXPECT_FALSE(box.cluster.may_serve(box.state(3), plain));
  EXPECT_TRUE(box.cluster.may_serve(box.state(3), wanting(box, 0b100)));
  plain.keep = &box.state(2);
  EXPECT_TRUE(box.cluster.may_serve(box.state(2), plain));
  box.cluster.set_drain({{{at(2), "10.0.0.2:80"}}}, box.now);
  EXPECT_FALSE(box.cluster.may_serve(box.state(2), plain));
}

}  // namespace
}  // namespace pilotfish::balancer
