#include "bench/harness/cpu_time.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/harness/usage.hpp"

namespace pilotfish::bench {
namespace {

TEST(CpuTime, UserAndKernelWhateverTheNameIs) {
  const auto ticks = cpu_ticks("7 (a) b (c) S 1 7 7 0 -1 4194304 90 0 0 0 120 35 0 0 20 0 1 0");
  ASSERT_TRUE(ticks);
  EXPECT_EQ(ticks->user, 120);
  EXPECT_EQ(ticks->kernel, 35);
  EXPECT_FALSE(cpu_ticks("7 a S 1"));
  EXPECT_FALSE(cpu_ticks("7 (a) S 1 7"));
}

TEST(CpuTime, KnowsOurselvesAndNobodyElse) {
  EXPECT_TRUE(cpu_time(::getpid()));
  EXPECT_FALSE(cpu_time(0x7ffffffe));
  EXPECT_TRUE(tree_cpu(::getpid()));
  EXPECT_FALSE(tree_cpu(0x7ffffffe));
}

TEST(MemoryUse, ResidentAndAnonymousOfTheRollup) {
  const auto use = parse_smaps_rollup(
      "5581e000-7ffd2000 ---p 00000000 00:00 0                          [rollup]\n"
      "Rss:                6108 kB\nPss:                3125 kB\nAnonymous:          1024 kB\n"
      "AnonHugePages:         4 kB\n");
  ASSERT_TRUE(use);
  EXPECT_EQ(use->resident, 6108U * 1024);
  EXPECT_EQ(use->anonymous, 1024U * 1024);
  EXPECT_FALSE(parse_smaps_rollup("nothing of that kind\n"));
}

TEST(MemoryUse, KnowsOurselvesAndNobodyElse) {
  const auto use = tree_memory(::getpid());
  ASSERT_TRUE(use);
  EXPECT_GT(use->resident, use->anonymous);
  EXPECT_GT(use->anonymous, 0U);
  EXPECT_FALSE(tree_memory(0x7ffffffe));
}

}  // namespace
}  // namespace pilotfish::bench
