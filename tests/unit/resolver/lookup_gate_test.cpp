#include "resolver/lookup_gate.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace pilotfish::resolver {
namespace {

using namespace std::chrono_literals;
using End = LookupGate::End;

const TimePoint kStart = TimePoint{} + 1h;

TEST(LookupGate, ArrivalsBeforeALookupBeginsShareIt) {
  LookupGate gate(1000);
  const auto first = gate.arrive();
  EXPECT_EQ(gate.arrive(), first);
  EXPECT_TRUE(gate.begin(kStart));
  EXPECT_FALSE(gate.begin(kStart + 1s));
  gate.finish(End::kAnswered, 0s, kStart + 1ms);
  EXPECT_TRUE(gate.fresh(first));
}

TEST(LookupGate, ArrivalsDuringALookupShareTheOneBehindIt) {
  LookupGate gate(1000);
  const auto first = gate.arrive();
  ASSERT_TRUE(gate.begin(kStart));
  const auto second = gate.arrive();
  EXPECT_EQ(gate.arrive(), second);
  EXPECT_GT(second, first);
  EXPECT_EQ(gate.next_at(kStart), LookupGate::kNever);
  gate.finish(End::kAnswered, 0s, kStart + 5ms);
  EXPECT_TRUE(gate.released(first));
  EXPECT_FALSE(gate.released(second));
  EXPECT_TRUE(gate.begin(kStart + 5ms));
  gate.finish(End::kFailed, 0s, kStart + 6ms);
  EXPECT_TRUE(gate.released(second));
  EXPECT_FALSE(gate.fresh(second));
}

TEST(LookupGate, ALaterAnswerMakesAnEarlierArrivalFresh) {
  LookupGate gate(1000);
  const auto arrival = gate.arrive();
  ASSERT_TRUE(gate.begin(kStart));
  gate.finish(End::kFailed, 0s, kStart + 1ms);
  EXPECT_FALSE(gate.fresh(arrival));
  (void)gate.arrive();
  ASSERT_TRUE(gate.begin(kStart + 2ms));
  gate.finish(End::kAnswered, 0s, kStart + 3ms);
  EXPECT_TRUE(gate.fresh(arrival));
}

/// Every order of 8 events out of arrive, begin, finish (each way) and the passing of time.
class EveryOrder {
 public:
  void run(std::vector<int>& orders) {
    if (orders.size() == 8) {
      replay(orders);
      return;
    }
    for (int event = 0; event < 5; ++event) {
      orders.push_back(event);
      run(orders);
      orders.pop_back();
    }
  }

 private:
  struct Arrival {
    LookupGate::Generation generation;
    std::uint64_t begun_before;  // lookups that had begun when it came
  };

  static void replay(const std::vector<int>& orders) {
    LookupGate gate(1000);
    auto now = kStart;
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    std::vector<Arrival> arrivals;
    const auto check = [&] {
      ASSERT_LE(begun - ended, 1U);
      for (const auto& arrival : arrivals) {
        // Released means: a lookup that began after it has ended.
        const bool may = ended > arrival.begun_before;
        ASSERT_EQ(gate.released(arrival.generation), may || gate.open());
        ASSERT_TRUE(!gate.fresh(arrival.generation) || may);
      }
    };
    const auto end = [&](End how) {
      if (begun != ended) {
        ++ended;
        gate.finish(how, 0s, now);
      }
    };
    for (const int event : orders) {
      now += 1ms;
      switch (event) {
        case 0: arrivals.push_back({gate.arrive(), begun}); break;
        case 1: begun += gate.begin(now) ? 1 : 0; break;
        case 2: end(End::kAnswered); break;
        case 3: end(End::kFailed); break;
        default: now += 20ms; break;
      }
      check();
    }
    // Nobody is forgotten: from here on, doing what the gate asks for satisfies all, in 2 lookups.
    const auto before = begun;
    for (int step = 0; step < 10; ++step) {
      end(End::kAnswered);
      bool waiting = false;
      for (const auto& arrival : arrivals) {
        waiting = waiting || !gate.released(arrival.generation);
      }
      if (!waiting) {
        break;
      }
      const auto next = gate.next_at(now);
      ASSERT_NE(next, LookupGate::kNever);
      now = std::max(now, next);
      ASSERT_TRUE(gate.begin(now));
      ++begun;
    }
    check();
    for (const auto& arrival : arrivals) {
      ASSERT_TRUE(gate.released(arrival.generation));
    }
    ASSERT_LE(begun - before, 2U);
  }
};

TEST(LookupGate, KeepsItsPromisesInEveryOrderOfEvents) {
  std::vector<int> orders;
  EveryOrder().run(orders);
}

TEST(LookupGate, NeverBeginsMoreThanTheRateAllows) {
  LookupGate gate(20);
  auto now = kStart;
  int begun = 0;
  for (int step = 0; step < 10000; ++step, now += 1ms) {
    (void)gate.arrive();
    if (gate.begin(now)) {
      ++begun;
      gate.finish(End::kAnswered, 0s, now);
    }
  }
  EXPECT_LE(begun, 201);
  EXPECT_GE(begun, 195);
}

TEST(LookupGate, GivesAtLeastOneLookupASecond) {
  LookupGate gate(0.01);
  (void)gate.arrive();
  ASSERT_TRUE(gate.begin(kStart));
  gate.finish(End::kAnswered, 0s, kStart);
  (void)gate.arrive();
  EXPECT_LE(gate.next_at(kStart), kStart + 1s + 1us);
}

TEST(LookupGate, TheStricterUserSetsTheRate) {
  LookupGate gate(1000);
  gate.limit(10);
  gate.limit(500);
  (void)gate.arrive();
  ASSERT_TRUE(gate.begin(kStart));
  gate.finish(End::kAnswered, 0s, kStart);
  (void)gate.arrive();
  EXPECT_FALSE(gate.begin(kStart + 50ms));
  EXPECT_TRUE(gate.begin(kStart + 101ms));
}

TEST(LookupGate, OpensAfterThreeTimeoutsAndProbesEverySecondUntilOneAnswers) {
  LookupGate gate(1000);
  auto now = kStart;
  LookupGate::Generation last = 0;
  for (int lookup = 0; lookup < 3; ++lookup) {
    EXPECT_FALSE(gate.open());
    (void)gate.arrive();
    ASSERT_TRUE(gate.begin(now));
    last = gate.arrive();  // waits behind it
    now += 200ms;
    gate.finish(End::kTimedOut, 0s, now);
  }
  EXPECT_TRUE(gate.open());
  EXPECT_TRUE(gate.released(last));
  EXPECT_EQ(gate.arrive(), LookupGate::kNone);
  EXPECT_FALSE(gate.begin(now));
  int probes = 0;
  for (const auto end = now + 10s; now < end; now += 10ms) {
    (void)gate.arrive();
    if (gate.begin(now)) {
      ++probes;
      gate.finish(End::kTimedOut, 0s, now + 200ms);
    }
  }
  EXPECT_GE(probes, 9);
  EXPECT_LE(probes, 11);
  while (!gate.begin(now)) {
    now += 10ms;
  }
  gate.finish(End::kAnswered, 0s, now);
  EXPECT_FALSE(gate.open());
  EXPECT_FALSE(gate.fresh(LookupGate::kNone));
  EXPECT_NE(gate.arrive(), LookupGate::kNone);
}

TEST(LookupGate, OtherFailuresBreakARowOfTimeouts) {
  LookupGate gate(1000);
  auto now = kStart;
  for (const auto end : {End::kTimedOut, End::kTimedOut, End::kFailed, End::kTimedOut}) {
    (void)gate.arrive();
    ASSERT_TRUE(gate.begin(now));
    gate.finish(end, 0s, now);
    now += 1s;
  }
  EXPECT_FALSE(gate.open());
}

TEST(LookupGate, AsksWhenIdleEveryTenSecondsAndSoonerAfterAFailure) {
  LookupGate gate(1000);
  gate.ask_when_idle();
  gate.want();
  ASSERT_TRUE(gate.begin(kStart));
  gate.finish(End::kAnswered, 60s, kStart);
  EXPECT_EQ(gate.next_at(kStart), kStart + 10s);
  EXPECT_FALSE(gate.begin(kStart + 9s));
  ASSERT_TRUE(gate.begin(kStart + 10s));
  gate.finish(End::kFailed, 0s, kStart + 10s);
  EXPECT_EQ(gate.next_at(kStart + 10s), kStart + 11s);
}

TEST(LookupGate, HonoursTheTtlBetweenOneSecondAndFiveMinutes) {
  LookupGate gate(1000);
  const auto answered = [&gate](Duration ttl, TimePoint at) {
    (void)gate.arrive();
    ASSERT_TRUE(gate.begin(at));
    gate.finish(End::kAnswered, ttl, at);
  };
  answered(0s, kStart);
  EXPECT_EQ(gate.arrive_cached(kStart + 999ms), LookupGate::kNone);
  EXPECT_TRUE(gate.cached(kStart + 999ms));
  EXPECT_FALSE(gate.cached(kStart + 1s));
  EXPECT_NE(gate.arrive_cached(kStart + 1s), LookupGate::kNone);
  answered(24h, kStart + 2s);
  EXPECT_TRUE(gate.cached(kStart + 300s));
  EXPECT_FALSE(gate.cached(kStart + 303s));
}

TEST(LookupGate, RefreshesAheadOfTheTtlsEndOnlyWhereTheAnswerIsUsed) {
  LookupGate gate(1000);
  gate.want();
  ASSERT_TRUE(gate.begin(kStart));
  gate.finish(End::kAnswered, 100s, kStart);
  EXPECT_EQ(gate.next_at(kStart), kStart + 100s);
  (void)gate.arrive_cached(kStart + 1s);
  EXPECT_EQ(gate.next_at(kStart + 1s), kStart + 80s);
  ASSERT_TRUE(gate.begin(kStart + 80s));
  gate.finish(End::kFailed, 0s, kStart + 80s);
  (void)gate.arrive_cached(kStart + 80s + 1ms);
  EXPECT_EQ(gate.next_at(kStart + 80s + 1ms), kStart + 81s);  // no faster than a retry
}

TEST(LookupGate, AnExpiredArrivalSharesTheLookupInFlight) {
  LookupGate gate(1000);
  gate.want();
  ASSERT_TRUE(gate.begin(kStart));
  const auto generation = gate.arrive_cached(kStart);
  gate.finish(End::kAnswered, 0s, kStart);
  EXPECT_TRUE(gate.fresh(generation));
  EXPECT_FALSE(gate.begin(kStart + 500ms));
}

}  // namespace
}  // namespace pilotfish::resolver
