#include "bench/scenarios/change_watch.hpp"

#include <gtest/gtest.h>
#include <thread>

#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

CatalogueInstance instance(std::uint16_t port) {
  CatalogueInstance result;
  result.endpoint = loopback(port);
  return result;
}

bool shown_in_time(const ChangeWatch& watch, std::size_t number) {
  const auto until = Clock::now() + seconds(10);
  while (!watch.shown(number) && Clock::now() < until) std::this_thread::sleep_for(milliseconds(1));
  return watch.shown(number);
}

class Watched : public testing::Test {
 protected:
  std::size_t expect(const PortSet& listed, const PortSet& unlisted) {
    RegistryChange change;
    change.listed = listed;
    change.unlisted = unlisted;
    change.changed = Clock::now();
    return watch_.expect(std::move(change));
  }

  std::unique_ptr<Registry> registry_ = start_registry("embedded");
  ChangeWatch watch_{registry_->view("bench", "", false), std::nullopt, milliseconds(2)};
};

TEST_F(Watched, SeesAChangeOnceTheRegistryAnswersWithIt) {
  const auto number = expect({9001}, {});
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(watch_.shown(number));
  const auto before = Clock::now();
  registry_->add("bench", instance(9001));
  ASSERT_TRUE(shown_in_time(watch_, number));
  const auto change = watch_.changes()[number];
  EXPECT_GE(*change.answer, before);
  EXPECT_FALSE(change.snapshot) << "nobody was asked";
}

TEST_F(Watched, AsksNothingWhileNothingIsExpected) {
  const auto number = expect({9001}, {});
  registry_->add("bench", instance(9001));
  ASSERT_TRUE(shown_in_time(watch_, number));
  std::this_thread::sleep_for(milliseconds(10));  // the question that was under way
  const auto questions = watch_.questions();
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(watch_.questions(), questions);
}

TEST_F(Watched, WhatWasUndoneUnseenIsWaitedForNoMore) {
  const auto came = expect({9001}, {});
  EXPECT_FALSE(watch_.shown(came));
  const auto went = expect({}, {9001});
  EXPECT_TRUE(watch_.shown(came));
  EXPECT_FALSE(watch_.changes()[came].answer);
  EXPECT_TRUE(shown_in_time(watch_, went));
}

TEST_F(Watched, IsNotFooledByARegistryThatDoesNotAnswer) {
  registry_->add("bench", instance(9001));
  registry_->begin_outage(Outage::kGone);
  const auto number = expect({}, {9001});
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(watch_.shown(number));
  registry_->end_outage();
  registry_->remove("bench", loopback(9001));
  EXPECT_TRUE(shown_in_time(watch_, number));
}

}  // namespace
}  // namespace pilotfish::bench
