// This program counts its allocations, so that the promise of the hot path can be tested: picking,
// starting and finishing a try allocate nothing.
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>

#include "balancer/retry.hpp"
#include "tests/unit/balancer/cluster_fixture.hpp"

namespace {
std::size_t allocations = 0;  // NOLINT: operator new has nowhere else to count
}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc, misc-new-delete-overloads)
void* operator new(std::size_t size) {
  ++allocations;
  if (auto* memory = std::malloc(size == 0 ? 1 : size)) {
    return memory;
  }
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc, misc-new-delete-overloads)

namespace pilotfish::balancer {
namespace {

/// A thousand tries with a retry each; `weighted`: with weights 1 to 10.
void run_tries(Algorithm algorithm, int instances, bool weighted) {
  ClusterOptions options;
  options.algorithm = algorithm;
  ClusterBox box(options, {"only"});
  InstanceList list;
  for (int i = 1; i <= instances; ++i) {
    list.push_back(instance(i, weighted ? 1 + static_cast<std::uint32_t>(i % 10) : 1));
  }
  box.answer(0, std::move(list));
  const auto before = allocations;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    auto* state = box.pick({}, i);
    box.cluster.started(*state, box.now);
    InstanceState* tried[] = {state};
    auto* other = box.pick(tried, i);
    box.cluster.started(*other, box.now);
    const bool good = i % 5 != 0;
    box.cluster.finished(*state, good ? Outcome::kSuccess : Outcome::kNeutral, 1ms, box.now);
    box.cluster.finished(*other, Outcome::kSuccess, 1ms, box.now);
    box.now += 1ms;
    box.cluster.tick(box.now);
  }
  EXPECT_EQ(allocations, before) << static_cast<int>(algorithm) << " among " << instances
                                 << (weighted ? " weighted" : "");
}

TEST(NoAllocation, InPickStartedAndFinishedOfAnyAlgorithmAtAnySize) {
  for (const auto algorithm : {Algorithm::kLeastRequest, Algorithm::kRoundRobin, Algorithm::kRandom,
                               Algorithm::kPeakEwma, Algorithm::kRingHash, Algorithm::kMaglev}) {
    for (const int instances : {3, 100, 10000}) {
      run_tries(algorithm, instances, false);
      run_tries(algorithm, instances, true);
    }
  }
}

/// Among a large set with one ejected instance, who is passed over from pick to pick.
TEST(NoAllocation, InAPickThatPassesSomebodyOver) {
  ClusterBox box({}, {"only"});
  InstanceList list;
  for (int i = 1; i <= 1000; ++i) {
    list.push_back(instance(i));
  }
  box.answer(0, std::move(list));
  box.fail_times(box.state(1), 5);
  ASSERT_TRUE(box.state(1).ejected);
  const auto before = allocations;
  for (int i = 0; i < 1000; ++i) {
    std::ignore = box.pick();
  }
  EXPECT_EQ(allocations, before);
}

TEST(NoAllocation, InAPickOfAShareOrOfAKeptInstance) {
  ClusterBox box({}, {"v4", "split v5"}, {1, {0, 300}});
  box.answer(0, {instance(1), instance(2)});
  box.answer(1, {instance(3), instance(4)});
  const auto before = allocations;
  for (int i = 0; i < 1000; ++i) {
    PickContext context{box.now};
    context.wanted = box.cluster.draw_share();
    auto* state = box.cluster.pick(context);
    context.keep = state;
    EXPECT_EQ(box.cluster.pick(context), state);
    box.run(*state, Outcome::kSuccess);
  }
  EXPECT_EQ(allocations, before);
}

TEST(NoAllocation, InAnUnchangedAnswer) {
  ClusterBox box({}, {"only"});
  const auto answer = ok({instance(1), instance(2)});
  box.cluster.on_answer(0, answer, box.now);
  const auto before = allocations;
  for (int i = 0; i < 100; ++i) {
    box.now += 10ms;
    box.cluster.on_answer(0, answer, box.now);
  }
  EXPECT_EQ(allocations, before);
}

TEST(NoAllocation, InTheRetryDecision) {
  RetryBudget budget(20);
  const auto before = allocations;
  for (int i = 0; i < 100; ++i) {
    budget.on_request(TimePoint{1h} + i * 100ms);
    RetryQuestion question;
    question.idempotent = true;
    question.cause = RetryCause::k503;
    std::ignore = decide_retry({}, question, budget, TimePoint{1h} + i * 100ms);
  }
  EXPECT_EQ(allocations, before);
}

/// Bringing 2,000 instances in line would copy their tags.
TEST(NoAllocation, ForEachInstanceInAStepOfARamp) {
  ClusterBox box({}, {"any", "split v5", "split v6"}, {1, {0, 50, 0}});
  InstanceList list;
  for (int i = 1; i <= 2000; ++i) {
    list.push_back(instance(i, 1, 0, {"a-tag-that-is-too-long-to-be-kept-in-place"}));
  }
  box.answer(0, list);
  box.answer(1, InstanceList(list.begin(), list.begin() + 100));
  const auto before = allocations;
  box.cluster.set_shares({0, 60}, box.now);
  box.cluster.set_shares({0, 120, 0}, box.now);
  EXPECT_LT(allocations - before, 300U);
}

}  // namespace
}  // namespace pilotfish::balancer
