#include "app/state_store.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/stat.h>

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
    return store.load(wall_ + std::chrono::duration_cast<std::chrono::milliseconds>(later),
                      kRestart);
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
  EXPECT_THAT(store.load(wall_, now_), IsEmpty());
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
  (void)store.load(wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_EQ(restarted(-24h).at(0).tiers[0].asked, kRestart);
}

TEST_F(StateStoreTest, KeepsAGoodAnswerThroughFailures) {
  StateStore store(options_, logger_);
  (void)store.load(wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  const auto before = text();
  for (const auto result : {LookupResult::kTimeout, LookupResult::kServfail,
                            LookupResult::kUnreachable, LookupResult::kMalformed}) {
    update(store, {other(result), other(result)});
  }
  store.finish(now_);
  EXPECT_EQ(text(), before);
}

TEST_F(StateStoreTest, CarriesAKeptAnswerOverSeveralRestarts) {
  StateStore store(options_, logger_);
  (void)store.load(wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  StateStore second(options_, logger_);
  (void)second.load(wall_, now_);
  update(second, {other(LookupResult::kTimeout), good("10.0.0.2:80")});
  const auto seeds = restarted();
  ASSERT_THAT(seeds, SizeIs(1));
  EXPECT_EQ(seeds[0].tiers[0].instances, good("10.0.0.1:80").instances);
  EXPECT_EQ(seeds[0].tiers[1].instances, good("10.0.0.2:80").instances);
}

TEST_F(StateStoreTest, DropsATierThatAnsweredEmptyUnlessItIsHeld) {
  StateStore store(options_, logger_);
  (void)store.load(wall_, now_);
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
  (void)store.load(wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  const auto first = text();
  pass(10s);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_EQ(text(), first);
  store.finish(now_);
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
  (void)store.load(wall_, now_);
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
  (void)store.load(wall_, now_);
  update(store, {good("10.0.0.1:80")});
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(StateStoreTest, SaysOnceThatItCannotWriteAndOnceThatItCanAgain) {
  std::ofstream(root_ + "/a") << "in the way";
  StateStore store(options_, logger_);
  (void)store.load(wall_, now_);
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
  (void)store.load(wall_, now_);
  update(store, {good("10.0.0.1:80"), TierAnswer{}});
  EXPECT_FALSE(fs::exists(file() + ".tmp"));
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace pilotfish::app
