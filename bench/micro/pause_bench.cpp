// How long a worker pauses for an answer of 10,000 instances: CPU time of its thread between two
// turns of its loop, the longest of each change. With a Preparer (as pilotfish runs) and without
// (all on the worker). CPU time, so that a busy machine's scheduling stays out of it.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <ctime>

#include "bench/micro/groups.hpp"
#include "bench/micro/sets.hpp"
#include "proxy/preparer.hpp"
#include "proxy/proxy.hpp"

namespace pilotfish::micro {
namespace {

using balancer::Algorithm;

class NoLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

double cpu_microseconds() {
  timespec now{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

resolver::WatchStatePtr state_of(InstanceList list) {
  auto state = std::make_shared<resolver::WatchState>();
  state->up = true;
  state->instances = std::make_shared<const InstanceList>(std::move(list));
  state->asked = state->answered = Clock::now();
  return state;
}

/// One worker on this thread that watches one service.
class Worker {
 public:
  Worker(Algorithm algorithm, bool aside) {
    proxy::Shared shared;
    shared.logger = &logger_;
    shared.preparer = aside ? &preparer_ : nullptr;
    shared.consul_dns.server = *Endpoint::parse("127.0.0.1:9");
    proxy_ = std::make_unique<proxy::Proxy>(io_, shared, store_);
    proxy::UpstreamOptions options;
    options.name = "u";
    options.source = resolver::ConsulSource{"s", "", {{}}};
    options.fresh = resolver::Freshness::kWatch;
    options.cluster.algorithm = algorithm;
    proxy_->start({options}, {});
  }
  ~Worker() {
    proxy_->stop();
    io_.restart();
    io_.run_for(std::chrono::milliseconds(20));
    proxy_.reset();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Pushes a state and turns the loop until it counts and all of its work is done; microseconds.
  double longest_pause(const resolver::WatchStatePtr& state) {
    const auto size = static_cast<double>(state->instances->size());
    double longest = 0;
    double before = cpu_microseconds();
    net::asio::post(io_, [&] { proxy_->push_watch({"s", ""}, state); });
    int quiet = 0;
    while (quiet < 200) {
      io_.restart();
      (void)io_.poll_one();
      const double now = cpu_microseconds();
      longest = std::max(longest, now - before);
      // Looked at beside the turns, so that looking does not count.
      quiet = settled(size) ? quiet + 1 : 0;
      before = cpu_microseconds();
    }
    return longest;
  }

 private:
  bool settled(double size) {
    const auto status = proxy_->status(Clock::now(), proxy::Proxy::Detail::kSummary);
    return status[0].tier == 0 && !status[0].answers.empty() &&
           static_cast<double>(status[0].answers[0].instances.size()) == size;
  }

  net::IoContext io_{1};
  NoLogger logger_;
  metrics::Store store_;
  proxy::Preparer preparer_;
  std::unique_ptr<proxy::Proxy> proxy_;
};

/// `other(count)`: the list that comes and goes beside the whole one.
template <typename Other>
void pauses(benchmark::State& state, Algorithm algorithm, bool aside, Other other) {
  Worker worker(algorithm, aside);
  const auto whole = state_of(instances(state.range(0), true));
  const auto another = state_of(other(state.range(0)));
  const double first = worker.longest_pause(whole);
  std::vector<double> each;
  bool flip = false;
  for (auto _ : state) {
    each.push_back(worker.longest_pause(flip ? whole : another));
    flip = !flip;
  }
  std::ranges::sort(each);
  state.counters["first_us"] = first;
  state.counters["median_us"] = each[each.size() / 2];
  state.counters["longest_us"] = each.back();
}

InstanceList one_less(std::int64_t count) {
  auto list = instances(count, true);
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2));
  return list;
}

/// Nobody of the whole set stays.
InstanceList all_others(std::int64_t count) {
  auto list = instances(count, true);
  for (auto& each : list) {
    each.endpoint.port = 81;
  }
  list.pop_back();
  return list;
}

}  // namespace

void register_pauses() {
  for (const auto& [algorithm, name] : kAlgorithms) {
    for (const bool aside : {true, false}) {
      const std::string variant = std::string(name) + (aside ? "/aside" : "/on_worker");
      benchmark::RegisterBenchmark(("pause_one_left/" + variant).c_str(),
                                   pauses<decltype(&one_less)>, algorithm, aside, &one_less)
          ->Arg(10000)
          ->Iterations(20);
      benchmark::RegisterBenchmark(("pause_all_changed/" + variant).c_str(),
                                   pauses<decltype(&all_others)>, algorithm, aside, &all_others)
          ->Arg(10000)
          ->Iterations(20);
    }
  }
}

}  // namespace pilotfish::micro
