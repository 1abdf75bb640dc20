#include "app/state_store.hpp"

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <sstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "app/state_file.hpp"
namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class CapturingLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const auto& field : fields) {
      line += " " + std::string(field.key) + "=" + field.value;
    }
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

class StateStoreTest : public ::testing::Test {
 public:
  ~StateStoreTest() override { fs::remove_all(root_); }

 protected:
  StateStoreTest() {
    std::string name = (fs::temp_directory_path() / "pilotfish-state-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    options_.state_dir = root_ + "/a/b";
    proxy::UpstreamOptions upstream;
    upstream.name = "app";
    upstream.source = resolver::ConsulSource{"app", "", {{"v4"}, {}}};
    options_.upstreams.push_back(upstream);
  }

  [[nodiscard]] std::string file() const { return options_.state_dir + "/app.json"; }
  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    out << std::ifstream(file()).rdbuf();
    return out.str();
  }
  /// A new process's view, `later` after the first one's.
  std::vector<proxy::Proxy::Seed> restarted(Duration later = 0s) {
    StateStore store(options_, logger_);
    return load(store, wall_ + std::chrono::duration_cast<std::chrono::milliseconds>(later),
                kRestart);
  }
  static std::vector<proxy::Proxy::Seed> load(StateStore& store, WallTime wall, TimePoint now) {
    store.begin_load();
    EXPECT_TRUE(store.wait(10s));
    return store.take_loaded(wall, now);
  }
  void finish(StateStore& store) {
    store.finish(now_);
    EXPECT_TRUE(store.wait(10s));
  }
  /// Time passes on both clocks.
  void pass(std::chrono::seconds time) {
    wall_ += time;
    now_ += time;
  }
  void update(StateStore& store, std::vector<TierAnswer> answers, int serving = 0) {
    proxy::UpstreamStatus status;
    status.name = "app";
    status.tier = serving;
    status.answers = std::move(answers);
    store.update({status}, wall_, now_);
    EXPECT_TRUE(store.wait(10s));
    store.update({}, wall_, now_);  // what became of it
  }
  [[nodiscard]] TierAnswer good(const char* address) const {
    TierAnswer answer;
    answer.result = LookupResult::kOk;
    answer.instances = InstanceList{{.endpoint = *Endpoint::parse(address), .tags = {"v4"}}};
    answer.asked = now_ - 1s;
    answer.answered = now_;
    return answer;
  }
  [[nodiscard]] TierAnswer other(LookupResult result) const {
    TierAnswer answer;
    answer.result = result;
    answer.asked = now_;
    answer.answered = now_;
    return answer;
  }

  static constexpr TimePoint kRestart{std::chrono::minutes(1)};  // a machine just booted
  std::string root_;
  config::RootOptions options_;
  CapturingLogger logger_;
  WallTime wall_{std::chrono::milliseconds(1'800'000'000'000)};
  TimePoint now_{std::chrono::hours(5)};
};

TEST_F(StateStoreTest, GivesARestartTheLastGoodAnswersAtTheirTrueAge) {
  StateStore store(options_, logger_);
  EXPECT_THAT(load(store, wall_, now_), IsEmpty());
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  const auto seeds = restarted(1h);
  ASSERT_THAT(seeds, SizeIs(1));
  EXPECT_EQ(seeds[0].upstream, "app");
  ASSERT_THAT(seeds[0].tiers, SizeIs(2));
  EXPECT_EQ(seeds[0].tiers[0].result, LookupResult::kOk);
  EXPECT_EQ(seeds[0].tiers[0].instances, good("10.0.0.1:80").instances);
  EXPECT_EQ(kRestart - seeds[0].tiers[0].asked, 1h + 1s);
  EXPECT_NE(seeds[0].tiers[1].result, LookupResult::kOk);
  EXPECT_THAT(logger_.lines, IsEmpty());
}

TEST_F(StateStoreTest, TakesAClockThatWentBackAsNoAge) {
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_EQ(restarted(-24h).at(0).tiers[0].asked, kRestart);
}

TEST_F(StateStoreTest, KeepsAGoodAnswerThroughFailures) {
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  const auto before = text();
  for (const auto result : {LookupResult::kTimeout, LookupResult::kServfail,
                            LookupResult::kUnreachable, LookupResult::kMalformed}) {
    update(store, {other(result), other(result)});
  }
  finish(store);
  EXPECT_EQ(text(), before);
}

TEST_F(StateStoreTest, CarriesAKeptAnswerOverSeveralRestarts) {
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  StateStore second(options_, logger_);
  (void)load(second, wall_, now_);
  update(second, {other(LookupResult::kTimeout), good("10.0.0.2:80")});
  const auto seeds = restarted();
  ASSERT_THAT(seeds, SizeIs(1));
  EXPECT_EQ(seeds[0].tiers[0].instances, good("10.0.0.1:80").instances);
  EXPECT_EQ(seeds[0].tiers[1].instances, good("10.0.0.2:80").instances);
}

TEST_F(StateStoreTest, DropsATierThatAnsweredEmptyUnlessItIsHeld) {
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80"), good("10.0.0.2:80")});
  update(store, {other(LookupResult::kNxdomain), good("10.0.0.2:80")}, 1);
  EXPECT_THAT(restarted().at(0).tiers[0].instances, IsEmpty());
  update(store, {other(LookupResult::kNxdomain), other(LookupResult::kEmpty)}, 1);
  EXPECT_THAT(restarted().at(0).tiers[1].instances, SizeIs(1));
  update(store, {other(LookupResult::kNxdomain), other(LookupResult::kEmpty)}, -1);
  EXPECT_THAT(restarted(), IsEmpty());
}

TEST_F(StateStoreTest, WritesNewTimesOnceAMinuteAndAtTheEnd) {
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  const auto first = text();
  pass(10s);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_EQ(text(), first);
  finish(store);
  const auto last = text();
  EXPECT_NE(last, first);
  pass(59s);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_EQ(text(), last);
  pass(1s);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_NE(text(), last);
}

TEST_F(StateStoreTest, IgnoresAFileOfAnotherSourceAndSaysSo) {
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  options_.consul_dns.domain = "staging";
  EXPECT_THAT(restarted(), IsEmpty());
  ASSERT_THAT(logger_.lines, SizeIs(1));
  EXPECT_THAT(logger_.lines[0], HasSubstr("another source"));
}

TEST_F(StateStoreTest, IgnoresWhatIsNoRegularFileWithoutWaiting) {
  fs::create_directories(options_.state_dir);
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_THAT(restarted(), IsEmpty());
  ASSERT_THAT(logger_.lines, SizeIs(1));
  EXPECT_THAT(logger_.lines[0], HasSubstr("no regular file"));
}

TEST_F(StateStoreTest, LeavesStaticSourcesAlone) {
  options_.upstreams[0].source = resolver::StaticSource{good("10.0.0.1:80").instances.list()};
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80")});
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(StateStoreTest, SaysOnceThatItCannotWriteAndOnceThatItCanAgain) {
  std::ofstream(root_ + "/a") << "in the way";
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  ASSERT_FALSE(logger_.lines.empty());
  EXPECT_THAT(logger_.lines[0], HasSubstr("state_dir cannot be used"));
  logger_.lines.clear();
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  ASSERT_THAT(logger_.lines, SizeIs(1));
  EXPECT_THAT(logger_.lines[0], HasSubstr("cannot be kept"));
  fs::remove(root_ + "/a");
  fs::create_directories(options_.state_dir);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  ASSERT_THAT(logger_.lines, SizeIs(2));
  EXPECT_THAT(logger_.lines[1], HasSubstr("kept again"));
  EXPECT_THAT(restarted(), SizeIs(1));
}

TEST_F(StateStoreTest, LeavesNoTemporaryFileAndNoRightsToOthers) {
  StateStore store(options_, logger_);
  (void)load(store, wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_FALSE(fs::exists(file() + ".tmp"));
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

/// A disk that takes nothing until it is told to.
class StalledDisk {
 public:
  StateStore::Replace replace() {
    return [disk = disk_](const std::string& path, const std::string& text) {
      std::unique_lock lock(disk->mutex);
      ++disk->begun;
      disk->changed.notify_all();
      disk->changed.wait(lock, [&] { return disk->open; });
      return replace_state_file(path, text);
    };
  }
  [[nodiscard]] bool wait_begun() {
    std::unique_lock lock(disk_->mutex);
    return disk_->changed.wait_for(lock, 10s, [this] { return disk_->begun > 0; });
  }
  [[nodiscard]] int begun() {
    const std::lock_guard lock(disk_->mutex);
    return disk_->begun;
  }
  void open() {
    const std::lock_guard lock(disk_->mutex);
    disk_->open = true;
    disk_->changed.notify_all();
  }

 private:
  struct Disk {
    std::mutex mutex;
    std::condition_variable changed;
    int begun = 0;
    bool open = false;
  };
  std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
};

TEST_F(StateStoreTest, KeepsNobodyWaitingForADiskThatStallsAndSaysSo) {
  StalledDisk disk;
  {
    StateStore store(options_, logger_, nullptr, disk.replace());
    (void)load(store, wall_, now_);
    const auto told = [&](std::vector<TierAnswer> answers) {
      proxy::UpstreamStatus status;
      status.name = "app";
      status.tier = 0;
      status.answers = std::move(answers);
      store.update({status}, wall_, now_);
    };
    told({good("10.0.0.1:80"), TierAnswer{}});
    ASSERT_TRUE(disk.wait_begun());
    for (int i = 0; i < 4; ++i) {
      pass(3s);
      told({good("10.0.0.2:80"), TierAnswer{}});  // returns, though nothing is written
    }
    EXPECT_EQ(disk.begun(), 1);
    ASSERT_THAT(logger_.lines, SizeIs(1));
    EXPECT_THAT(logger_.lines[0], HasSubstr("does not answer"));
    disk.open();
    ASSERT_TRUE(store.wait(10s));
    told({good("10.0.0.2:80"), TierAnswer{}});
    ASSERT_TRUE(store.wait(10s));
    EXPECT_THAT(text(), HasSubstr("10.0.0.2:80"));
    told({good("10.0.0.2:80"), TierAnswer{}});
    EXPECT_THAT(logger_.lines.back(), HasSubstr("answers again"));
  }
}

TEST_F(StateStoreTest, EndsBesideADiskThatStalls) {
  StalledDisk disk;
  {
    StateStore store(options_, logger_, nullptr, disk.replace());
    (void)load(store, wall_, now_);
    proxy::UpstreamStatus status;
    status.name = "app";
    status.tier = 0;
    status.answers = {good("10.0.0.1:80"), TierAnswer{}};
    store.update({status}, wall_, now_);
    ASSERT_TRUE(disk.wait_begun());
  }
  EXPECT_EQ(disk.begun(), 1);
  disk.open();
}

TEST_F(StateStoreTest, LocksItsDirectoryForOneProcess) {
  auto first = StateLock::take(options_.state_dir);
  ASSERT_TRUE(first.lock) << first.problem;
  const auto second = StateLock::take(options_.state_dir);
  EXPECT_FALSE(second.lock);
  EXPECT_TRUE(second.in_use);
  EXPECT_THAT(second.problem,
              HasSubstr(options_.state_dir + " is in use by another pilotfish (pid " +
                        std::to_string(::getpid()) + ")"));
  EXPECT_EQ(StateLock::take(root_ + "/a/./b", first.lock).lock, first.lock);
  first.lock.reset();
  EXPECT_TRUE(StateLock::take(options_.state_dir).lock);
}

TEST_F(StateStoreTest, HoldsTheLockUntilItsLastFileIsWritten) {
  StalledDisk disk;
  {
    auto taken = StateLock::take(options_.state_dir);
    StateStore store(options_, logger_, std::exchange(taken.lock, nullptr), disk.replace());
    (void)load(store, wall_, now_);
    proxy::UpstreamStatus status;
    status.name = "app";
    status.tier = 0;
    status.answers = {good("10.0.0.1:80"), TierAnswer{}};
    store.update({status}, wall_, now_);
    ASSERT_TRUE(disk.wait_begun());
  }
  EXPECT_TRUE(StateLock::take(options_.state_dir).in_use);
  disk.open();
  const auto limit = Clock::now() + 10s;
  while (!StateLock::take(options_.state_dir).lock && Clock::now() < limit) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(StateLock::take(options_.state_dir).lock);
  EXPECT_THAT(text(), HasSubstr("10.0.0.1:80"));
}

}  // namespace
}  // namespace pilotfish::app
