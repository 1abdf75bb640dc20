// Shares of `split` among instances that the rest sees too, few and many, prepared ahead or not.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <set>
#include <tuple>

#include "balancer/tier_table.hpp"
#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

constexpr Algorithm kAll[] = {Algorithm::kLeastRequest, Algorithm::kRoundRobin, Algorithm::kRandom,
                              Algorithm::kPeakEwma,     Algorithm::kRingHash,   Algorithm::kMaglev};

InstanceList fleet(int from, int to, std::uint32_t weight = 1) {
  InstanceList out;
  for (int i = from; i <= to; ++i) {
    out.push_back(instance(i, weight));
  }
  return out;
}
InstanceList joined(InstanceList list, const InstanceList& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

ClusterOptions with(Algorithm algorithm) {
  ClusterOptions options;
  options.algorithm = algorithm;
  return options;
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

struct Fleet {
  int size;
  bool prepared;
};

/// `prefer: any`; the last instances are v5, and where there are two shares those before them v6.
void expect_exact(Algorithm algorithm, const std::vector<std::uint32_t>& permille, Fleet how,
                  bool weighted) {
  const auto shares = static_cast<int>(permille.size());
  TierRoles roles{1, {0}};
  std::vector<std::string> names{"any"};
  for (const auto share : permille) {
    roles.shares.push_back(share);
    names.emplace_back("split");
  }
  ClusterBox box(with(algorithm), names, roles);
  std::vector<InstanceList> lists(1);
  for (int i = 1; i <= how.size; ++i) {
    const auto weight = weighted ? 1 + static_cast<std::uint32_t>(i % 7) : 1U;
    lists[0].push_back(instance(i, weight));
  }
  const int each = how.size / (shares + 1);  // 150 of 300: both tiers of 600 are large
  for (int i = 0; i < shares; ++i) {
    const auto end = lists[0].end() - static_cast<std::ptrdiff_t>(each) * i;
    lists.emplace_back(end - each, end);
  }
  if (how.prepared) {
    answer_prepared(box, lists);
  } else {
    for (std::size_t i = 0; i < lists.size(); ++i) {
      box.answer(i, lists[i]);
    }
  }
  constexpr int kTimes = 100'000;
  std::array<int, 3> got{};
  std::ignore = count(box, kTimes, [&](const InstanceState& state) {
    for (int i = 0; i < shares; ++i) {
      if (state.endpoint > at(how.size - (i + 1) * each)) {
        ++got[static_cast<std::size_t>(i) + 1];
        return true;
      }
    }
    ++got[0];
    return false;
  });
  int rest = kTimes;
  for (int i = 0; i < shares; ++i) {
    const auto wanted = static_cast<int>(permille[static_cast<std::size_t>(i)]) * kTimes / 1000;
    rest -= wanted;
    EXPECT_LE(std::abs(got[static_cast<std::size_t>(i) + 1] - wanted), kTimes / 1000)
        << "share " << i << " of " << wanted << ", algorithm " << static_cast<int>(algorithm)
        << ", " << how.size << (how.prepared ? " prepared" : "") << (weighted ? " weighted" : "");
  }
  EXPECT_LE(std::abs(got[0] - rest), kTimes / 1000) << "the rest";
}

const std::vector<std::vector<std::uint32_t>> kShares{{50}, {1}, {333, 333}, {1000}};

TEST(SplitExact, InEveryAlgorithmAmongAFew) {
  std::size_t turn = 0;
  for (const auto algorithm : kAll) {
    for (const auto& shares : kShares) {
      for (const int size : {3, 10}) {
        expect_exact(algorithm, shares, {size, false}, false);
      }
      expect_exact(algorithm, shares, {4 + static_cast<int>(turn++ % 6), false}, true);
    }
  }
}

TEST(SplitExact, InEveryAlgorithmAmongManyPreparedOrNot) {
  for (const auto algorithm : kAll) {
    for (const auto& shares : kShares) {
      expect_exact(algorithm, shares, {300, false}, false);
      expect_exact(algorithm, shares, {300, true}, true);
    }
    expect_exact(algorithm, {50}, {600, true}, false);
  }
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

TEST(SplitAmongMany, SharesThatOverlapAreNotCountedTwice) {
  for (const auto algorithm : kAll) {
    ClusterBox box(with(algorithm), {"any", "split v5", "split v5+eu"}, {1, {0, 100, 50}});
    box.answer(0, fleet(1, 550));
    box.answer(1, fleet(151, 550));
    box.answer(2, fleet(151, 350));
    EXPECT_NEAR(count(box, 100'000, beyond(150)), 15'000, 100) << static_cast<int>(algorithm);
  }
}

TEST(SplitAmongMany, TheRestGoesToWeightZeroOnlyWhereNothingElseIsLeft) {
  for (const auto algorithm : kAll) {
    for (const int zeros : {50, 1000}) {
      ClusterBox box(with(algorithm), {"any", "split v5"}, {1, {0, 50}});
      box.answer(0, joined(fleet(1, 250), fleet(251, 250 + zeros, 0)));
      box.answer(1, fleet(1, 250));
      EXPECT_EQ(count(box, 3000, beyond(250)), 0) << static_cast<int>(algorithm) << " " << zeros;
    }
  }
}

TEST(SplitAmongMany, IsExactWhereEveryWeightIsZero) {
  for (const int v5 : {100, 250}) {
    ClusterBox box({}, {"any", "split v5"}, {1, {0, 50}});
    box.answer(0, fleet(1, 300, 0));
    box.answer(1, fleet(301 - v5, 300, 0));
    EXPECT_NEAR(count(box, 100'000, beyond(300 - v5)), 5000, 100) << v5;
  }
}

TEST(SplitAmongMany, LeavesItsInstancesToRetriesOfTheRest) {
  // A few without a share: less than a 32nd, less than half of all, and more.
  for (const auto algorithm : kAll) {
    for (const int others : {1, 10, 60, 155}) {
      auto options = with(algorithm);
      options.eject.max_share_percent = 100;
      options.eject.consecutive = 1;
      ClusterBox box(options, {"any", "split v5"}, {1, {0, 50}});
      box.answer(0, fleet(1, 300));
      box.answer(1, fleet(others + 1, 300));
      const auto said = [&] {
        return std::to_string(static_cast<int>(algorithm)) + " " + std::to_string(others);
      };
      std::vector<InstanceState*> tried;
      for (int i = 0; i < others; ++i) {
        auto* picked = box.pick(tried, 7);
        ASSERT_FALSE(picked->apart) << said();
        ASSERT_EQ(std::ranges::count(tried, picked), 0) << said();
        tried.push_back(picked);
      }
      ASSERT_TRUE(box.cluster.another(tried));
      auto* next = box.pick(tried, 7);
      ASSERT_TRUE(next != nullptr && next->apart) << said() << ": nobody else is left to try";
      EXPECT_FALSE(box.pick({}, 7)->apart) << said() << ": for the next request there is";
      for (auto* state : tried) {
        box.fail_times(*state, 1);
      }
      EXPECT_TRUE(box.pick({}, 7)->apart) << said() << ": all others are ejected";
      box.pass(31s);
      box.run(*box.pick({}, 7), Outcome::kSuccess);
      EXPECT_EQ(count(box, 300, [](const InstanceState& state) { return !state.apart; }), 285)
          << said() << ": one is back";
    }
  }
}

TEST(SplitAmongMany, FollowsWhoGetsAShareAndWhoLosesIt) {
  for (const auto algorithm : kAll) {
    ClusterBox box(with(algorithm), {"any", "split v5"}, {1, {0, 50}});
    box.answer(0, fleet(1, 300));
    for (const int last : {100, 5, 200, 1, 150}) {
      box.answer(1, fleet(last + 1, 300));
      EXPECT_NEAR(count(box, 20'000, beyond(last)), 1000, 20) << last;
    }
    box.answer(1, fleet(1, 300));
    EXPECT_GT(count(box, 3000, beyond(150)), 1000) << "all are v5";
    box.answer(1, fleet(100, 300));
    box.cluster.set_shares({0, 0}, box.now);
    EXPECT_GT(count(box, 3000, beyond(150)), 1000) << "without shares nobody is set apart";
    box.cluster.set_shares({0, 1}, box.now);
    EXPECT_LE(count(box, 10'000, beyond(99)), 12);
    box.cluster.set_shares({0, 200}, box.now);
    EXPECT_NEAR(count(box, 10'000, beyond(99)), 2000, 10);
  }
}

TEST(SplitAmongMany, KeepsToPrioritiesAmongThoseWithoutAShare) {
  for (const int others : {20, 200}) {
    ClusterBox box({}, {"any", "split v5"}, {1, {0, 50}});
    auto all = fleet(1, 300);
    for (auto& each : all) {
      each.priority = each.endpoint <= at(others / 2) ? 1 : 2;
    }
    box.answer(0, all);
    box.answer(1, InstanceList(all.begin() + others, all.end()));
    const auto later = count(box, 10'000, [&](const InstanceState& state) {
      return state.endpoint > at(others / 2) && state.endpoint <= at(others);
    });
    EXPECT_EQ(later, 0) << others;
    EXPECT_NEAR(count(box, 10'000, beyond(others)), 500, 10) << others;
  }
}

/// Three tiers whose answers come at once or arrive ahead in steps, between each other's.
struct Disorder {
  explicit Disorder(std::uint64_t seed) : random(seed), now(3), ahead(3), shares{0, 0, 50} {}

  InstanceList any_list() {
    InstanceList out;
    const auto from = random.below(300);
    const auto every = 1 + random.below(3);
    for (auto i = from; i < from + 700 && out.size() < 260 + random.below(200); i += every) {
      out.push_back(instance(static_cast<int>(i) + 1, 1 + static_cast<std::uint32_t>(i % 2), 0,
                             {"tag" + std::to_string(random.below(2))}));
    }
    return out;
  }
  void step(std::size_t tier) {
    if (ahead[tier] && random.below(2) == 0) {
      if (random.below(3) == 0) {
        box.fail(tier);
        ahead[tier].reset();
      } else if (box.cluster.arrive(tier, ahead[tier], box.now, 1 + random.below(300))) {
        TierAnswer answer;
        answer.result = LookupResult::kOk;
        answer.instances = ahead[tier]->answer;
        box.cluster.on_answer(tier, answer, box.now, ahead[tier]);
        now[tier] = ahead[tier]->answer;
        ahead[tier].reset();
      }
      return;
    }
    switch (random.below(8)) {
      case 0:
        shares[1 + random.below(2)] = static_cast<std::uint32_t>(random.below(2) * 20);
        box.cluster.set_shares(shares, box.now);
        return;
      case 1:
        if (tier == 2) {
          box.empty(2);
          now[2] = {};
          ahead[2].reset();
        }
        return;
      case 2:
        now[tier] = InstanceSet(any_list());
        box.answer(tier, now[tier].list());
        ahead[tier].reset();
        return;
      default:
        const InstanceSet to(any_list());
        ahead[tier] = std::make_shared<const PreparedTier>(
            PreparedTier{to, std::make_shared<const TierTable>(to, box.cluster.algorithm()),
                         TierDiff(box.cluster.instances(tier), to)});
        std::ignore = box.cluster.arrive(tier, ahead[tier], box.now, 1 + random.below(300));
    }
  }
  static bool holds(const InstanceSet& set, const Endpoint& endpoint) {
    return std::ranges::binary_search(set, endpoint, {}, &Instance::endpoint);
  }
  void expect_order() {
    std::size_t present = 0;
    std::set<Endpoint> all;
    for (const auto& set : now) {
      for (const auto& each : set) {
        all.insert(each.endpoint);
      }
    }
    for (const auto& [state, status, why] : box.cluster.view(box.now)) {
      const auto& endpoint = state->endpoint;
      const auto comes = [&](const PreparedTierPtr& to) {
        return to && holds(to->answer, endpoint);
      };
      present += state->tier >= 0 && all.contains(endpoint) ? 1 : 0;
      if (std::ranges::any_of(ahead, comes)) {
        continue;  // as far as it has arrived
      }
      int tier = -1;
      bool apart = false;
      std::set<std::string> tags;
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (!holds(now[i], endpoint)) {
          continue;
        }
        tier = tier < 0 ? static_cast<int>(i) : tier;
        apart = apart || shares[i] > 0;
        const auto at = std::ranges::lower_bound(now[i], endpoint, {}, &Instance::endpoint);
        tags.insert(at->tags.begin(), at->tags.end());
      }
      ASSERT_EQ(state->tier, tier) << state->name;
      if (tier >= 0) {
        ASSERT_EQ(state->apart, apart) << state->name;
        ASSERT_EQ(std::set<std::string>(state->tags.begin(), state->tags.end()), tags);
      }
    }
    ASSERT_EQ(present, all.size());
  }

  Random random;
  ClusterBox box{{}, {"a", "b", "split"}, {2, {0, 0, 50}}};
  std::vector<InstanceSet> now;  ///< what each tier has
  std::vector<PreparedTierPtr> ahead;
  std::vector<std::uint32_t> shares;
};

TEST(SplitAmongMany, EveryoneIsInItsTiersWhateverArrivesAheadOfWhat) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Disorder disorder(seed);
    for (int step = 0; step < 50; ++step) {
      disorder.step(disorder.random.below(3));
      disorder.expect_order();
      if (::testing::Test::HasFatalFailure()) {
        FAIL() << "seed " << seed << ", step " << step;
      }
      std::ignore = count(disorder.box, 20, [](const InstanceState&) { return true; });
      disorder.box.now += 1s;
    }
  }
}

}  // namespace
}  // namespace pilotfish::balancer
