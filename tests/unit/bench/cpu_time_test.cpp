#include "bench/harness/cpu_time.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace pilotfish::bench {
namespace {

TEST(CpuTime, AddsUserAndSystemWhateverTheNameIs) {
  EXPECT_EQ(cpu_ticks("7 (a) b (c) S 1 7 7 0 -1 4194304 90 0 0 0 120 35 0 0 20 0 1 0"), 155);
  EXPECT_FALSE(cpu_ticks("7 a S 1"));
  EXPECT_FALSE(cpu_ticks("7 (a) S 1 7"));
}

TEST(CpuTime, KnowsOurselvesAndNobodyElse) {
  EXPECT_TRUE(cpu_time(::getpid()));
  EXPECT_FALSE(cpu_time(0x7ffffffe));
}

}  // namespace
}  // namespace pilotfish::bench
