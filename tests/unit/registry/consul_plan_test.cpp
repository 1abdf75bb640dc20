#include "registry/consul_plan.hpp"

#include <gtest/gtest.h>

namespace pilotfish::registry {
namespace {

using namespace std::chrono_literals;
using Step = ConsulPlan::Step;
using What = ConsulPlan::Known::What;

const TimePoint kStart = TimePoint{} + 1h;

ConsulPlan::Check ttl_check(Duration ttl) {
  ConsulPlan::Check check;
  check.ttl = ttl;
  return check;
}

ConsulPlan::Check probed_check(Duration deregister_after = {}) {
  ConsulPlan::Check check;
  check.probed = true;
  check.interval = 10s;
  check.deregister_after = deregister_after;
  return check;
}

/// Announced, with the agent's check passing.
ConsulPlan announced(ConsulPlan::Check check) {
  ConsulPlan plan;
  plan.want(check, kStart);
  plan.probed(Verdict::kPassing, kStart, kStart);
  plan.registered(kStart);
  plan.asked({What::kAsWanted, false}, kStart);
  return plan;
}

TEST(ConsulPlan, RegistersThenAsksSoonAndThenEverySecond) {
  ConsulPlan plan;
  plan.want({}, kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kRegister);
  plan.registered(kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kWait);
  EXPECT_EQ(plan.next(kStart).at, kStart + ConsulPlan::kAskSoon);
  plan.asked({What::kAsWanted, false}, kStart + 250ms);
  EXPECT_EQ(plan.next(kStart + 250ms).at, kStart + 1250ms);
  EXPECT_EQ(plan.next(kStart + 1250ms).step, Step::kAsk);
}

TEST(ConsulPlan, RegistersAgainWhatTheAgentForgotWithinThreeSeconds) {
  auto plan = announced({});
  const auto asked = plan.next(kStart).at;
  plan.asked({}, asked);
  EXPECT_EQ(plan.next(asked).step, Step::kRegister);
  EXPECT_LE(asked - kStart, 3s);
}

TEST(ConsulPlan, PassesATtlCheckAtOnceAndAtAThirdOfIt) {
  auto plan = announced(ttl_check(3s));
  EXPECT_TRUE(plan.passing());
  EXPECT_EQ(plan.next(kStart).step, Step::kPass);
  plan.passed(kStart);
  EXPECT_EQ(plan.next(kStart).at, kStart + 1s);
  EXPECT_EQ(plan.next(kStart + 1s).step, Step::kPass);
}

TEST(ConsulPlan, AnUnknownCheckMeansThatTheServiceIsLost) {
  auto plan = announced(ttl_check(3s));
  plan.pass_unknown();
  EXPECT_EQ(plan.next(kStart).step, Step::kRegister);
}

TEST(ConsulPlan, ATinyTtlDoesNotSpin) {
  auto plan = announced(ttl_check(1ms));
  plan.passed(kStart);
  EXPECT_GE(plan.next(kStart).at - kStart, 50ms);
}

TEST(ConsulPlan, WaitsAfterAFailure) {
  ConsulPlan plan;
  plan.want({}, kStart);
  plan.failed(kStart, 400ms, false);
  EXPECT_EQ(plan.next(kStart).step, Step::kWait);
  EXPECT_EQ(plan.next(kStart).at, kStart + 400ms);
  EXPECT_EQ(plan.next(kStart + 400ms).step, Step::kRegister);
}

TEST(ConsulPlan, IsAnnouncedAsPassingOnlyWhereAProbeBegunSincePassed) {
  ConsulPlan plan;
  plan.want(probed_check(), kStart);
  EXPECT_EQ(plan.probe_at(), kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kWait) << "for the verdict";
  plan.probed(Verdict::kPassing, kStart - 1ms, kStart + 1ms);
  EXPECT_EQ(plan.next(kStart + 1ms).step, Step::kWait) << "an older verdict is none";
  EXPECT_EQ(plan.probe_at(), kStart + 1ms);
  plan.probed(Verdict::kPassing, kStart + 1ms, kStart + 2ms);
  EXPECT_EQ(plan.next(kStart + 2ms).step, Step::kRegister);
  EXPECT_TRUE(plan.passing());
}

TEST(ConsulPlan, IsAnnouncedAsCriticalWhereNothingAnswersOrNobodyCanTell) {
  for (const auto verdict : {Verdict::kCritical, Verdict::kUnknown}) {
    ConsulPlan plan;
    plan.want(probed_check(), kStart);
    plan.probed(verdict, kStart, kStart);
    EXPECT_EQ(plan.next(kStart).step, Step::kRegister);
    EXPECT_FALSE(plan.passing());
  }
  ConsulPlan silent;
  silent.want(probed_check(), kStart);
  EXPECT_EQ(silent.next(kStart).at, kStart + ConsulPlan::kVerdictWait);
  EXPECT_EQ(silent.next(kStart + ConsulPlan::kVerdictWait).step, Step::kRegister);
  EXPECT_FALSE(silent.passing());
}

TEST(ConsulPlan, ACheckThatTheAgentKeptCriticalIsReplacedOnce) {
  ConsulPlan plan;
  plan.want(probed_check(), kStart);
  plan.probed(Verdict::kPassing, kStart, kStart);
  plan.registered(kStart);
  plan.asked({What::kAsWanted, true}, kStart + 250ms);
  EXPECT_EQ(plan.next(kStart + 250ms).step, Step::kDropCheck);
  plan.check_dropped();
  EXPECT_EQ(plan.next(kStart + 250ms).step, Step::kRegister);
  EXPECT_TRUE(plan.passing());
  plan.registered(kStart + 250ms);
  plan.asked({What::kAsWanted, true}, kStart + 500ms);
  EXPECT_EQ(plan.next(kStart + 500ms).step, Step::kWait) << "then it is the agent's word";
}

TEST(ConsulPlan, AnApplicationThatStartsAfterItsSidecarIsPassingWithinASecond) {
  ConsulPlan plan;
  plan.want(probed_check(), kStart);
  plan.probed(Verdict::kCritical, kStart, kStart);
  plan.registered(kStart);
  plan.asked({What::kAsWanted, true}, kStart + 250ms);
  EXPECT_EQ(plan.probe_at(), kStart + ConsulPlan::kProbeAtLeast);
  plan.probed(Verdict::kPassing, kStart + 1s, kStart + 1s);
  EXPECT_EQ(plan.next(kStart + 1s).step, Step::kDropCheck);
}

TEST(ConsulPlan, WhatWasSeenPassingIsTheAgentsToJudge) {
  auto plan = announced(probed_check());
  EXPECT_EQ(plan.probe_at(), TimePoint::max()) << "nobody wants to know";
  plan.asked({What::kAsWanted, true}, kStart + 1s);
  EXPECT_EQ(plan.next(kStart + 1s).step, Step::kWait);
}

TEST(ConsulPlan, AsksWhoseItIsBeforeItWithdraws) {
  auto plan = announced({});
  plan.withdraw();
  EXPECT_EQ(plan.next(kStart).step, Step::kAsk);
  plan.asked({What::kAsWanted, false}, kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kDeregister);
  plan.deregistered();
  EXPECT_EQ(plan.next(kStart).step, Step::kGone);
}

TEST(ConsulPlan, WhatAnotherProcessAnnouncedIsNeitherReplacedNorWithdrawn) {
  auto plan = announced(ttl_check(3s));
  plan.asked({What::kAnothers, false}, kStart + 1s);
  EXPECT_TRUE(plan.superseded());
  EXPECT_EQ(plan.next(kStart + 1s).at, kStart + 2s) << "no heartbeat for another's check";
  auto stopping = plan;
  stopping.withdraw();
  EXPECT_EQ(stopping.next(kStart + 1s).step, Step::kGone);
  plan.asked({}, kStart + 2s);
  EXPECT_EQ(plan.next(kStart + 2s).step, Step::kRegister) << "the other one is gone";
}

TEST(ConsulPlan, WhatAnotherProcessTookOverUnseenIsLeftToItOnStop) {
  auto plan = announced({});
  plan.withdraw();
  EXPECT_EQ(plan.next(kStart).step, Step::kAsk);
  plan.asked({What::kAnothers, false}, kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kGone);
}

TEST(ConsulPlan, WithdrawsWhatMayBeThereAndForgetsWhatNeverWas) {
  ConsulPlan never;
  never.want({}, kStart);
  never.failed(kStart, 1s, false);
  never.withdraw();
  EXPECT_EQ(never.next(kStart).step, Step::kGone);

  ConsulPlan perhaps;
  perhaps.want({}, kStart);
  perhaps.failed(kStart, 1s, true);
  perhaps.withdraw();
  EXPECT_EQ(perhaps.next(kStart).step, Step::kAsk) << "stop does not wait for the back-off";
  perhaps.failed(kStart, 1s, true);
  EXPECT_EQ(perhaps.next(kStart).step, Step::kWait);
  perhaps.asked({}, kStart + 1s);
  EXPECT_EQ(perhaps.next(kStart + 1s).step, Step::kGone);
}

TEST(ConsulPlan, WantedAgainAfterWithdrawalIsRegisteredAgain) {
  auto plan = announced({});
  plan.withdraw();
  plan.want({}, kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kRegister);
  plan.withdraw();
  plan.deregistered();
  plan.want({}, kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kRegister);
}

TEST(ConsulPlan, AChangedFormIsRegisteredInPlace) {
  auto plan = announced({});
  plan.want(ttl_check(10s), kStart);
  EXPECT_EQ(plan.next(kStart).step, Step::kRegister);
}

TEST(ConsulPlan, WhatIsCriticalForTooLongByOurVerdictIsWithdrawnUntilOurProbePasses) {
  auto plan = announced(probed_check(60s));
  plan.probed(Verdict::kCritical, kStart + 10s, kStart + 10s);
  plan.asked({What::kAsWanted, false}, kStart + 69s);
  EXPECT_EQ(plan.next(kStart + 69s).at, kStart + 70s);
  EXPECT_EQ(plan.next(kStart + 70s).step, Step::kAsk) << "whose is it";
  EXPECT_TRUE(plan.held());
  plan.asked({What::kAsWanted, true}, kStart + 70s);
  EXPECT_EQ(plan.next(kStart + 70s).step, Step::kDeregister);
  plan.deregistered();
  EXPECT_EQ(plan.next(kStart + 70s).step, Step::kWait);
  EXPECT_LE(plan.probe_at(), kStart + 71s) << "it is back soon after the application";
  plan.probed(Verdict::kCritical, kStart + 71s, kStart + 71s);
  EXPECT_EQ(plan.next(kStart + 200s).step, Step::kWait) << "however long";
  plan.probed(Verdict::kPassing, kStart + 200s, kStart + 200s);
  EXPECT_EQ(plan.next(kStart + 200s).step, Step::kRegister);
  EXPECT_TRUE(plan.passing());
}

TEST(ConsulPlan, OneGoodProbeBeginsTheTimeAnew) {
  auto plan = announced(probed_check(60s));
  plan.probed(Verdict::kCritical, kStart + 10s, kStart + 10s);
  plan.probed(Verdict::kPassing, kStart + 60s, kStart + 60s);
  plan.probed(Verdict::kCritical, kStart + 70s, kStart + 70s);
  plan.asked({What::kAsWanted, false}, kStart + 129s);
  (void)plan.next(kStart + 129s);
  EXPECT_FALSE(plan.held());
  (void)plan.next(kStart + 130s);
  EXPECT_TRUE(plan.held());
}

TEST(ConsulPlan, WhatTheAgentAloneCallsCriticalForTooLongReturnsWithoutOurWord) {
  auto plan = announced(probed_check(60s));
  plan.asked({What::kAsWanted, true}, kStart + 1s);
  plan.asked({What::kAsWanted, true}, kStart + 61s);
  EXPECT_EQ(plan.next(kStart + 61s).step, Step::kAsk);
  plan.asked({What::kAsWanted, true}, kStart + 61s);
  EXPECT_EQ(plan.next(kStart + 61s).step, Step::kDeregister);
  plan.deregistered();
  plan.probed(Verdict::kPassing, kStart + 61s, kStart + 62s);
  EXPECT_EQ(plan.next(kStart + 62s).step, Step::kRegister);
  EXPECT_FALSE(plan.passing()) << "the agent could not reach it";
  plan.registered(kStart + 62s);
  plan.asked({What::kAsWanted, true}, kStart + 63s);
  EXPECT_EQ(plan.next(kStart + 63s).step, Step::kWait);
}

TEST(ConsulPlan, AnAgentThatThinksBetterOfItInTimeKeepsTheService) {
  auto plan = announced(probed_check(60s));
  plan.asked({What::kAsWanted, true}, kStart + 1s);
  EXPECT_EQ(plan.next(kStart + 61s).step, Step::kAsk);
  plan.asked({What::kAsWanted, false}, kStart + 61s);
  EXPECT_FALSE(plan.held());
  EXPECT_EQ(plan.next(kStart + 61s).step, Step::kWait);
}

TEST(ConsulPlan, WhatConsulItselfRemovedAsCriticalIsNotBroughtBack) {
  auto plan = announced(probed_check(60s));
  plan.asked({What::kAsWanted, true}, kStart + 1s);
  plan.asked({}, kStart + 50s);
  EXPECT_TRUE(plan.held());
  EXPECT_EQ(plan.next(kStart + 50s).step, Step::kWait);
}

TEST(ConsulPlan, WithoutDeregisterAfterACriticalServiceStays) {
  auto plan = announced(probed_check());
  plan.probed(Verdict::kCritical, kStart, kStart);
  plan.asked({What::kAsWanted, true}, kStart + 1s);
  (void)plan.next(kStart + 24h);
  EXPECT_FALSE(plan.held());
  plan.asked({}, kStart + 24h);
  EXPECT_EQ(plan.next(kStart + 24h + 1s).step, Step::kRegister);
}

/// One service at one agent, with everything that can happen to it, in simulated time.
class World {
 public:
  enum class Event {
    kNothing,
    kAppDies,
    kAppReturns,
    kAgentForgets,
    kAgentLeaves,
    kAgentReturns,
    kOtherAnnounces,
    kOtherWithdraws,
    kAltered,
    kCount
  };

  World() { plan_.want(check_, now_); }

  void happen(Event event) {
    switch (event) {
      case Event::kAppDies: app_ = false; break;
      case Event::kAppReturns: app_ = true; break;
      case Event::kAgentForgets: owner_ = Owner::kNobody; break;
      case Event::kAgentLeaves: reachable_ = false; break;
      case Event::kAgentReturns: reachable_ = true; break;
      case Event::kOtherAnnounces: announce(Owner::kOther, app_); break;
      case Event::kOtherWithdraws:
        owner_ = owner_ == Owner::kOther ? Owner::kNobody : owner_;
        break;
      case Event::kAltered: altered_ = owner_ == Owner::kUs; break;
      default: break;
    }
  }

  void run(Duration duration) {
    const auto end = now_ + duration;
    int idle = 0;
    while (now_ < end) {
      if (now_ >= agent_check_at_) {
        critical_ = !app_;
        agent_check_at_ = now_ + 10s;
      }
      bool busy = now_ >= plan_.probe_at();
      if (busy) {
        plan_.probed(app_ ? Verdict::kPassing : Verdict::kCritical, now_, now_);
      }
      const auto decision = plan_.next(now_);
      busy = carry_out(decision.step) || busy;
      idle = busy ? idle + 1 : 0;
      ASSERT_LT(idle, 20) << "steps without an end at " << (now_ - kStart).count();
      if (!busy) {
        const auto at = decision.step == Step::kGone ? end : decision.at;
        now_ = std::min({at, plan_.probe_at(), agent_check_at_, end});
      }
      look();
    }
  }

  [[nodiscard]] bool in_dns() const { return owner_ != Owner::kNobody && !critical_; }
  [[nodiscard]] bool ours() const { return owner_ == Owner::kUs; }
  [[nodiscard]] bool harmed() const { return harmed_; }
  void stop() { plan_.withdraw(); }

 private:
  enum class Owner { kNobody, kUs, kOther };

  bool carry_out(Step step) {
    if (step == Step::kWait || step == Step::kGone) {
      return false;
    }
    if (!reachable_) {
      plan_.failed(now_, 500ms, false);
      return true;
    }
    switch (step) {
      case Step::kAsk: plan_.asked({known(), critical_ && owner_ != Owner::kNobody}, now_); break;
      case Step::kRegister:
        announce(Owner::kUs, plan_.passing());
        plan_.registered(now_);
        break;
      case Step::kDropCheck:
        owner_ = Owner::kNobody;  // so that the next announcement sets the status
        plan_.check_dropped();
        break;
      case Step::kDeregister:
        harmed_ = harmed_ || owner_ == Owner::kOther;
        owner_ = Owner::kNobody;
        plan_.deregistered();
        break;
      default: break;
    }
    return true;
  }

  [[nodiscard]] What known() const {
    switch (owner_) {
      case Owner::kNobody: return What::kAbsent;
      case Owner::kOther: return What::kAnothers;
      case Owner::kUs: break;
    }
    return altered_ ? What::kOtherForm : What::kAsWanted;
  }

  void announce(Owner by, bool passing) {
    critical_ = owner_ == Owner::kNobody ? !passing : critical_;
    owner_ = by;
    altered_ = false;
  }

  /// What must hold at every moment.
  void look() {
    dead_since_ = app_ ? TimePoint::max() : std::min(dead_since_, now_);
    if (owner_ == Owner::kUs && reachable_ && dead_since_ != TimePoint::max()) {
      ours_and_dead_ = std::min(ours_and_dead_, now_);
    } else {
      ours_and_dead_ = TimePoint::max();
    }
    if (ours_and_dead_ != TimePoint::max()) {
      ASSERT_LE(now_ - ours_and_dead_, check_.deregister_after + check_.interval + 2s)
          << "critical for longer than deregister_after";
    }
  }

  ConsulPlan::Check check_ = probed_check(20s);
  ConsulPlan plan_;
  TimePoint now_ = kStart;
  TimePoint agent_check_at_ = kStart + 10s;
  TimePoint dead_since_ = TimePoint::max();
  TimePoint ours_and_dead_ = TimePoint::max();
  Owner owner_ = Owner::kNobody;
  bool app_ = true;
  bool reachable_ = true;
  bool altered_ = false;
  bool critical_ = false;
  bool harmed_ = false;
};

TEST(ConsulPlan, WhateverHappensInWhateverOrderItIsAnnouncedInTheEndAndHarmsNobody) {
  using Event = World::Event;
  const int kinds = static_cast<int>(Event::kCount);
  for (const auto pause : {Duration(300ms), Duration(15s), Duration(70s)}) {
    for (int sequence = 0; sequence < kinds * kinds * kinds; ++sequence) {
      SCOPED_TRACE(std::to_string(sequence) + " every " + std::to_string(pause.count()));
      World world;
      world.run(1s);
      ASSERT_TRUE(world.in_dns());
      for (int rest = sequence, i = 0; i < 3; ++i, rest /= kinds) {
        world.happen(static_cast<Event>(rest % kinds));
        world.run(pause);
        ASSERT_FALSE(world.harmed());
        if (::testing::Test::HasFatalFailure()) {
          return;
        }
      }
      auto stopped = world;
      stopped.stop();
      stopped.happen(Event::kAgentReturns);
      stopped.run(2s);
      ASSERT_FALSE(stopped.ours());
      ASSERT_FALSE(stopped.harmed());

      world.happen(Event::kAgentReturns);
      world.happen(Event::kAppReturns);
      world.happen(Event::kOtherWithdraws);
      world.run(13s);  // the agent's own check may have to see it
      ASSERT_TRUE(world.ours());
      ASSERT_TRUE(world.in_dns());
    }
  }
}

}  // namespace
}  // namespace pilotfish::registry
