#include "net/deadlines.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <vector>

namespace pilotfish::net {
namespace {

using namespace std::chrono_literals;

class Probe final : public Deadline {
 public:
  using Deadline::Deadline;
  std::vector<TimePoint> fired;
  TimePoint sweeping{};

 private:
  void on_deadline() override { fired.push_back(sweeping); }
};

class DeadlinesTest : public testing::Test {
 protected:
  /// Sweeps every 5 ms of simulated time.
  void pass(Duration time) {
    const auto end = now_ + time;
    while (now_ < end) {
      now_ += 5ms;
      probe_.sweeping = now_;
      wheel_.sweep(now_);
    }
  }
  IoContext io_;
  Deadlines wheel_{io_.get_executor()};
  Probe probe_{wheel_};
  TimePoint start_ = Clock::now();
  TimePoint now_ = start_;
};

TEST_F(DeadlinesTest, NeverFiresEarlyAndAtMostTwoGrainsLate) {
  for (const auto wait : {1ms, 8ms, 100ms, 1000ms, 7900ms, 8200ms, 20000ms}) {
    const auto due = now_ + wait;
    probe_.fired.clear();
    probe_.set(due);
    pass(wait + 100ms);
    ASSERT_EQ(probe_.fired.size(), 1U) << wait.count();
    EXPECT_GE(probe_.fired[0], due) << wait.count();
    EXPECT_LE(probe_.fired[0], due + 2 * Deadlines::kGrain + 5ms) << wait.count();
  }
}

TEST_F(DeadlinesTest, MovesLaterWithoutFiring) {
  probe_.set(now_ + 50ms);
  for (int i = 0; i < 10; ++i) {
    pass(30ms);
    probe_.set(now_ + 50ms);
  }
  EXPECT_TRUE(probe_.fired.empty());
  pass(100ms);
  EXPECT_EQ(probe_.fired.size(), 1U);
}

TEST_F(DeadlinesTest, MovesEarlierInTime) {
  probe_.set(now_ + 1h);
  pass(10ms);
  probe_.set(now_ + 50ms);
  pass(100ms);
  EXPECT_EQ(probe_.fired.size(), 1U);
}

TEST_F(DeadlinesTest, ClearedOnesStaySilentAndLeaveTheWheel) {
  probe_.set(now_ + 50ms);
  probe_.clear();
  pass(200ms);
  EXPECT_TRUE(probe_.fired.empty());
  EXPECT_EQ(wheel_.filed(), 0U);
}

TEST_F(DeadlinesTest, DestroyedOnesLeaveTheWheel) {
  std::vector<std::unique_ptr<Probe>> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(std::make_unique<Probe>(wheel_));
    many.back()->set(now_ + 50ms);
  }
  for (std::size_t i = 0; i < many.size(); i += 2) {
    many[i].reset();
  }
  pass(100ms);
  for (std::size_t i = 1; i < many.size(); i += 2) {
    EXPECT_EQ(many[i]->fired.size(), 1U);
  }
  EXPECT_EQ(wheel_.filed(), 0U);
}

/// Destroys others while it fires.
class Destroyer final : public Deadline {
 public:
  Destroyer(Deadlines& wheel, std::vector<std::unique_ptr<Probe>>& victims)
      : Deadline(wheel), victims_(victims) {}

 private:
  void on_deadline() override { victims_.clear(); }
  std::vector<std::unique_ptr<Probe>>& victims_;
};

TEST_F(DeadlinesTest, OneThatFiresMayDestroyOthersOfItsSlot) {
  std::vector<std::unique_ptr<Probe>> victims;
  const auto due = now_ + 50ms;
  const auto add = [&] {
    for (int i = 0; i < 3; ++i) {
      victims.push_back(std::make_unique<Probe>(wheel_));
      victims.back()->set(due);
    }
  };
  add();
  Destroyer destroyer(wheel_, victims);
  destroyer.set(due);
  add();
  pass(100ms);
  EXPECT_TRUE(victims.empty());
  EXPECT_EQ(wheel_.filed(), 0U);
}

TEST_F(DeadlinesTest, SurviveALongStop) {
  probe_.set(now_ + 3s);
  now_ += 60s;
  probe_.sweeping = now_;
  wheel_.sweep(now_);
  EXPECT_EQ(probe_.fired.size(), 1U);
}

}  // namespace
}  // namespace pilotfish::net
