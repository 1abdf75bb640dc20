#include "bench/scenarios/scene.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <thread>

#include "bench/harness/admin_view.hpp"
#include "bench/harness/http_get.hpp"
#include "bench/lab/interrupt.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kStep = milliseconds(5);
constexpr auto kWarmUpLimit = seconds(20);
constexpr auto kCalm = milliseconds(300);

double microseconds_of(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

LoadOptions load_options(const Contender& contender, const SceneOptions& options) {
  LoadOptions load;
  load.target = [to = contender.targets().front()](Random&) { return to; };
  load.rate = options.rate;
  load.new_connection_share = options.new_connections;
  load.max_connections = 256;
  load.host = options.service;
  load.seed = options.seed;
  return load;
}

}  // namespace

std::optional<Endpoint> snapshot_of(const Contender& contender) {
  if (contender.name() != "pilotfish") return std::nullopt;
  return contender.admin();
}

Scene::Scene(Registry& registry, Fleet& fleet, Contender& contender, const SceneOptions& options,
             const std::vector<std::size_t>& at_first)
    : registry_(registry),
      fleet_(fleet),
      contender_(contender),
      options_(options),
      at_first_(at_first),
      watch_(registry.view(options.service, "", options.by_api), snapshot_of(contender),
             options.probe),
      load_(load_options(contender, options)) {}

Scene::~Scene() = default;

void Scene::warm_up() {
  fleet_.forget();
  const auto start = Clock::now();
  auto calm_since = start;
  load_.start();
  const auto reached = [&](std::size_t member) { return fleet_.last(member).has_value(); };
  while (!interrupted()) {
    std::this_thread::sleep_for(kStep);
    const auto now = Clock::now();
    for (const auto& completion : load_.drain()) {
      if (!completion.ok) calm_since = now;
    }
    const bool all = std::all_of(at_first_.begin(), at_first_.end(), reached);
    if (!all) calm_since = now;
    if (now - calm_since >= kCalm) break;
    if (now - start < kWarmUpLimit) continue;
    contender_.must_run();
    const auto missing = std::count_if(at_first_.begin(), at_first_.end(),
                                       [&](std::size_t member) { return !reached(member); });
    throw Unavailable(fmt::format(
        "{}: after 20 s of traffic {} of {} instances have got no request, or requests still fail",
        contender_.name(), missing, at_first_.size()));
  }
  count_from_now();
}

void Scene::begin_cold() {
  count_from_now();
  load_.start();
}

void Scene::count_from_now() {
  load_.reset();
  fleet_.forget();
  begun_ = Clock::now();
  counters_before_ = counters();
  questions_before_ = registry_.questions().value_or(0);
}

std::optional<Scene::Counters> Scene::counters() const {
  const auto admin = snapshot_of(contender_);
  if (!admin) return std::nullopt;
  const auto answer = http_get(*admin, "/metrics", seconds(2));
  if (!answer || answer->status != 200) return std::nullopt;
  const auto samples = parse_metrics(answer->body);
  return Counters{sum_of(samples, "pilotfish_lookup_total"),
                  sum_of(samples, "pilotfish_upstream_retries_total")};
}

std::size_t Scene::perform(RegistryChange change, const std::string& what,
                           const std::function<void()>& act) {
  change.changed = Clock::now();
  marks_.push_back({change.changed, what});
  const auto number = watch_.expect(std::move(change));
  act();
  watch_.accepted(number, Clock::now());
  return number;
}

bool Scene::joined(const RegistryChange& change) const {
  if (change.joining.empty()) return true;
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    if (!change.joining.contains(fleet_.port(i))) continue;
    if (fleet_.first_since(i, change.changed)) return true;
  }
  return false;
}

bool Scene::quiet(const RegistryChange& change, Duration quiet) const {
  const auto now = Clock::now();
  if (now - change.changed < quiet) return false;
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    if (!change.leaving.contains(fleet_.port(i))) continue;
    const auto last = fleet_.last(i);
    if (last && now - *last < quiet) return false;
  }
  return true;
}

bool Scene::await(std::size_t number, Duration calm, Duration limit) {
  const auto until = Clock::now() + limit;
  const auto change = watch_.changes()[number];
  while (!interrupted() && Clock::now() < until) {
    collect();
    if (watch_.shown(number) && joined(change) && quiet(change, calm)) return true;
    std::this_thread::sleep_for(kStep);
  }
  contender_.must_run();
  return false;
}

bool Scene::rest(Duration duration) {
  return rest_until(Clock::now() + duration);
}

bool Scene::rest_until(TimePoint moment) {
  while (!interrupted() && Clock::now() < moment) {
    std::this_thread::sleep_for(std::min<Duration>(kStep, moment - Clock::now()));
    collect();
  }
  return !interrupted();
}

void Scene::mark(const std::string& what) {
  marks_.push_back({Clock::now(), what});
}

void Scene::collect() {
  auto some = load_.drain();
  completions_.insert(completions_.end(), std::make_move_iterator(some.begin()),
                      std::make_move_iterator(some.end()));
}

std::vector<Arrival> Scene::arrivals() const {
  std::vector<Arrival> all;
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    for (const auto at : fleet_.arrivals(i)) all.push_back({at, fleet_.port(i)});
  }
  return all;
}

Measurement Scene::finish() {
  ended_ = Clock::now();
  const auto counted = counters();
  const auto questions = registry_.questions();
  load_.stop(seconds(5));
  collect();
  report_ = load_.report();
  contender_.must_run();

  Measurement measurement;
  const auto changes = watch_.changes();
  const auto all = arrivals();
  auto& figures = measurement.figures;
  figures = lag_figures(measure_lags(changes, all), options_.percentiles);
  figures["requests"] = static_cast<double>(report_.requests);
  figures["failed"] = static_cast<double>(report_.failed);
  figures["p50_us"] = microseconds_of(report_.latency.percentile(0.5));
  figures["p99_us"] = microseconds_of(report_.latency.percentile(0.99));
  figures["max_us"] = microseconds_of(report_.latency.max());

  PortSet at_first;
  for (const auto member : at_first_) at_first.insert(fleet_.port(member));
  spread_ = measure_spread(at_first, changes, all, begun_);
  if (spread_.imbalance > 0) figures["imbalance_ratio"] = spread_.imbalance;
  figures["instances"] = static_cast<double>(spread_.instances);
  figures["instances_reached"] = static_cast<double>(spread_.with_traffic);

  const auto took = std::chrono::duration<double>(ended_ - begun_).count();
  if (counters_before_ && counted) {
    figures["lookups_per_s"] = (counted->lookups - counters_before_->lookups) / took;
    figures["retries"] = counted->retries - counters_before_->retries;
  }
  if (questions) {
    const auto own = options_.by_api ? 0 : watch_.questions();
    figures["questions_per_s"] = static_cast<double>(*questions - questions_before_ - own) / took;
  }
  for (const double fraction : {0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    measurement.latency.emplace_back(fraction,
                                     microseconds_of(report_.latency.percentile(fraction)));
  }
  return measurement;
}

Timeline Scene::timeline(Duration bucket) const {
  return draw_timeline(completions_, marks_, begun_, ended_, bucket);
}

}  // namespace pilotfish::bench
