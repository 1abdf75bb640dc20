#include "app/line_writer.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <system_error>
#include <unistd.h>

#include "app/access_log.hpp"
#include "metrics/families.hpp"

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pilotfish-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string content(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(LineWriter, WritesWhatItWasGivenBeforeItEnds) {
  const TempFolder folder;
  {
    LineWriter writer(folder.file("log"), {});
    for (int i = 0; i < 1000; ++i) {
      EXPECT_TRUE(writer.write(std::to_string(i) + "\n"));
    }
  }
  const std::string text = content(folder.file("log"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1000);
  EXPECT_TRUE(text.ends_with("998\n999\n"));
}

TEST(LineWriter, NeverBlocksOnAPipeThatNobodyReads) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Descriptor in(ends[0]);
  const Descriptor out(ends[1]);
  std::size_t dropped = 0;
  std::size_t refused = 0;
  const auto start = std::chrono::steady_clock::now();
  {
    LineWriter writer(out.get(), {.capacity = 100'000,
                                  .linger = 50ms,
                                  .on_dropped = [&dropped](std::size_t n) { dropped += n; }});
    const std::string line = std::string(999, 'x') + "\n";
    for (int i = 0; i < 1000; ++i) {
      refused += writer.write(line) ? 0 : 1;
    }
    EXPECT_GT(refused, 0U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_GT(dropped, refused) << "what was still waiting at the end counts too";
  EXPECT_LE(dropped, 1000U);
}

TEST(LineWriter, DropsAndCountsWhereTheReaderIsGone) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  (void)std::signal(SIGPIPE, SIG_IGN);
  ::close(ends[0]);
  const Descriptor out(ends[1]);
  std::size_t dropped = 0;
  {
    LineWriter writer(out.get(), {.on_dropped = [&dropped](std::size_t n) { dropped += n; }});
    writer.write("a\nb\n");
  }
  EXPECT_EQ(dropped, 2U);
}

TEST(LineWriter, OpensItsFileAnewAfterLogrotateMovedIt) {
  const TempFolder folder;
  {
    LineWriter writer(folder.file("log"), {});
    writer.write("before\n");
    writer.flush(5s);
    std::filesystem::rename(folder.file("log"), folder.file("log.1"));
    writer.reopen();
    writer.write("after\n");
  }
  EXPECT_EQ(content(folder.file("log.1")), "before\n");
  EXPECT_EQ(content(folder.file("log")), "after\n");
}

TEST(LineWriter, KeepsTheOldFileWhereThePathCannotBeOpened) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.file("logs"));
  {
    LineWriter writer(folder.file("logs/log"), {});
    std::filesystem::rename(folder.file("logs"), folder.file("moved"));
    writer.reopen();
    writer.write("still here\n");
  }
  EXPECT_EQ(content(folder.file("moved/log")), "still here\n");
}

TEST(LineWriter, RefusesAPathThatCannotBeOpened) {
  EXPECT_THROW(LineWriter("/nowhere/at/all", LineWriter::Options{}), std::system_error);
}

TEST(AccessLog, WritesLinesAndCountsNoneAsDropped) {
  const TempFolder folder;
  metrics::Store store;
  {
    QueuedAccessLog log(folder.file("access"), config::LogFormat::kJson, store);
    proxy::AccessRecord record;
    record.upstream = "billing";
    record.method = "GET";
    record.status = 200;
    log.log(record);
    log.log(record);
  }
  const std::string text = content(folder.file("access"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(store.counter(metrics::kAccessLogDropped, {})->value(), 0U);
}

}  // namespace
}  // namespace pilotfish::app
