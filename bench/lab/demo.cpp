#include "bench/lab/demo.hpp"

#include <cmath>
#include <fmt/core.h>
#include <thread>

#include "bench/harness/admin_watch.hpp"
#include "bench/harness/load.hpp"
#include "bench/harness/sidecar.hpp"
#include "bench/lab/display.hpp"
#include "bench/lab/interrupt.hpp"
#include "bench/lab/narration.hpp"
#include "bench/lab/summary.hpp"
#include "bench/lab/traffic.hpp"
#include "bench/lab/view.hpp"
#include "bench/lab/world.hpp"

namespace pilotfish::bench {
namespace {

constexpr auto kTick = std::chrono::milliseconds(10);
constexpr auto kQuiet = std::chrono::milliseconds(250);  // no request that long: it is over
constexpr double kNewConnections = 0.25;

/// One run of the demo.
class Demo {
 public:
  explicit Demo(const DemoOptions& options) : options_(options), plan_(plan_demo(options.total)) {}

  int run() {
    if (!options_.direct) start_sidecar();
    display_ = make_display(options_.plain);
    start_load();
    note(Style::kPlain, opening());
    follow_script();
    return finish();
  }

 private:
  struct Running {
    StepKind step;
    Observation observation;
    double retries_before;
    bool reported = false;
  };

  void start_sidecar() {
    const auto configure = [this](const Endpoint& admin, const Endpoint& listen) {
      return demo_configuration(admin, listen, world_.registry().endpoint(), plan_,
                                !options_.log.empty());
    };
    sidecar_ = std::make_unique<Sidecar>(configure, std::chrono::seconds(5), options_.log);
    admin_ = std::make_unique<AdminWatch>(sidecar_->admin(), std::chrono::milliseconds(100));
  }

  void start_load() {
    LoadOptions load;
    load.rate = options_.rate;
    load.new_connection_share = options_.direct ? 1.0 : kNewConnections;
    load.host = World::kService;
    if (options_.direct) {
      load.target = [this](Random& random) { return world_.pick(random); };
    } else {
      load.target = [listen = sidecar_->listen()](Random&) { return listen; };
    }
    load_ = std::make_unique<Load>(std::move(load));
    start_ = Clock::now();
    load_->start();
  }

  [[nodiscard]] std::string opening() const {
    const auto to = sidecar_ ? "pilotfish at " + sidecar_->listen().to_string()
                             : std::string("the instances themselves");
    return fmt::format("{:.0f} requests/s ({:.0f}% new connections) to {}", options_.rate,
                       100 * (options_.direct ? 1.0 : kNewConnections), to);
  }

  void follow_script() {
    std::size_t next = 0;
    while (!interrupted() && !display_->broken()) {
      const auto now = Clock::now();
      take_completions(now);
      if (now - start_ >= plan_.total) return;
      if (sidecar_ && sidecar_->process().exit_code()) {
        note(Style::kBad, fmt::format("pilotfish ended with code {}; it said:",
                                      *sidecar_->process().exit_code()));
        return;
      }
      if (next < plan_.steps.size() && now - start_ >= plan_.steps[next].at) {
        begin(plan_.steps[next++].kind);
      }
      display_->show(model(now), now);
      std::this_thread::sleep_for(kTick);
    }
    interrupted_ = true;
  }

  void begin(StepKind step) {
    if (running_ && !running_->reported) report();
    const double retries = retries_so_far();
    const auto now = Clock::now();
    note_at(now, Style::kAccent, step_announcement(step, plan_));
    running_.emplace(Running{step, Observation(now, step_expectation(step)), retries});
    results_.push_back({step, "", false, 0});
    world_.perform(step);
  }

  void take_completions(TimePoint now) {
    for (const auto& completion : load_->drain()) {
      ++requests_;
      if (!completion.ok) ++failed_;
      if (!completion.instance.empty()) ++served_[completion.instance.substr(0, 2)];
      traffic_.add(completion);
      if (running_) running_->observation.see(completion);
    }
    traffic_.advance(now);
    if (!running_) return;
    results_.back().failed = running_->observation.failed();
    if (!running_->reported && running_->observation.settled(now, kQuiet)) report();
  }

  void report() {
    running_->reported = true;
    const auto retries = admin_ ? std::llround(retries_so_far() - running_->retries_before) : -1LL;
    const auto outcome = step_outcome(running_->step, plan_, running_->observation, retries);
    results_.back().text = outcome.text;
    results_.back().as_expected = outcome.as_expected;
    const auto failed = running_->observation.failed();
    note_at(std::nullopt, outcome.as_expected && failed == 0 ? Style::kGood : Style::kBad,
            fmt::format("{}, {} failed", outcome.text, failed));
  }

  [[nodiscard]] double retries_so_far() const {
    return admin_ ? sum_of(admin_->metrics(), "pilotfish_upstream_retries_total") : 0;
  }

  void note(Style style, std::string text) { note_at(Clock::now(), style, std::move(text)); }
  void note_at(std::optional<TimePoint> when, Style style, std::string text) {
    const auto stamp =
        when ? fmt::format(" t={:<6}", seconds_text(*when - start_)) : std::string(9, ' ');
    log_.push_back({{Style::kDim, stamp}, {style, std::move(text)}});
    display_->note(log_.back());
  }

  [[nodiscard]] TableModel model(TimePoint now) {
    TableModel table;
    table.elapsed = std::min<Duration>(now - start_, plan_.total);
    table.total = plan_.total;
    table.traffic = traffic_.figures();
    table.requests = requests_;
    table.failed = failed_;
    for (const auto& step : plan_.steps) table.steps.push_back(step.at);
    table.log = log_;
    table.listen = std::string(World::kService) +
                   (sidecar_ ? " at " + sidecar_->listen().to_string() : " without a sidecar");
    const auto upstream = admin_ ? admin_->upstream() : std::nullopt;
    if (upstream) {
      if (upstream->tier != tier_) {
        tier_ = upstream->tier;
        tier_since_ = now;
      }
      table.serving = serving_text(tier_, now - tier_since_);
      table.reason = upstream->reason;
    }
    for (const auto& member : world_.members()) {
      table.rows.push_back(
          member_row(member, upstream, admin_ != nullptr, traffic_.figures(member.name)));
    }
    return table;
  }

  int finish() {
    load_->stop(std::chrono::seconds(1));
    const auto now = Clock::now();
    take_completions(now);
    if (running_ && !running_->reported) report();
    display_->close(model(now));

    SummaryInput input;
    input.elapsed = std::min<Duration>(now - start_, plan_.total);
    input.rate = options_.rate;
    input.interrupted = interrupted_ && interrupted();
    input.steps = results_;
    input.served = served_;
    if (admin_) input.metrics = admin_->metrics();
    admin_.reset();
    std::string last_words;
    bool unclean = interrupted_;
    if (sidecar_) {
      const bool died = sidecar_->process().exit_code().has_value();
      const int code = sidecar_->process().terminate(std::chrono::seconds(3));
      if (died || code != 0) {
        last_words = fmt::format("  pilotfish ended with code {}; it said:\n{}\n", code,
                                 sidecar_->process().output_tail());
        unclean = true;
      }
    }
    const auto report = load_->report();
    write_out(render_summary(input, report) + last_words + verdict(report) + "\n");
    return report.failed == 0 && report.requests != 0 && !unclean ? 0 : 1;
  }

  const DemoOptions options_;
  const DemoPlan plan_;
  World world_;
  std::unique_ptr<Sidecar> sidecar_;
  std::unique_ptr<AdminWatch> admin_;
  std::unique_ptr<Display> display_;
  std::unique_ptr<Load> load_;
  TimePoint start_;
  RecentTraffic traffic_{std::chrono::seconds(1)};
  std::optional<Running> running_;
  std::vector<StepResult> results_;
  std::vector<Line> log_;
  std::map<std::string, std::uint64_t> served_;
  std::uint64_t requests_ = 0;
  std::uint64_t failed_ = 0;
  int tier_ = -2;
  TimePoint tier_since_;
  bool interrupted_ = false;
};

}  // namespace

int run_demo(const DemoOptions& options) {
  return Demo(options).run();
}

}  // namespace pilotfish::bench
