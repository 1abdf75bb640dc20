#include "bench/scenarios/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

const TimePoint kStart = TimePoint() + std::chrono::seconds(100);

TEST(DrawTimeline, CountsByInstanceAndBucketWithFailuresApart) {
  const auto ended = [](int ms, bool ok, const char* who) {
    return Completion{kStart, kStart + milliseconds(ms), ok, who};
  };
  const auto timeline = draw_timeline(
      {ended(0, true, "v1 #1"), ended(49, true, "v1 #1"), ended(50, true, "v1 #2"),
       ended(120, false, ""), ended(-1, true, "v1 #1"), ended(125, true, "v1 #1")},
      {{kStart + milliseconds(60), "v1 #2 registered"}, {kStart - milliseconds(5), "before"}},
      kStart, kStart + milliseconds(125), milliseconds(50));
  EXPECT_DOUBLE_EQ(timeline.bucket_ms, 50);
  EXPECT_EQ(timeline.requests.size(), 3U);
  EXPECT_THAT(timeline.requests.at("v1 #1"), ElementsAre(2, 0, 0));
  EXPECT_THAT(timeline.requests.at("v1 #2"), ElementsAre(0, 1, 0));
  EXPECT_THAT(timeline.requests.at("failed"), ElementsAre(0, 0, 1));
  ASSERT_EQ(timeline.events.size(), 1U);
  EXPECT_EQ(timeline.events[0].what, "v1 #2 registered");
  EXPECT_DOUBLE_EQ(timeline.events[0].at_ms, 60);
}

}  // namespace
}  // namespace pilotfish::bench
