#include "core/instance.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/best_first.hpp"
#include "core/tier_answer.hpp"

namespace pilotfish {
namespace {

Instance make(const char* endpoint, std::uint32_t weight = 1) {
  return {*Endpoint::parse(endpoint), weight, 0, {}};
}

TEST(Normalise, SortsByEndpoint) {
  InstanceList list{make("10.0.0.2:80"), make("10.0.0.1:81"), make("[::1]:1"), make("10.0.0.1:80")};
  normalise(list);
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].endpoint.to_string(), "10.0.0.1:80");
  EXPECT_EQ(list[1].endpoint.to_string(), "10.0.0.1:81");
  EXPECT_EQ(list[2].endpoint.to_string(), "10.0.0.2:80");
  EXPECT_EQ(list[3].endpoint.to_string(), "[::1]:1");
}

TEST(Normalise, KeepsTheFirstOfRepeatedEndpoints) {
  InstanceList list{make("10.0.0.2:80", 7), make("10.0.0.1:80", 1), make("10.0.0.2:80", 9)};
  normalise(list);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[1].weight, 7U);
}

TEST(BestFirst, OfRepeatedEndpointsTheSameOneStaysInWhateverOrderTheyCome) {
  InstanceList list{make("10.0.0.1:80", 1), make("10.0.0.2:80", 7), make("10.0.0.2:80", 9),
                    make("10.0.0.2:80", 20)};
  list[3].priority = 5;  // behind, whatever its weight
  std::ranges::sort(list, {}, &Instance::weight);
  do {
    auto shuffled = list;
    best_first(shuffled);
    normalise(shuffled);
    ASSERT_EQ(shuffled.size(), 2U);
    EXPECT_EQ(shuffled[1].weight, 9U);
    EXPECT_EQ(shuffled[1].priority, 0U);
  } while (std::ranges::next_permutation(list, {}, &Instance::weight).found);
}

TEST(Normalise, SkipsPortZero) {
  InstanceList list{make("10.0.0.2:0")};
  normalise(list);
  EXPECT_TRUE(list.empty());
}

TEST(Normalise, MakesAnswersComparableWhateverTheirOrder) {
  InstanceList one{make("10.0.0.2:80"), make("10.0.0.1:80")};
  InstanceList other{make("10.0.0.1:80"), make("10.0.0.2:80")};
  normalise(one);
  normalise(other);
  EXPECT_EQ(one, other);
  other[0].tags.emplace_back("v4");
  EXPECT_NE(one, other);
}

TEST(LookupResult, TellsFailuresFromEmptyAnswers) {
  EXPECT_FALSE(is_failure(LookupResult::kOk));
  EXPECT_FALSE(is_failure(LookupResult::kNxdomain));
  EXPECT_FALSE(is_failure(LookupResult::kEmpty));
  for (const auto result :
       {LookupResult::kServfail, LookupResult::kRefused, LookupResult::kUnreachable,
        LookupResult::kTimeout, LookupResult::kMalformed}) {
    EXPECT_TRUE(is_failure(result)) << to_string(result);
  }
}

}  // namespace
}  // namespace pilotfish
