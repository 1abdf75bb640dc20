// Instances that come and go by the million while requests run on them: what stays behind?
#include <cstdlib>
#include <deque>
#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "core/random.hpp"
#include "metrics/families.hpp"
#include "metrics/process_stats.hpp"
#include "metrics/store_impl.hpp"
#include "proxy/connection.hpp"
#include "proxy/upstream_metrics.hpp"

namespace pilotfish::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAtOnce = 64;  // in one answer
constexpr std::size_t kStays = 8;    // of them, in the next one too
constexpr Duration kEvery = 50ms;    // an hour of it is 4 million instances

/// An upstream without its sockets: what Upstream does with the cluster's events, and requests of
/// which each runs for a few answers, so that many end after their instance has left.
class Churn {
 public:
  explicit Churn(std::uint64_t seed) : random_(seed), cluster_({}, {"any"}, seed) {}

  std::uint64_t arrived = 0;
  std::size_t most_series = 0;

  void step() {
    now_ += kEvery;
    InstanceList list;
    while (list.size() < kAtOnce) {
      const auto number = next_ - (list.size() < kStays && next_ > kStays ? kStays : 0);
      list.push_back({.endpoint = address(number + list.size()), .tags = {}});
    }
    next_ += kAtOnce;
    normalise(list);
    TierAnswer answer;
    answer.result = LookupResult::kOk;
    answer.instances = std::move(list);
    answer.asked = answer.answered = now_;
    cluster_.on_answer(0, answer, now_);
    publish();
    for (int i = 0; i < 40; ++i) {
      request();
    }
    while (running_.size() > 100) {
      end_one();
    }
  }
  void scrape() { most_series = std::max(most_series, series()); }
  /// Everything ends, and 61 s pass.
  std::size_t settle() {
    while (!running_.empty()) {
      end_one();
    }
    TierAnswer none;
    none.result = LookupResult::kEmpty;
    none.asked = none.answered = now_;
    cluster_.on_answer(0, none, now_);
    now_ += 11s;  // fallback.hold_empty
    cluster_.tick(now_);
    publish();
    (void)series();
    now_ += 61s;
    cluster_.tick(now_);
    return series();
  }

 private:
  static Endpoint address(std::uint64_t number) {
    const auto part = [number](unsigned shift) {
      return static_cast<std::uint8_t>((number >> shift) & 0xffU);
    };
    return {IpAddress::v4({10, part(16), part(8), part(0)}),
            static_cast<std::uint16_t>(1024 + (number >> 24U))};
  }

  [[nodiscard]] std::size_t series() { return store_.impl().read(now_).size() - of_upstream_; }

  void publish() {
    cluster_.tick(now_);
    const auto events = cluster_.take_events();
    for (const auto& instance : events.arrived) {
      ++arrived;
      instance->attachment = std::make_unique<InstanceLink>(InstanceMetrics{});
    }
    for (const auto& instance : events.departed) {
      metrics_.instance_left(*instance, now_);
    }
  }
  void request() {
    auto* chosen = cluster_.pick({.now = now_});
    ASSERT_NE(chosen, nullptr);
    cluster_.started(*chosen, now_);
    if (random_.below(2) == 0) {
      metrics_.connected(*chosen);  // else its connection stands only after it left
    }
    running_.emplace_back(chosen);
  }
  void end_one() {
    const auto instance = running_.front();
    running_.pop_front();
    metrics_.connected(*instance);
    metrics_.answered(*instance, random_.below(10) == 0 ? 500 : 200);
    cluster_.finished(*instance, balancer::Outcome::kSuccess, 1ms, now_);
  }

  TimePoint now_{std::chrono::hours(5)};
  Random random_;
  std::uint64_t next_ = 0;
  metrics::Store store_;
  UpstreamMetrics metrics_{store_, "app"};
  std::size_t of_upstream_ = store_.impl().read(now_).size();
  balancer::Cluster cluster_;
  std::deque<balancer::InstanceRef> running_;
};

/// PILOTFISH_CHURN says of how many instances; 4 million are an hour.
TEST(Churn, LeavesNoSeriesOfInstancesThatLeftWhileRequestsRanOnThem) {
  const char* wanted = std::getenv("PILOTFISH_CHURN");
  const auto most = wanted == nullptr ? 5'000U : std::stoul(wanted);
  Churn churn(1);
  for (std::size_t steps = 1; churn.arrived < most; ++steps) {
    churn.step();
    if (steps % 300 == 0) {
      churn.scrape();  // every 15 s, as Prometheus does
    }
  }
  const auto left = churn.settle();
  const auto memory = metrics::read_process_stats().resident_bytes.value_or(0);
  RecordProperty("series_left", static_cast<int>(left));
  std::printf("%llu instances: at most %zu series, %zu left, %.1f MiB resident\n",
              static_cast<unsigned long long>(churn.arrived), churn.most_series, left,
              memory / 1048576.0);
  EXPECT_EQ(left, 0U);
}

}  // namespace
}  // namespace pilotfish::proxy
