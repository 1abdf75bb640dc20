#include "metrics/reference.hpp"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "metrics/families.hpp"

namespace pilotfish::metrics {
namespace {

TEST(MetricsReference, IsWhatDocsHave) {
  const std::string path = PILOTFISH_SOURCE_DIR "/docs/metrics.md";
  if (const char* update = std::getenv("UPDATE_DOCS"); update != nullptr && *update == '1') {
    std::ofstream(path) << reference_markdown();
  }
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), reference_markdown()) << "run with UPDATE_DOCS=1 to rewrite " << path;
}

TEST(MetricsReference, NamesAreUniqueAndFollowPrometheus) {
  std::set<std::string_view> names;
  for (const Family* family : kFamilies) {
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
    EXPECT_TRUE(family->name.starts_with("pilotfish_")) << family->name;
    EXPECT_EQ(family->type == Type::kCounter, family->name.ends_with("_total")) << family->name;
  }
}

TEST(MetricsReference, EveryClosedListIsNamed) {
  for (const Family* family : kFamilies) {
    for (const std::string_view label : family->labels) {
      if (label == "reason" || label == "result" || label == "state" || label == "direction") {
        EXPECT_THAT(std::string(family->help), ::testing::HasSubstr(std::string(label) + ": "))
            << family->name;
      }
    }
  }
}

}  // namespace
}  // namespace pilotfish::metrics
