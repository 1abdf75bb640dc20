#include "metrics/store.hpp"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "metrics/families.hpp"
#include "metrics/process_stats.hpp"

namespace pilotfish::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr TimePoint kStart{std::chrono::hours(5)};

std::string text_of(Store& store, TimePoint now = kStart) {
  const std::array stores{&store};
  return expose(stores, now);
}

TEST(Histogram, CountsADurationInTheFirstBucketThatHoldsIt) {
  Histogram histogram;
  histogram.observe(500us);  // bounds are inclusive
  histogram.observe(501us);
  histogram.observe(29s);
  histogram.observe(31s);
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.bucket(1), 1U);
  EXPECT_EQ(histogram.bucket(14), 1U);
  EXPECT_EQ(histogram.bucket(15), 1U);
  EXPECT_NEAR(histogram.sum_seconds(), 60.001001, 1e-9);
}

TEST(Histogram, TakesAClockThatWentBackwardsAsZero) {
  Histogram histogram;
  histogram.observe(-5ms);
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.sum_seconds(), 0.0);
}

TEST(Store, GivesTheSameInstrumentForTheSameLabels) {
  Store store;
  const auto first = store.counter(kUpstreamOverflow, {"billing", "pending"});
  EXPECT_EQ(first, store.counter(kUpstreamOverflow, {"billing", "pending"}));
  EXPECT_NE(first, store.counter(kUpstreamOverflow, {"billing", "connections"}));
}

TEST(Store, KeepsTheSeriesOfAnInstanceForOneMinuteAfterItWent) {
  Store store;
  store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"})->add(3);
  store.counter(kUpstreamConnections, {"orders", "10.0.0.1:80"})->add(4);
  store.retire_instance("billing", "10.0.0.1:80", kStart);
  const char* line =
      "pilotfish_upstream_connections_total{upstream=\"billing\",instance=\"10.0.0.1:80\"} 3";
  EXPECT_THAT(text_of(store, kStart + 59s), HasSubstr(line));
  const std::string later = text_of(store, kStart + 60s);
  EXPECT_THAT(later, Not(HasSubstr(line)));
  EXPECT_THAT(later, HasSubstr("upstream=\"orders\",instance=\"10.0.0.1:80\"} 4"));
}

TEST(Store, RevivesEverySeriesOfAnInstanceThatCameBack) {
  Store store;
  const auto failures =
      store.counter(kUpstreamConnectFailures, {"billing", "10.0.0.1:80", "refused"});
  failures->add(7);
  store.retire_instance("billing", "10.0.0.1:80", kStart);
  store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"})->add();
  EXPECT_THAT(text_of(store, kStart + 10min), HasSubstr("reason=\"refused\"} 7"));
}

TEST(Store, RetiresAnInstanceWhoseFirstAnswerOfAClassComesAfterItLeft) {
  Store store;
  store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"})->add();
  store.retire_instance("billing", "10.0.0.1:80", kStart);
  store.counter(kUpstreamRequests, {"billing", "10.0.0.1:80", "2xx"}, Owner::kLeft)->add();
  EXPECT_THAT(text_of(store, kStart + 59s), HasSubstr("code=\"2xx\"} 1"));
  EXPECT_THAT(text_of(store, kStart + 60s), Not(HasSubstr("10.0.0.1:80")));
}

TEST(Store, RetiresWhatIsCountedForTheFirstTimeAfterAnInstanceLeft) {
  Store store;
  store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"}, Owner::kLeft)->add();
  store.counter(kUpstreamRequests, {"billing", "10.0.0.1:80", "2xx"}, Owner::kLeft)->add();
  EXPECT_THAT(text_of(store, kStart), HasSubstr("code=\"2xx\"} 1"));
  EXPECT_THAT(text_of(store, kStart + 60s), Not(HasSubstr("10.0.0.1:80")));
}

TEST(Store, KeepsTheSeriesOfAnInstanceThatCameBackThroughLateAnswersOfItsFormerLife) {
  Store store;
  store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"})->add(3);
  store.counter(kUpstreamRequests, {"billing", "10.0.0.1:80", "5xx"}, Owner::kLeft)->add();
  EXPECT_THAT(text_of(store, kStart), HasSubstr("10.0.0.1:80"));
  EXPECT_THAT(text_of(store, kStart + 10min), HasSubstr("instance=\"10.0.0.1:80\"} 3"));
}

TEST(Store, RetiresAServiceThatIsWithdrawnAfterAReloadRemovedIt) {
  Store store;
  store.gauge(kRegistrationUp, {"web"})->set(1);
  store.retire("service", "web", kStart);
  store.gauge(kRegistrationUp, {"web"}, Owner::kLeft)->set(0);
  EXPECT_THAT(text_of(store, kStart + 59s), HasSubstr("service=\"web\"} 0"));
  EXPECT_THAT(text_of(store, kStart + 60s), Not(HasSubstr("service=\"web\"")));
}

TEST(Store, StartsAnewWhereAnInstanceComesBackAfterItsMinute) {
  Store store;
  store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"})->add(9);
  store.retire_instance("billing", "10.0.0.1:80", kStart);
  (void)text_of(store, kStart + 61s);
  EXPECT_EQ(store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"})->value(), 0U);
}

TEST(Store, DropsEverySeriesOfARemovedUpstreamAMinuteLater) {
  Store store;
  store.gauge(kUpstreamTier, {"billing"})->set(1);
  store.gauge(kUpstreamTier, {"orders"})->set(0);
  store.counter(kUpstreamConnections, {"billing", "10.0.0.1:80"})->add();
  store.gauge(kRegistrationUp, {"billing"})->set(1);
  store.retire("upstream", "billing", kStart);
  EXPECT_THAT(text_of(store, kStart + 59s),
              HasSubstr("pilotfish_upstream_tier{upstream=\"billing\"} 1"));
  const auto later = text_of(store, kStart + 60s);
  EXPECT_THAT(later, Not(HasSubstr("upstream=\"billing\"")));
  EXPECT_THAT(later, HasSubstr("pilotfish_upstream_tier{upstream=\"orders\"} 0"));
  EXPECT_THAT(later, HasSubstr("pilotfish_registration_up{service=\"billing\"} 1"));
}

TEST(Store, KeepsTheSeriesOfAnUpstreamThatCameBackInTime) {
  Store store;
  store.counter(kLookupTcp, {"billing"})->add(7);
  store.retire("upstream", "billing", kStart);
  (void)store.gauge(kUpstreamTier, {"billing"});
  EXPECT_THAT(text_of(store, kStart + 10min),
              HasSubstr("pilotfish_lookup_tcp_total{upstream=\"billing\"} 7"));
}

TEST(Expose, MergesWorkersAsEachFamilySays) {
  Store a;
  Store b;
  a.counter(kLookupTcp, {"u"})->add(2);
  b.counter(kLookupTcp, {"u"})->add(5);
  a.gauge(kUpstreamActive, {"u"})->set(3);
  b.gauge(kUpstreamActive, {"u"})->set(4);
  a.gauge(kLookupAge, {"u"})->set(0.5);
  b.gauge(kLookupAge, {"u"})->set(2.5);
  a.gauge(kUpstreamTier, {"u"})->set(1);
  b.gauge(kUpstreamTier, {"u"})->set(0);
  a.histogram(kUpstreamDuration, {"u"})->observe(2ms);
  b.histogram(kUpstreamDuration, {"u"})->observe(40s);
  const std::array stores{&a, &b};
  const std::string text = expose(stores, kStart);
  EXPECT_THAT(text, HasSubstr("pilotfish_lookup_tcp_total{upstream=\"u\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("pilotfish_upstream_active{upstream=\"u\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("pilotfish_lookup_age_seconds{upstream=\"u\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr("pilotfish_upstream_tier{upstream=\"u\"} 0\n"));
  const std::string name = "pilotfish_upstream_request_duration_seconds";
  EXPECT_THAT(text, HasSubstr(name + "_count{upstream=\"u\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{upstream=\"u\",le=\"30\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{upstream=\"u\",le=\"+Inf\"} 2\n"));
}

TEST(Expose, EscapesLabelValues) {
  Store store;
  store.gauge(kRegistrationUp, {"a\"b\\c\nd"})->set(1);
  EXPECT_THAT(text_of(store), HasSubstr("{service=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Expose, HasHelpAndTypeOfWhatHasSeriesAndNothingOfTheRest) {
  Store store;
  store.counter(kAccessLogDropped, {});
  const std::string text = text_of(store);
  EXPECT_THAT(text, HasSubstr("# TYPE pilotfish_access_log_dropped_total counter\n"
                              "pilotfish_access_log_dropped_total 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("pilotfish_lookup_total")));
}

TEST(Expose, HasTheUsualProcessNumbers) {
  const std::string text = text_of(*std::make_unique<Store>());
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_virtual_memory_bytes", "process_open_fds", "process_max_fds",
                           "process_start_time_seconds"}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(name) + " ")) << name;
  }
}

TEST(Expose, MayBeCalledWhileAWorkerCreatesAndUpdates) {
  Store store;
  std::thread worker([&store] {
    for (int i = 0; i < 2000; ++i) {
      const std::string instance = "10.0.0." + std::to_string(i % 50) + ":80";
      store.counter(kUpstreamConnections, {"u", instance})->add();
      if (i % 7 == 0) {
        store.retire_instance("u", instance, kStart);
      }
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(text_of(store, kStart + 30s), HasSubstr("process_open_fds"));
  }
  worker.join();
}

TEST(ProcStat, IsReadAfterTheLastParenthesisOfTheName) {
  const auto stat = parse_proc_stat(
      "12 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 8192 77 99 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->start_ticks, 4242);
  EXPECT_EQ(stat->virtual_bytes, 8192);
  EXPECT_EQ(stat->resident_pages, 77);
  EXPECT_FALSE(parse_proc_stat(""));
  EXPECT_FALSE(parse_proc_stat("1 (a) S 1 2"));
}

}  // namespace
}  // namespace pilotfish::metrics
