// Enumerates orders of events on the tiers of a cluster and checks, after each event, what must
// hold whatever came before. The checks know sizes and times alone, nothing of the implementation.
#include <functional>
#include <gmock/gmock.h>
#include <optional>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

enum class Step { kOk2, kOk1, kEmpty, kNxdomain, kFail };

struct Event {
  std::optional<Step> step;  ///< none: time passes
  std::size_t tier = 0;
  Duration time{};
};

std::string describe(const std::vector<Event>& events) {
  std::string text;
  for (const auto& event : events) {
    static constexpr const char* kNames[] = {"ok2", "ok1", "empty", "nxdomain", "fail"};
    text += event.step ? std::string(kNames[static_cast<int>(*event.step)]) + "@" +
                             std::to_string(event.tier) + " "
                       : "+" + std::to_string(event.time / 1s) + "s ";
  }
  return text;
}

/// What a person would write on a sheet of paper.
struct Sheet {
  struct Tier {
    std::size_t size = 0;
    bool answered = false;
    bool healthy_from_first_answer = false;
    std::optional<TimePoint> enough_since;
  };
  explicit Sheet(std::size_t count, std::size_t minimum) : tiers(count), needed(minimum) {}

  void answered(std::size_t number, std::size_t size, TimePoint now) {
    auto& tier = tiers[number];
    const bool first = !tier.answered;
    tier.answered = true;
    tier.size = size;
    if (size < needed) {
      tier.enough_since.reset();
      tier.healthy_from_first_answer = false;
    } else if (!tier.enough_since) {
      tier.enough_since = now;
      tier.healthy_from_first_answer = first;
    }
    const bool any = std::ranges::any_of(tiers, [](const Tier& each) { return each.size > 0; });
    had_any = had_any || any;
    if (any) {
      all_empty_since.reset();
    } else if (!all_empty_since) {
      all_empty_since = now;
    }
  }
  [[nodiscard]] bool enough(int tier) const {
    return tier >= 0 && tiers[static_cast<std::size_t>(tier)].enough_since.has_value();
  }
  [[nodiscard]] bool waited(int tier, TimePoint now) const {
    const auto& each = tiers[static_cast<std::size_t>(tier)];
    return each.enough_since && (each.healthy_from_first_answer || now - *each.enough_since >= 10s);
  }
  [[nodiscard]] std::optional<int> best_that(const std::function<bool(int)>& is) const {
    for (int i = 0; i < static_cast<int>(tiers.size()); ++i) {
      if (is(i)) {
        return i;
      }
    }
    return std::nullopt;
  }

  std::vector<Tier> tiers;
  std::size_t needed;
  bool had_any = false;
  std::optional<TimePoint> all_empty_since;
};

class Orders {
 public:
  Orders(std::size_t tiers, std::size_t minimum, std::vector<Step> steps)
      : tiers_(tiers), minimum_(minimum) {
    for (std::size_t tier = 0; tier < tiers; ++tier) {
      for (const auto step : steps) {
        alphabet_.push_back({step, tier, {}});
      }
    }
    alphabet_.push_back({std::nullopt, 0, 5s});
    alphabet_.push_back({std::nullopt, 0, 11s});
  }

  /// Every sequence of exactly `length` events (their beginnings are the shorter ones).
  std::size_t check_all(std::size_t length) {
    std::vector<std::size_t> digits(length, 0);
    std::size_t checked = 0;
    while (!testing::Test::HasFailure()) {
      std::vector<Event> events;
      for (const auto digit : digits) {
        events.push_back(alphabet_[digit]);
      }
      check(events);
      ++checked;
      std::size_t place = 0;
      while (place < length && ++digits[place] == alphabet_.size()) {
        digits[place++] = 0;
      }
      if (place == length) {
        break;
      }
    }
    return checked;
  }

 private:
  void check(const std::vector<Event>& events) {
    ClusterOptions options;
    options.fallback.min_healthy.value = static_cast<std::uint32_t>(minimum_);
    ClusterBox box(options, std::vector<std::string>(tiers_, "t"));
    Sheet sheet(tiers_, minimum_);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const int before = box.cluster.serving_tier();
      apply(events[i], box, sheet);
      check_state(before, events[i], box, sheet);
      if (testing::Test::HasFailure()) {
        ADD_FAILURE() << "after event " << i << " of: " << describe(events);
        return;
      }
    }
  }

  static void apply(const Event& event, ClusterBox& box, Sheet& sheet) {
    if (!event.step) {
      box.pass(event.time);
      return;
    }
    const int first = static_cast<int>(event.tier) * 10;
    switch (*event.step) {
      case Step::kOk2:
        box.answer(event.tier, {instance(first + 1), instance(first + 2)});
        sheet.answered(event.tier, 2, box.now);
        break;
      case Step::kOk1:
        box.answer(event.tier, {instance(first + 1)});
        sheet.answered(event.tier, 1, box.now);
        break;
      case Step::kEmpty:
        box.empty(event.tier);
        sheet.answered(event.tier, 0, box.now);
        break;
      case Step::kNxdomain:
        box.cluster.on_answer(event.tier, ended(LookupResult::kNxdomain), box.now);
        sheet.answered(event.tier, 0, box.now);
        break;
      case Step::kFail: box.fail(event.tier); break;
    }
  }

  static void check_state(int before, const Event& event, ClusterBox& box, const Sheet& sheet) {
    const int serving = box.cluster.serving_tier();
    const auto now = box.now;
    const bool all_empty = sheet.all_empty_since.has_value() || !sheet.had_any;
    const auto size = [&](int i) { return sheet.tiers[static_cast<std::size_t>(i)].size; };
    const auto best_enough = sheet.best_that([&](int i) { return sheet.enough(i); });

    // Who may serve at all.
    if (!sheet.had_any || (all_empty && now - *sheet.all_empty_since >= 10s)) {
      EXPECT_EQ(serving, -1);
    } else if (all_empty) {
      EXPECT_EQ(serving, before) << "the hold moved traffic";
      EXPECT_NE(serving, -1);
    } else {
      ASSERT_GE(serving, 0);
      EXPECT_GT(size(serving), 0U);
    }
    // Enough beats not enough; without any that is enough the best that has some serves.
    if (best_enough) {
      EXPECT_TRUE(sheet.enough(serving));
    } else if (!all_empty) {
      EXPECT_EQ(serving, sheet.best_that([&](int i) { return size(i) > 0; }));
    }
    // No better tier is kept waiting longer than it must.
    if (sheet.enough(serving)) {
      for (int better = 0; better < serving; ++better) {
        EXPECT_FALSE(sheet.waited(better, now)) << "tier " << better << " should serve";
      }
    }
    // Why traffic moved.
    if (serving != before && before >= 0 && serving >= 0) {
      EXPECT_TRUE(!event.step || *event.step != Step::kFail) << "a failed answer moved traffic";
      if (serving > before) {
        EXPECT_FALSE(sheet.enough(before)) << "left a tier that is enough for a worse one";
      } else if (sheet.enough(before)) {
        EXPECT_TRUE(sheet.waited(serving, now)) << "came back too early";
      } else if (sheet.enough(serving) && !sheet.waited(serving, now)) {
        EXPECT_FALSE(sheet.best_that([&](int i) { return i > before && sheet.enough(i); }))
            << "came back too early although a worse tier was enough";
      }
    }
    // Requests go to the serving tier's last good set.
    auto* picked = box.pick();
    EXPECT_EQ(picked == nullptr, serving < 0);
    if (picked != nullptr) {
      EXPECT_EQ(picked->tier, serving);
      EXPECT_FALSE(box.cluster.reason().empty());
      const auto first = picked->endpoint == at(serving * 10 + 1);
      EXPECT_TRUE(first || picked->endpoint == at(serving * 10 + 2));
      EXPECT_TRUE(first || size(serving) != 1) << "picked one that left";
    }
    EXPECT_EQ(box.cluster.enough_up_to(9), best_enough.has_value());
  }

  std::size_t tiers_;
  std::size_t minimum_;
  std::vector<Event> alphabet_;
};

TEST(TierOrders, HoldForTwoTiersInAllSequencesOfFive) {
  Orders orders(2, 1, {Step::kOk1, Step::kEmpty, Step::kFail});
  EXPECT_EQ(orders.check_all(5), 32768U);
}

TEST(TierOrders, HoldForTwoTiersThatNeedTwoInAllSequencesOfFour) {
  Orders orders(2, 2, {Step::kOk2, Step::kOk1, Step::kEmpty, Step::kNxdomain, Step::kFail});
  EXPECT_EQ(orders.check_all(4), 20736U);
}

TEST(TierOrders, HoldForTwoTiersThatNeedTwoWithoutFailuresInAllSequencesOfFive) {
  Orders orders(2, 2, {Step::kOk2, Step::kOk1, Step::kEmpty});
  EXPECT_EQ(orders.check_all(5), 32768U);
}

TEST(TierOrders, HoldForThreeTiersInAllSequencesOfFive) {
  Orders orders(3, 1, {Step::kOk1, Step::kEmpty});
  EXPECT_EQ(orders.check_all(5), 32768U);
}

TEST(TierOrders, HoldInLongRandomSequences) {
  Random random(11);
  const std::vector<Step> steps{Step::kOk2, Step::kOk1, Step::kEmpty, Step::kNxdomain, Step::kFail};
  // The enumeration has no depth for flapping that goes on; random orders have no completeness.
  for (int run = 0; run < 400; ++run) {
    ClusterOptions options;
    options.fallback.min_healthy.value = 1 + static_cast<std::uint32_t>(random.below(2));
    ClusterBox box(options, {"a", "b", "c"});
    int last = -1;
    for (int i = 0; i < 60; ++i) {
      if (random.below(3) == 0) {
        box.pass(std::chrono::seconds(1 + static_cast<int>(random.below(12))));
      } else {
        const auto tier = random.below(3);
        switch (steps[random.below(steps.size())]) {
          case Step::kOk2:
            box.answer(tier, {instance(static_cast<int>(tier) * 10 + 1),
                              instance(static_cast<int>(tier) * 10 + 2)});
            break;
          case Step::kOk1: box.answer(tier, {instance(static_cast<int>(tier) * 10 + 1)}); break;
          case Step::kEmpty: box.empty(tier); break;
          case Step::kNxdomain:
            box.cluster.on_answer(tier, ended(LookupResult::kNxdomain), box.now);
            break;
          case Step::kFail: box.fail(tier); break;
        }
      }
      const int serving = box.cluster.serving_tier();
      const auto changes = box.cluster.take_events().tier_changes;
      for (const auto& change : changes) {
        ASSERT_EQ(change.from, last) << "changes form a chain";
        last = change.to;
      }
      ASSERT_EQ(last, serving);
      ASSERT_EQ(box.pick() == nullptr, serving < 0);
    }
  }
}

}  // namespace
}  // namespace pilotfish::balancer
