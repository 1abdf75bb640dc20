#include "app/file_watch.hpp"

#include <boost/asio/post.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
namespace fs = std::filesystem;

class QuietLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view, std::initializer_list<LogField>) override { ++lines; }
  int lines = 0;
};

class FileWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "pilotfish-watch-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  static void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  void watch(const fs::path& path) {
    watch_.emplace(io_, path.string(), file_stamp(path.string()), logger_, [this] { ++changes_; });
    ASSERT_TRUE(watch_->start());
    (void)io_.poll();
  }
  /// Until so many changes were told; false where they were not within 10 s.
  bool told(int changes) {
    const auto limit = Clock::now() + 10s;
    while (changes_ < changes && Clock::now() < limit) {
      io_.run_one_for(10ms);
    }
    return changes_ >= changes;
  }
  /// Everything that is under way has been looked at.
  void settle() { io_.run_for(400ms); }

  fs::path root_;
  QuietLogger logger_;
  net::IoContext io_{1};
  std::optional<FileWatch> watch_;
  int changes_ = 0;
};

TEST_F(FileWatchTest, TellsOfAFileWrittenInPlaceOnce) {
  write(root_ / "a.yaml", "one");
  watch(root_ / "a.yaml");
  write(root_ / "a.yaml", "two!");
  ASSERT_TRUE(told(1));
  settle();
  EXPECT_EQ(changes_, 1);
}

TEST_F(FileWatchTest, TellsOfAFileReplacedByARenameAgainAndAgain) {
  write(root_ / "a.yaml", "one");
  watch(root_ / "a.yaml");
  for (int i = 1; i <= 3; ++i) {
    write(root_ / "new", "text " + std::to_string(i));
    fs::rename(root_ / "new", root_ / "a.yaml");
    ASSERT_TRUE(told(i)) << i;
  }
}

TEST_F(FileWatchTest, TellsOfALinkBesideItThatLeadsElsewhereAsInAConfigMap) {
  for (const auto* version : {"..1", "..2"}) {
    fs::create_directory(root_ / version);
    write(root_ / version / "a.yaml", version);
  }
  fs::create_symlink("..1", root_ / "..data");
  fs::create_symlink("..data/a.yaml", root_ / "a.yaml");
  EXPECT_THAT(folders_to_watch((root_ / "a.yaml").string()), Contains(root_.string()));
  watch(root_ / "a.yaml");
  fs::create_symlink("..2", root_ / "..data_tmp");
  fs::rename(root_ / "..data_tmp", root_ / "..data");
  ASSERT_TRUE(told(1));
  write(root_ / "..2" / "a.yaml", "in place, behind the links");
  ASSERT_TRUE(told(2));
}

TEST_F(FileWatchTest, WaitsForAFileThatIsAway) {
  write(root_ / "a.yaml", "one");
  watch(root_ / "a.yaml");
  fs::remove(root_ / "a.yaml");
  settle();
  EXPECT_EQ(changes_, 0);
  write(root_ / "a.yaml", "back");
  EXPECT_TRUE(told(1));
}

TEST_F(FileWatchTest, IsSilentAboutOtherFilesOfTheFolder) {
  write(root_ / "a.yaml", "one");
  watch(root_ / "a.yaml");
  write(root_ / "b.yaml", "other");
  settle();
  EXPECT_EQ(changes_, 0);
}

TEST_F(FileWatchTest, SaysWhereItCannotWatch) {
  watch_.emplace(io_, (root_ / "absent" / "a.yaml").string(), FileStamp{}, logger_, [] {});
  EXPECT_FALSE(watch_->start());
  EXPECT_EQ(logger_.lines, 1);
}

}  // namespace
}  // namespace pilotfish::app
