#include "bench/scenarios/change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using testing::DoubleEq;

const TimePoint kStart = TimePoint() + std::chrono::seconds(100);

TimePoint at(int ms) {
  return kStart + milliseconds(ms);
}

RegistryChange joins(std::uint16_t port, int ms) {
  RegistryChange change;
  change.listed = change.joining = {port};
  change.changed = at(ms);
  return change;
}

RegistryChange leaves(std::uint16_t port, int ms) {
  RegistryChange change;
  change.unlisted = change.leaving = {port};
  change.changed = at(ms);
  return change;
}

TEST(RegistryChange, FirstRequestCountsFromTheMomentBeforeTheRegistryIsTold) {
  const auto lags =
      measure_lags({joins(1, 10)}, {{at(40), 1}, {at(25), 1}, {at(11), 2}, {at(5), 1}});
  ASSERT_EQ(lags.size(), 1U);
  EXPECT_EQ(lags[0].first_request, milliseconds(15));
  EXPECT_EQ(lags[0].last_request, std::nullopt);
}

TEST(RegistryChange, LastRequestIsZeroWhereNoneCameAnyMore) {
  const auto lags =
      measure_lags({leaves(1, 10), leaves(2, 10)}, {{at(9), 1}, {at(9), 2}, {at(31), 2}});
  EXPECT_EQ(lags[0].last_request, milliseconds(0));
  EXPECT_EQ(lags[1].last_request, milliseconds(21));
}

TEST(RegistryChange, RequestsAfterTheReturnOfAnInstanceDoNotCountAsLateOnes) {
  const auto lags = measure_lags({leaves(1, 10), joins(1, 50), leaves(1, 90)},
                                 {{at(12), 1}, {at(60), 1}, {at(89), 1}, {at(95), 1}});
  EXPECT_EQ(lags[0].last_request, milliseconds(2));
  EXPECT_EQ(lags[1].first_request, milliseconds(10));
  EXPECT_EQ(lags[2].last_request, milliseconds(5));
}

TEST(RegistryChange, ARequestAfterTheNextLeavingIsNotTheFirstOne) {
  const auto lags = measure_lags({joins(1, 10), leaves(1, 20)}, {{at(25), 1}});
  EXPECT_EQ(lags[0].first_request, std::nullopt);
  EXPECT_TRUE(lags[0].request_due);
  EXPECT_DOUBLE_EQ(lag_figures(lags, false)["changes_missed"], 1);
}

TEST(RegistryChange, ATierTakesOverWithTheFirstOfItsInstancesAndLeavesWithItsLast) {
  RegistryChange fallback;
  fallback.leaving = {1, 2};
  fallback.joining = {3, 4};
  fallback.changed = at(0);
  const auto lags = measure_lags({fallback}, {{at(1), 1}, {at(7), 2}, {at(9), 4}, {at(12), 3}});
  EXPECT_EQ(lags[0].first_request, milliseconds(9));
  EXPECT_EQ(lags[0].last_request, milliseconds(7));
}

TEST(RegistryChange, FiguresAreMediansAndWorstByLabel) {
  std::vector<RegistryChange> changes = {joins(1, 0), joins(2, 0), joins(3, 0), leaves(4, 0)};
  changes[3].label = "return";
  changes[0].answer = at(3);
  changes[1].answer = at(1);
  changes[2].snapshot = at(8);
  const auto lags = measure_lags(changes, {{at(2), 1}, {at(4), 2}, {at(30), 3}, {at(6), 4}});
  const auto figures = lag_figures(lags, false);
  EXPECT_THAT(figures.at("change_to_first_request_ms"), DoubleEq(4));
  EXPECT_THAT(figures.at("change_to_first_request_worst_ms"), DoubleEq(30));
  EXPECT_THAT(figures.at("change_to_answer_ms"), DoubleEq(2));
  EXPECT_THAT(figures.at("change_to_snapshot_ms"), DoubleEq(8));
  EXPECT_THAT(figures.at("return_to_last_request_ms"), DoubleEq(6));
  EXPECT_THAT(figures.at("changes"), DoubleEq(4));
  EXPECT_THAT(figures.at("changes_missed"), DoubleEq(0));
  EXPECT_FALSE(figures.contains("change_to_last_request_ms"));
  EXPECT_FALSE(figures.contains("change_to_first_request_p99_ms"));
}

TEST(RegistryChange, PercentilesAreThereWhereTheyAreAskedFor) {
  std::vector<RegistryChange> changes;
  std::vector<Arrival> arrivals;
  for (int i = 1; i <= 100; ++i) {
    changes.push_back(joins(static_cast<std::uint16_t>(i), 0));
    arrivals.push_back({at(i), static_cast<std::uint16_t>(i)});
  }
  const auto figures = lag_figures(measure_lags(changes, arrivals), true);
  EXPECT_THAT(figures.at("change_to_first_request_p50_ms"), DoubleEq(50));
  EXPECT_THAT(figures.at("change_to_first_request_p99_ms"), DoubleEq(99));
  EXPECT_THAT(figures.at("change_to_first_request_max_ms"), DoubleEq(100));
  EXPECT_FALSE(figures.contains("change_to_first_request_worst_ms")) << "the same again";
}

TEST(RegistryChange, AnAnswerShowsItOnlyWithAllThatIsPresentAndNothingThatIsAbsent) {
  EXPECT_TRUE(shows({1, 2, 3}, {1, 2}, {4}));
  EXPECT_FALSE(shows({1, 3}, {1, 2}, {4}));
  EXPECT_FALSE(shows({1, 2, 4}, {1, 2}, {4}));
  EXPECT_TRUE(shows({}, {}, {4}));
  EXPECT_FALSE(shows({1}, {}, {})) << "nothing to be seen";
}

TEST(Quantile, IsTheValueThatTheFractionDoesNotExceed) {
  EXPECT_THAT(quantile({4, 1, 3, 2}, 0.5), DoubleEq(2));
  EXPECT_THAT(quantile({4, 1, 3, 2}, 0), DoubleEq(1));
  EXPECT_THAT(quantile({4, 1, 3, 2}, 1), DoubleEq(4));
  EXPECT_THAT(quantile({}, 0.5), DoubleEq(0));
}

}  // namespace
}  // namespace pilotfish::bench
