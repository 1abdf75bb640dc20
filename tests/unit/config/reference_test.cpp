#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/tables.hpp"
#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

void expect_rows(const KeyDocs& docs, const std::string& text) {
  for (const auto& doc : docs) {
    EXPECT_NE(text.find("| `" + doc.key + "` | "), std::string::npos) << doc.key;
    EXPECT_FALSE(doc.help.empty()) << doc.key;
    EXPECT_FALSE(doc.type.empty()) << doc.key;
    if (doc.inside) {
      expect_rows(*doc.inside, text);
    }
  }
}

TEST(Reference, HasEveryKey) {
  expect_rows(root_table().docs(), reference_markdown());
}

TEST(Reference, ShowsDefaultsAndRanges) {
  const auto text = reference_markdown();
  EXPECT_NE(text.find("| `timeout` | duration above 0 | `200ms` | How long a connection waits"),
            std::string::npos);
  EXPECT_NE(text.find("| `listen` | address IP:PORT, or fd:NAME | required | "), std::string::npos);
  EXPECT_NE(text.find("## `upstreams.NAME.lookup`"), std::string::npos);
}

/// UPDATE_DOCS=1 in the environment writes the page instead of comparing it.
TEST(Reference, PageInTheRepositoryIsUpToDate) {
  const std::string path = PILOTFISH_SOURCE_DIR "/docs/configuration.md";
  const auto* update = std::getenv("UPDATE_DOCS");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(path, std::ios::binary) << reference_markdown();
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == reference_markdown())
      << path << " has drifted; run unit_config with UPDATE_DOCS=1 and commit it";
}

}  // namespace
}  // namespace pilotfish::config::test
