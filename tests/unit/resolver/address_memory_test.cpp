#include "resolver/address_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::resolver {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

FamilyAnswer gives(const char* text) {
  return {.addresses = {ip(text)}, .ttl = 5s, .fault = {}};
}
FamilyAnswer nothing() {
  return {};
}
FamilyAnswer denied() {
  return {.addresses = {}, .fault = {}, .nxdomain = true};
}
FamilyAnswer fails(LookupResult how) {
  return {.addresses = {}, .fault = how};
}

class Addresses : public testing::Test {
 protected:
  AddressRound round(std::vector<std::string> targets = {"a"}) {
    return {memory, std::move(targets), now};
  }
  /// Asks both families of the only target; nullopt: that one is not answered.
  AddressesFound ask(const std::optional<FamilyAnswer>& v4, const std::optional<FamilyAnswer>& v6) {
    auto one = round();
    const auto a = one.next(Family::kV4);
    const auto aaaa = one.next(Family::kV6);
    EXPECT_TRUE(a && aaaa);
    if (v4) {
      one.ended(*a, *v4);
    }
    if (v6) {
      one.ended(*aaaa, *v6);
    }
    waited = one.open();
    auto found = one.take(now);
    if (!v4) {
      one.ended(*a, fails(LookupResult::kTimeout));
    }
    if (!v6) {
      one.ended(*aaaa, fails(LookupResult::kTimeout));
    }
    return found;
  }

  AddressMemory memory;
  TimePoint now{1h};
  bool waited = false;
};

TEST_F(Addresses, OfBothFamiliesAreAskedAtOnceAndJoined) {
  const auto found = ask(gives("10.0.0.1"), gives("fd00::1"));
  EXPECT_FALSE(waited);
  EXPECT_THAT(found.addresses.at("a"), ElementsAre(ip("10.0.0.1"), ip("fd00::1")));
  EXPECT_EQ(found.ttl, 5s);
}

TEST_F(Addresses, OfASilentFamilyAreWaitedForOnceAMinute) {
  auto found = ask(gives("10.0.0.1"), std::nullopt);
  EXPECT_TRUE(waited);
  EXPECT_THAT(found.addresses.at("a"), ElementsAre(ip("10.0.0.1")));
  EXPECT_EQ(found.unanswered, (PerFamily<std::size_t>{0, 1}));
  EXPECT_THAT(found.failed, IsEmpty());
  for (int second = 0; second < 300; ++second) {
    now += 1s;
    found = ask(gives("10.0.0.1"), std::nullopt);
    EXPECT_FALSE(waited) << second;
  }
}

TEST_F(Addresses, OfANameThatAIsToldDoesNotExistAreGoneThoughAaaaIsSilent) {
  (void)ask(gives("10.0.0.1"), gives("fd00::1"));
  for (const bool first : {true, false}) {
    const auto found = ask(denied(), std::nullopt);
    EXPECT_EQ(waited, first) << "until patience, and not again";
    EXPECT_THAT(found.unknown, ElementsAre("a"));
    EXPECT_EQ(found.nxdomain, 1U);
    EXPECT_THAT(found.failed, IsEmpty());
    EXPECT_THAT(found.addresses, IsEmpty());
    now += 1s;
  }
}

TEST_F(Addresses, StayWhereAaaaAloneIsToldThatTheNameDoesNotExist) {
  (void)ask(gives("10.0.0.1"), nothing());
  EXPECT_THAT(ask(gives("10.0.0.1"), denied()).addresses.at("a"), ElementsAre(ip("10.0.0.1")));
  EXPECT_THAT(ask(std::nullopt, denied()).addresses.at("a"), ElementsAre(ip("10.0.0.1")));
}

TEST_F(Addresses, OfAnotherTargetAreNotWaitedForWithinTheSameMinute) {
  (void)ask(gives("10.0.0.1"), std::nullopt);
  for (const auto& [later, expected] : {std::pair{59s, false}, {60s, true}}) {
    auto other = AddressRound(memory, {"b"}, now + later);
    const auto a = other.next(Family::kV4);
    other.ended(*a, gives("10.0.0.2"));
    EXPECT_EQ(other.open(), expected);
  }
}

TEST_F(Addresses, AreEnoughFromOneFamilyWhenPatienceIsOver) {
  auto one = round();
  one.ended(*one.next(Family::kV6), gives("fd00::1"));
  EXPECT_TRUE(one.open());
  one.patience_over();
  EXPECT_FALSE(one.open());
}

TEST_F(Addresses, AreWaitedForToTheEndWhereTheOtherFamilyHasNone) {
  (void)ask(gives("10.0.0.1"), std::nullopt);  // so that AAAA is known to be silent
  auto one = round();
  one.ended(*one.next(Family::kV4), nothing());
  one.patience_over();
  EXPECT_TRUE(one.open());
  one.ended(*one.next(Family::kV6), gives("fd00::1"));
  EXPECT_FALSE(one.open());
  EXPECT_THAT(one.take(now).addresses.at("a"), ElementsAre(ip("fd00::1")));
}

TEST_F(Addresses, OfAFamilyThatFailsStayAsTheyWereKnown) {
  (void)ask(gives("10.0.0.1"), gives("fd00::1"));
  for (const auto how : {LookupResult::kTimeout, LookupResult::kServfail}) {
    const auto found = ask(gives("10.0.0.2"), fails(how));
    EXPECT_THAT(found.addresses.at("a"), ElementsAre(ip("10.0.0.2"), ip("fd00::1")));
  }
  EXPECT_THAT(ask(gives("10.0.0.2"), nothing()).addresses.at("a"), ElementsAre(ip("10.0.0.2")));
}

TEST_F(Addresses, ThatComeLateCountForTheNextLookupAndEndTheSilence) {
  auto late = round();
  late.ended(*late.next(Family::kV4), gives("10.0.0.1"));
  const auto aaaa = late.next(Family::kV6);
  late.patience_over();
  (void)late.take(now);
  now += 61s;

  auto next = round();
  EXPECT_FALSE(next.next(Family::kV6)) << "asked while the former question is in flight";
  late.ended(*aaaa, gives("fd00::1"));
  next.ended(*next.next(Family::kV4), gives("10.0.0.1"));
  EXPECT_FALSE(next.open());
  EXPECT_THAT(next.take(now).addresses.at("a"), ElementsAre(ip("10.0.0.1"), ip("fd00::1")));

  auto third = round();
  third.ended(*third.next(Family::kV4), gives("10.0.0.1"));
  // Half of what could be known was missing for one lookup alone: it is waited for again.
  EXPECT_TRUE(third.next(Family::kV6).has_value());
}

TEST_F(Addresses, AreUnknownWhereBothFamiliesSaySoAndFailedWhereOneDoesNot) {
  auto gone = nothing();
  gone.nxdomain = true;
  auto found = ask(gone, gone);
  EXPECT_THAT(found.unknown, ElementsAre("a"));
  EXPECT_EQ(found.nxdomain, 1U);
  found = ask(gone, nothing());
  EXPECT_EQ(found.nxdomain, 0U);
  found = ask(gone, fails(LookupResult::kServfail));
  EXPECT_THAT(found.failed, ElementsAre("a"));
  EXPECT_EQ(found.fault, LookupResult::kServfail);
  EXPECT_THAT(found.unknown, IsEmpty());
}

TEST_F(Addresses, OfTargetsThatLeftAreForgotten) {
  (void)ask(gives("10.0.0.1"), gives("fd00::1"));
  auto other = round({"b"});
  (void)other.take(now);
  const auto found = ask(fails(LookupResult::kTimeout), fails(LookupResult::kTimeout));
  EXPECT_THAT(found.failed, ElementsAre("a"));
}

TEST_F(Addresses, OfFamiliesThatWereSilentAreAskedLast) {
  auto first = round({"a", "b"});
  const auto a = first.next(Family::kV4);
  const auto b = first.next(Family::kV4);
  first.ended(*a, fails(LookupResult::kTimeout));
  first.ended(*b, gives("10.0.0.2"));
  (void)first.take(now);
  auto second = round({"a", "b"});
  EXPECT_EQ(second.name(*second.next(Family::kV4)), "b");
  EXPECT_EQ(second.name(*second.next(Family::kV4)), "a");
  EXPECT_FALSE(second.next(Family::kV4));
}

}  // namespace
}  // namespace pilotfish::resolver
