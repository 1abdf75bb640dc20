#include "proxy/check_plan.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace pilotfish::proxy {
namespace {

using Change = CheckRecord::Change;

ActiveCheck check_of(std::uint32_t healthy, std::uint32_t unhealthy) {
  ActiveCheck check;
  check.healthy = healthy;
  check.unhealthy = unhealthy;
  return check;
}

/// The rule in one sentence, without state: the first result decides; later the last `n` results
/// turn a verdict when all of them speak against it.
bool unhealthy_by_the_book(const std::vector<bool>& results, const ActiveCheck& check) {
  bool unhealthy = false;
  std::size_t since = 0;  // where the present verdict began to count
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i == 0) {
      unhealthy = !results[0];
      since = 1;
      continue;
    }
    const std::size_t needed = unhealthy ? check.healthy : check.unhealthy;
    if (i + 1 < since + needed) {
      continue;
    }
    bool all = true;
    for (std::size_t j = i + 1 - needed; j <= i; ++j) {
      all = all && results[j] == unhealthy;
    }
    if (all) {
      unhealthy = !unhealthy;
      since = i + 1;
    }
  }
  return unhealthy;
}

TEST(CheckRecord, FollowsTheRuleInEveryOrderOfResults) {
  for (std::uint32_t healthy = 1; healthy <= 3; ++healthy) {
    for (std::uint32_t unhealthy = 1; unhealthy <= 3; ++unhealthy) {
      const auto check = check_of(healthy, unhealthy);
      for (unsigned order = 0; order < (1U << 10U); ++order) {
        CheckRecord record;
        std::vector<bool> results;
        for (unsigned i = 0; i < 10; ++i) {
          const bool before = record.unhealthy();
          results.push_back(((order >> i) & 1U) != 0);
          const auto change = record.on_result(results.back(), check);
          ASSERT_EQ(record.unhealthy(), unhealthy_by_the_book(results, check))
              << "healthy " << healthy << ", unhealthy " << unhealthy << ", order " << order
              << ", result " << i;
          const auto expected = before == record.unhealthy() ? Change::kNone
                                : record.unhealthy()         ? Change::kWentOut
                                                             : Change::kCameBack;
          ASSERT_EQ(change, expected);
        }
      }
    }
  }
}

TEST(CheckRecord, CountsAsHealthyUntilItsFirstResultWhichDecidesAlone) {
  const auto check = check_of(2, 3);
  CheckRecord fails;
  EXPECT_FALSE(fails.unhealthy());
  EXPECT_EQ(fails.on_result(false, check), Change::kWentOut);
  CheckRecord passes;
  EXPECT_EQ(passes.on_result(true, check), Change::kNone);
  EXPECT_EQ(passes.on_result(false, check), Change::kNone);
  EXPECT_EQ(passes.on_result(false, check), Change::kNone);
  EXPECT_EQ(passes.on_result(false, check), Change::kWentOut);
  EXPECT_EQ(passes.on_result(true, check), Change::kNone);
  EXPECT_EQ(passes.on_result(true, check), Change::kCameBack);
}

TEST(CheckRecord, AReloadWithOtherNumbersCountsWhatWasCounted) {
  CheckRecord record;
  record.on_result(true, check_of(2, 5));
  record.on_result(false, check_of(2, 5));
  record.on_result(false, check_of(2, 5));
  EXPECT_EQ(record.against(), 2U);
  EXPECT_EQ(record.on_result(false, check_of(2, 1)), Change::kWentOut);
}

TEST(CheckTimes, AreSpreadOverTheIntervalAfterTheFirstAndKeptToItThen) {
  Random random(1);
  Duration lowest = 10s;
  Duration highest{};
  for (int i = 0; i < 1000; ++i) {
    const auto second = next_probe_in(10s, true, random);
    ASSERT_GT(second, Duration{});
    ASSERT_LE(second, 10s);
    lowest = std::min(lowest, second);
    highest = std::max(highest, second);
    const auto later = next_probe_in(10s, false, random);
    ASSERT_GE(later, 9s);
    ASSERT_LE(later, 11s);
    const auto first = first_probe_in(10s, random);
    ASSERT_GE(first, Duration{});
    ASSERT_LE(first, 200ms);
  }
  EXPECT_LT(lowest, 500ms);
  EXPECT_GT(highest, 9500ms);
}

TEST(CheckTimes, AreNeverZeroSoThatNothingSpins) {
  Random random(1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_GT(next_probe_in(1us, true, random), Duration{});
    EXPECT_GT(next_probe_in(1us, false, random), Duration{});
  }
}

}  // namespace
}  // namespace pilotfish::proxy
