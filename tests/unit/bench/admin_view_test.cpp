#include "bench/harness/admin_view.hpp"

#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

TEST(AdminView, ReadsUpstreams) {
  const auto views = parse_upstreams(
      R"({"upstreams":[{"name":"billing","tier":1,"reason":"v4 fell short","age_ms":12,)"
      R"("instances":[{"address":"10.0.0.1:80","weight":1,"priority":1,"tags":["v3"],"tier":1,)"
      R"("state":"ejected","why":"5 failures","in_flight":0,"requests":12,"failures":5}]}]})");
  ASSERT_TRUE(views);
  ASSERT_EQ(views->size(), 1U);
  EXPECT_EQ(views->front().tier, 1);
  EXPECT_EQ(views->front().reason, "v4 fell short");
  const auto* instance = views->front().find("10.0.0.1:80");
  ASSERT_NE(instance, nullptr);
  EXPECT_EQ(instance->state, "ejected");
  EXPECT_EQ(instance->requests, 12U);
  EXPECT_EQ(views->front().find("10.0.0.2:80"), nullptr);
}

TEST(AdminView, RefusesWhatIsNotThatJson) {
  EXPECT_FALSE(parse_upstreams(""));
  EXPECT_FALSE(parse_upstreams("[]"));
  EXPECT_FALSE(parse_upstreams(R"({"upstreams":3})"));
  EXPECT_TRUE(parse_upstreams(R"({"upstreams":[]})"));
}

TEST(AdminView, SumsAFamilyAndNotItsNeighbours) {
  const auto samples = parse_metrics(
      "# HELP x_total text\n# TYPE x_total counter\nx_total{a=\"1 b\"} 3\nx_total{a=\"2\"} 4 "
      "12345\n"
      "x_total_more 100\nup 1\nbroken\n");
  EXPECT_EQ(sum_of(samples, "x_total"), 7);
  EXPECT_EQ(sum_of(samples, "up"), 1);
  EXPECT_EQ(sum_of(samples, "absent"), 0);
}

}  // namespace
}  // namespace pilotfish::bench
