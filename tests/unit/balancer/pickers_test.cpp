// Shares of each algorithm against its weights, with fixed seeds. Bounds: chi-square below the
// 99.9 % quantile where picks are independent, largest deviation where they are not.
#include <cmath>
#include <deque>
#include <gmock/gmock.h>
#include <set>

#include "balancer/picker.hpp"
#include "balancer/weighted_sampler.hpp"
#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

constexpr Algorithm kAll[] = {Algorithm::kLeastRequest, Algorithm::kRoundRobin, Algorithm::kRandom,
                              Algorithm::kPeakEwma,     Algorithm::kRingHash,   Algorithm::kMaglev};
const TimePoint kNow{1h};

/// Instances that nobody else owns, and a picker over them.
struct Field {
  Field(Algorithm algorithm, const std::vector<std::uint32_t>& weights, std::uint64_t seed = 5)
      : random(seed) {
    Candidates candidates;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      states.emplace_back(new InstanceState(at(static_cast<int>(i) + 1)));
      candidates.push_back({states.back().get(), weights[i]});
    }
    picker = make_picker(algorithm, candidates, random);
  }
  std::size_t index(const InstanceState* state) const {
    const auto found = std::ranges::find(states, state, &InstanceRef::get);
    return static_cast<std::size_t>(found - states.begin());
  }
  InstanceState* pick(std::uint64_t hash = 0, std::span<InstanceState* const> tried = {}) {
    return picker->pick({kNow, hash, tried}, random);
  }
  std::vector<double> count(int picks) {
    std::vector<double> counts(states.size());
    for (int i = 0; i < picks; ++i) {
      counts[index(pick(static_cast<std::uint64_t>(i)))] += 1;
    }
    return counts;
  }
  std::vector<InstanceRef> states;
  Random random;
  std::unique_ptr<Picker> picker;
};

double chi_square(const std::vector<double>& counts, const std::vector<std::uint32_t>& weights) {
  double picks = 0;
  double total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    picks += counts[i];
    total += weights[i];
  }
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = picks * weights[i] / total;
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  return sum;
}

/// 99.9 % quantile (Wilson and Hilferty's approximation).
double limit(std::size_t degrees) {
  const auto n = static_cast<double>(degrees);
  const double cube = 1 - 2 / (9 * n) + 3.0902 * std::sqrt(2 / (9 * n));
  return n * cube * cube * cube;
}

double worst_deviation(const std::vector<double>& counts,
                       const std::vector<std::uint32_t>& weights) {
  double picks = 0;
  double total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    picks += counts[i];
    total += weights[i];
  }
  double worst = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = picks * weights[i] / total;
    worst = std::max(worst, std::abs(counts[i] - expected) / expected);
  }
  return worst;
}

TEST(Pickers, AnswerNullWithoutCandidatesOrWhenAllWereTried) {
  for (const auto algorithm : kAll) {
    Field none(algorithm, {});
    EXPECT_EQ(none.pick(), nullptr);
    for (const std::vector<std::uint32_t>& weights :
         {std::vector<std::uint32_t>{1}, {1, 1}, {1, 70000, 3}}) {
      Field field(algorithm, weights);
      std::vector<InstanceState*> tried;
      std::set<InstanceState*> seen;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        auto* state = field.pick(99, tried);
        ASSERT_NE(state, nullptr) << "algorithm " << static_cast<int>(algorithm);
        EXPECT_TRUE(seen.insert(state).second) << "a tried one came again";
        tried.push_back(state);
      }
      EXPECT_EQ(field.pick(99, tried), nullptr);
    }
  }
}

TEST(Pickers, RandomAndIdleLeastRequestFollowWeightsInChiSquare) {
  for (const auto algorithm : {Algorithm::kRandom, Algorithm::kLeastRequest}) {
    for (const std::vector<std::uint32_t>& weights :
         {std::vector<std::uint32_t>{1, 1, 1}, {1, 2, 3, 4}, {10, 1}, {5, 5, 5, 5, 80}}) {
      Field field(algorithm, weights);
      EXPECT_LT(chi_square(field.count(100000), weights), limit(weights.size() - 1))
          << static_cast<int>(algorithm);
    }
  }
}

TEST(Pickers, WeightsAreLinearUpToTheirLargestValue) {
  // 1 in 65536 must neither vanish nor be rounded up.
  Field field(Algorithm::kRandom, {1, 65535});
  const auto counts = field.count(3000000);
  const double expected = 3000000.0 / 65536;
  EXPECT_NEAR(counts[0], expected, 4 * std::sqrt(expected));
  for (const std::uint32_t weight : {1U, 256U, 257U, 4096U, 32768U, 65535U}) {
    Field pair(Algorithm::kRandom, {weight, 32768});
    const double share = weight / (weight + 32768.0);
    EXPECT_NEAR(pair.count(200000)[0] / 200000, share, 4 * std::sqrt(share / 200000)) << weight;
  }
}

TEST(Pickers, TheSamplerIsExactForTenThousandMixedWeights) {
  Random random(3);
  std::vector<std::uint32_t> weights;
  for (int i = 0; i < 10000; ++i) {
    weights.push_back(1 + static_cast<std::uint32_t>(random.below(100)));
  }
  Candidates candidates;
  std::vector<Share> shares;
  for (const auto weight : weights) {
    candidates.push_back({nullptr, weight});
    shares.push_back({nullptr, weight});
  }
  const WeightedSampler sampler(candidates, make_columns(shares));
  std::vector<double> counts(weights.size());
  for (int i = 0; i < 5000000; ++i) {
    counts[sampler.draw(random)] += 1;
  }
  EXPECT_LT(chi_square(counts, weights), limit(weights.size() - 1));
}

TEST(Pickers, RoundRobinIsExactOverAWholeRoundAndSmooth) {
  Field field(Algorithm::kRoundRobin, {5, 1, 1});
  std::vector<double> counts(3);
  int row = 0;
  int longest = 0;
  for (int i = 0; i < 700; ++i) {
    const auto index = field.index(field.pick());
    counts[index] += 1;
    row = index == 0 ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  EXPECT_THAT(counts, testing::ElementsAre(500, 100, 100));
  EXPECT_LE(longest, 5) << "not all of the heavy one's turns in a row, round after round";
  Field equal(Algorithm::kRoundRobin, {1, 1, 1});
  EXPECT_THAT(equal.count(300), testing::ElementsAre(100, 100, 100));
}

TEST(Pickers, RoundRobinStaysWithinOneTurnOfItsShareForTenThousand) {
  std::vector<std::uint32_t> weights;
  for (std::uint32_t i = 0; i < 10000; ++i) {
    weights.push_back(1 + i % 7);
  }
  Field field(Algorithm::kRoundRobin, weights);
  std::map<const InstanceState*, int> counts;
  for (int i = 0; i < 40000; ++i) {  // about one round: the weights sum up to 39,997
    ++counts[field.pick()];
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ASSERT_NEAR(counts[field.states[i].get()], static_cast<int>(weights[i]), 1);
  }
}

/// Keeps `depth` requests running at a time, each lasting as long as the others on average.
std::vector<double> run_concurrently(Field& field, std::size_t depth, int requests) {
  std::vector<double> counts(field.states.size());
  std::vector<InstanceState*> running;
  for (int i = 0; i < requests; ++i) {
    if (running.size() == depth) {
      const auto ends = field.random.below(depth);
      --running[ends]->in_flight;
      running[ends] = running.back();
      running.pop_back();
    }
    auto* state = field.pick();
    ++state->in_flight;
    running.push_back(state);
    counts[field.index(state)] += 1;
  }
  return counts;
}

TEST(Pickers, LeastRequestFollowsWeightsUnderLoadToo) {
  struct Case {
    std::vector<std::uint32_t> weights;
    double bound;  ///< largest relative deviation of a share
  };
  for (const auto& [weights, bound] :
       {Case{{1, 1, 1}, 0.02}, Case{{3, 1}, 0.15}, Case{{10, 5, 5, 1}, 0.15}}) {
    for (const std::size_t depth : {16U, 64U, 256U}) {
      Field field(Algorithm::kLeastRequest, weights);
      const auto counts = run_concurrently(field, depth, 200000);
      EXPECT_LT(worst_deviation(counts, weights), bound)
          << weights.size() << " instances, " << depth
          << " at a time: " << testing::PrintToString(counts);
    }
  }
}

TEST(Pickers, LeastRequestAvoidsTheBusyAndTheRecentlyFailed) {
  Field field(Algorithm::kLeastRequest, {1, 1, 1});
  field.states[0]->in_flight = 10;
  EXPECT_EQ(field.count(1000)[0], 0);
  field.states[0]->in_flight = 0;
  field.states[1]->failure_load = 1;
  field.states[1]->failure_load_at = kNow;
  EXPECT_EQ(field.count(1000)[1], 0) << "a dead instance does not look idle";
  field.states[1]->failure_load_at = kNow - 11s;
  EXPECT_NEAR(field.count(3000)[1], 1000, 150) << "forgiven";
}

TEST(Pickers, AnOpenTunnelWeighsOnTunnelsAndNotOnRequests) {
  for (const auto algorithm : {Algorithm::kLeastRequest, Algorithm::kPeakEwma}) {
    Field field(algorithm, {1, 1});
    field.states[0]->in_flight = field.states[0]->tunnels = 1;
    EXPECT_NEAR(field.count(1000)[0], 500, 80);
    PickContext another;
    another.now = kNow;
    another.lasting = true;
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(field.picker->pick(another, field.random), field.states[1].get());
    }
    field.states[1]->in_flight = 1;  // a request
    EXPECT_EQ(field.count(1000)[1], 0);
  }
}

TEST(Pickers, LeastRequestSpreadsFarBetterThanRandom) {
  std::vector<std::uint32_t> weights(100, 1);
  const auto most = [&](Algorithm algorithm) {
    Field field(algorithm, weights);
    std::uint32_t highest = 0;
    for (int i = 0; i < 1000; ++i) {
      highest = std::max(highest, ++field.pick()->in_flight);
    }
    return highest;
  };
  EXPECT_LE(most(Algorithm::kLeastRequest), 13U);
  EXPECT_GE(most(Algorithm::kRandom), 16U);
}

TEST(Pickers, PeakEwmaPrefersTheFastAndComesBackToTheOnceSlow) {
  Field field(Algorithm::kPeakEwma, {1, 1, 1});
  for (auto& state : field.states) {
    state->latency.add(0.03, kNow);
    for (int i = 1; i < 200; ++i) {
      state->latency.add(0.001, kNow - 1s + 5ms * i);
    }
  }
  field.states[0]->latency.add(2.0, kNow);
  EXPECT_EQ(field.count(1000)[0], 0);
  const auto later = kNow + 2min;
  field.states[1]->latency.add(0.001, later);
  field.states[2]->latency.add(0.001, later);
  int used = 0;
  for (int i = 0; i < 300; ++i) {
    used += field.picker->pick({later, 0, {}}, field.random) == field.states[0].get() ? 1 : 0;
  }
  EXPECT_GT(used, 0) << "an unused latency fades, so it gets another chance";
}

TEST(Pickers, PeakEwmaWeighsLoadAgainstLatency) {
  Field field(Algorithm::kPeakEwma, {1, 1});
  field.states[0]->latency = PeakEwma(0.010, 10s);
  field.states[1]->latency = PeakEwma(0.030, 10s);
  for (auto& state : field.states) {
    state->latency.add(state->latency.value(), kNow);
  }
  field.states[0]->in_flight = 1;
  EXPECT_EQ(field.pick(), field.states[0].get()) << "2 x 10 ms are less than 30 ms";
  field.states[0]->in_flight = 4;
  EXPECT_EQ(field.pick(), field.states[1].get()) << "5 x 10 ms are more";
}

TEST(Pickers, HashingIsConstantForAKeyAndTheSameInEveryProcess) {
  for (const auto algorithm : {Algorithm::kRingHash, Algorithm::kMaglev}) {
    Field one(algorithm, {1, 2, 3, 4}, 1);
    Field other(algorithm, {1, 2, 3, 4}, 2);
    for (std::uint64_t key = 0; key < 1000; ++key) {
      EXPECT_EQ(one.index(one.pick(key)), other.index(other.pick(key)));
      EXPECT_EQ(one.pick(key), one.pick(key));
    }
  }
}

TEST(Pickers, HashingFollowsWeights) {
  const std::vector<std::uint32_t> weights{1, 2, 3, 4, 10};
  Field maglev(Algorithm::kMaglev, weights);
  EXPECT_LT(worst_deviation(maglev.count(200000), weights), 0.03);
  Field ring(Algorithm::kRingHash, weights);
  EXPECT_LT(worst_deviation(ring.count(200000), weights), 0.25);
}

TEST(Pickers, OnlyTheKeysOfALeaverMoveOnARingAndFewOthersWithMaglev) {
  constexpr int kKeys = 20000;
  for (const auto& [algorithm, bound] :
       {std::pair(Algorithm::kRingHash, 0.0), std::pair(Algorithm::kMaglev, 0.03)}) {
    for (const std::size_t leaver : {0U, 7U, 19U}) {
      Field before(algorithm, std::vector<std::uint32_t>(20, 1));
      Random random(1);
      Candidates rest;
      for (std::size_t i = 0; i < before.states.size(); ++i) {
        if (i != leaver) {
          rest.push_back({before.states[i].get(), 1});
        }
      }
      const auto after = make_picker(algorithm, rest, random);
      int moved = 0;
      int stayed = 0;
      for (std::uint64_t key = 0; key < kKeys; ++key) {
        auto* old = before.pick(key);
        if (old != before.states[leaver].get()) {
          ++(after->pick({kNow, key, {}}, random) == old ? stayed : moved);
        }
      }
      EXPECT_LE(moved, bound * kKeys) << static_cast<int>(algorithm);
      EXPECT_GT(stayed, kKeys * 0.9);
    }
  }
}

TEST(Pickers, ATriedInstanceOnTheRingGivesItsKeysToWhereTheyGoWhenItLeaves) {
  Field field(Algorithm::kRingHash, std::vector<std::uint32_t>(10, 1));
  Random random(1);
  Candidates rest;
  for (std::size_t i = 1; i < 10; ++i) {
    rest.push_back({field.states[i].get(), 1});
  }
  const auto without = make_picker(Algorithm::kRingHash, rest, random);
  InstanceState* tried[] = {field.states[0].get()};
  for (std::uint64_t key = 0; key < 5000; ++key) {
    EXPECT_EQ(field.pick(key, tried), without->pick({kNow, key, {}}, random));
  }
}

TEST(Pickers, AllAlgorithmsReachEveryoneOfTenThousand) {
  for (const auto algorithm : kAll) {
    Field field(algorithm, std::vector<std::uint32_t>(10000, 1));
    std::set<const InstanceState*> seen;
    for (std::uint64_t i = 0; i < 300000; ++i) {
      seen.insert(field.pick(mix_bits(i)));
    }
    EXPECT_GT(seen.size(), 9990U) << static_cast<int>(algorithm);
  }
}

}  // namespace
}  // namespace pilotfish::balancer
