#include "app/supervisor.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <random>
#include <unistd.h>
#include <utility>

#include "app/build_info.hpp"
#include "app/describe.hpp"
#include "app/exit_code.hpp"
#include "app/logger.hpp"
#include "app/watched_services.hpp"
#include "config/values.hpp"
#include "metrics/families.hpp"

namespace pilotfish::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
constexpr Duration kWorkerAnswer = 1s;  // a worker that does not answer is counted, not waited for
constexpr Duration kFirstLookups = 2s;
constexpr Duration kFirstCauses = 500ms;  // the start screen names them
constexpr Duration kLastState = 200ms;    // a restart waits for this
constexpr Duration kDiskPatience = 1s;  // what was kept may help, and is no reason to serve nobody
constexpr Duration kLastWrite = 500ms;
constexpr auto kScreenShown = 100ms;  // what is ready has said so, unless nobody reads
}  // namespace

Supervisor::Supervisor(std::string file, config::RootOptions options, Bound bound,
                       SpdLogger& logger, LineWriter& screen)
    : file_(std::move(file)),
      options_(std::move(options)),
      logger_(logger),
      screen_(screen),
      bound_(std::move(bound)),
      listens_(listen_texts(options_, bound_)),
      causes_(io_, logger,
              {.status = [this] { return workers_->first_status(kWorkerAnswer); },
               .tell = [this](const std::string& upstream,
                              const std::string& cause) { workers_->explain(upstream, cause); },
               .options = [this]() -> const config::RootOptions& { return options_; }}),
      service_manager_(io_, config::process_environment(), ::getpid(), logger,
                       {.clients = [this](Duration limit) { return workers_->clients(limit); },
                        .status = [this] { return summary(); }}) {
  if (options_.log.access != "off") {
    access_log_ =
        std::make_unique<QueuedAccessLog>(options_.log.access, options_.log.format, store_);
  }
  if (bound_.admin) {
    make_admin(std::move(*bound_.admin));
  }
  workers_ = std::make_unique<WorkerGroup>(
      io_, options_, logger_, access_log_.get(),
      WorkerGroup::Hooks{
          .on_failure = [this](const std::string& what) { fail(what); },
          .on_instances =
              [this](std::size_t worker, const std::string& upstream,
                     std::vector<proxy::CheckTarget> arrived, std::vector<Endpoint> left) {
                checks_->changed(worker, upstream, std::move(arrived), std::move(left));
              },
          .on_missing = [this](const std::string& upstream) { causes_.missing(upstream); }});
  make_checks();
  make_registrar();
  make_watches();

  const BuildInfo info = build_info();
  store_
      .gauge(metrics::kBuildInfo,
             {std::string(info.version), std::string(info.commit), std::string(info.compiler)})
      ->set(1);
  for (const char* result : {"ok", "invalid", "failed"}) {
    (void)store_.counter(metrics::kConfigReloads, {result});
  }
  for (const auto& announcement : options_.announcements) {
    on_registration(announcement.name, false);
  }
}

void Supervisor::make_admin(BoundListener bound) {
  admin_endpoint_ = bound.endpoint;
  admin_ = std::make_unique<AdminServer>(
      io_, std::move(bound.sockets.front()), bound.endpoint.address.is_v6(),
      AdminServerOptions{.any_host = options_.admin.is_public}, *this, logger_);
}

void Supervisor::make_registrar() {
  registry::RegistrarOptions options{options_.consul_http, options_.etcd, admin_endpoint_};
  options.on_crowded = [this] {
    if (watches_) {
      watches_->give_way();
    }
  };
  registrar_ = std::make_unique<registry::Registrar>(
      io_, std::move(options), logger_,
      [this](const std::string& service, bool up) { on_registration(service, up); });
}

void Supervisor::make_watches() {
  watches_ = std::make_unique<registry::ConsulWatches>(
      io_, options_.consul_http, logger_, std::random_device{}(),
      [this](const resolver::WatchKey& key, const resolver::WatchStatePtr& state) {
        workers_->push_watch(key, state);
      });
}

void Supervisor::make_checks() {
  checks_ = std::make_unique<proxy::HealthChecks>(
      io_.get_executor(), logger_, std::random_device{}(),
      [this](const std::string& upstream, const proxy::CheckVerdictsPtr& news) {
        workers_->push_verdicts(upstream, news);
      });
  checks_->set_upstreams(options_.upstreams);
}

Supervisor::~Supervisor() {
  workers_->stop();
}

void Supervisor::watch_file(FileStamp known) {
  file_watch_.emplace(io_, file_, known, logger_, [this] {
    logger_.info("the file changed: reloading", {{"file", file_}});
    ask_for_reload();
  });
  if (!file_watch_->start()) {
    file_watch_.reset();
  }
}

int Supervisor::run() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    signals_.add(number);
  }
  asio::co_spawn(io_, watch_signals(), asio::detached);
  asio::co_spawn(io_, start(), [this](const std::exception_ptr& error) {
    if (error) {
      fail("start failed");
    }
  });
  io_.run();
  signals_.clear();  // from here on a signal does what it does to anybody: it ends the process
  workers_->stop();
  return exit_code_;
}

net::Awaitable<void> Supervisor::start() {
  std::vector<proxy::Proxy::Seed> seeds;
  if (!options_.state_dir.empty()) {
    state_lock_ = std::move(bound_.state);
    seeds = co_await load_state();
    keeping_state_ = true;
    asio::co_spawn(io_, keep_state(), asio::detached);
  }
  for (const auto& listener : bound_.upstreams) {
    listening_.push_back(
        {listener.upstream, {listener.bound.endpoint, {}}, listener.place, listener.id});
  }
  workers_->start(std::move(bound_.upstreams), seeds);
  watches_->set_desired(watched_services(options_.upstreams));
  if (admin_) {
    admin_->start();
  }
  co_await workers_->wait_first_lookups(Clock::now() + kFirstLookups);
  if (draining_) {
    co_return;
  }
  registrar_started_ = true;
  registrar_->set_desired(options_.announcements);
  registrar_->start();
  started_ = true;
  service_manager_.ready();
  // Only what people read waits for the agent to say why an instance is missing.
  co_await causes_.wait(Clock::now() + kFirstCauses);
  const MergedStatus first = co_await workers_->status(kWorkerAnswer);
  if (draining_) {
    co_return;
  }
  show_start_screen(first);
  if (reload_wanted_) {
    ask_for_reload();
  }
}

void Supervisor::show_start_screen(const MergedStatus& status) {
  const BuildInfo info = build_info();
  StartScreen screen;
  screen.file = file_;
  screen.version = std::string(info.version) + " (" + std::string(info.commit) + ")";
  screen.pid = ::getpid();
  screen.admin = admin_endpoint_ ? admin_endpoint_->to_string() : "";
  screen.listens = listens_;
  screen.status = status;
  if (options_.log.format == config::LogFormat::kText) {
    screen_.write(start_screen(options_, screen));
    screen_.flush(kScreenShown);
    return;
  }
  // Whoever reads JSON lines gets nothing else.
  logger_.info("started", {{"version", screen.version},
                           {"file", file_},
                           {"workers", std::to_string(options_.workers)},
                           {"admin", screen.admin}});
  for (std::size_t i = 0; i < options_.upstreams.size(); ++i) {
    const auto& upstream = options_.upstreams[i];
    logger_.info("listening", {{"upstream", upstream.name},
                               {"listen", listens_[i]},
                               {"routes_to", describe_source(upstream)}});
  }
}

net::Awaitable<void> Supervisor::watch_signals() {
  while (true) {
    const auto got = co_await signals_.async_wait(net::kTuple);
    if (std::get<0>(got)) {
      co_return;
    }
    const int number = std::get<1>(got);
    if (number == SIGHUP) {
      ask_for_reload();
      continue;
    }
    if (draining_) {
      constexpr std::string_view kText = "pilotfish: second signal: exiting at once\n";
      (void)!::write(STDERR_FILENO, kText.data(), kText.size());
      ::_exit(kExitFailure);
    }
    draining_ = true;
    service_manager_.stopping(options_.grace + options_.drain);
    drain_signal_ = number;
    asio::co_spawn(io_, drain(), [this](const std::exception_ptr& error) {
      if (error) {
        fail("drain failed");
      }
    });
  }
}

net::Awaitable<void> Supervisor::keep_state() {
  while (!draining_) {
    state_timer_.expires_after(StateStore::kEvery);
    (void)co_await state_timer_.async_wait(net::kTuple);
    if (!draining_ && state_) {
      co_await update_state(kWorkerAnswer);
    }
  }
}

net::Awaitable<void> Supervisor::update_state(Duration limit) {
  const auto asked = state_;
  const auto statuses = co_await workers_->first_status(limit);
  if (state_ && state_ == asked) {  // a reload may have put another in its place
    state_->update(statuses, wall_now(), Clock::now());
  }
}

net::Awaitable<std::vector<proxy::Proxy::Seed>> Supervisor::load_state() {
  const auto state = std::make_shared<StateStore>(options_, logger_, state_lock_);
  state_ = state;
  state->begin_load();
  (void)co_await state->wait(io_.get_executor(), Clock::now() + kDiskPatience);
  co_return state->take_loaded(wall_now(), Clock::now());
}

net::Awaitable<void> Supervisor::finish_state() {
  const auto state = state_;
  co_await update_state(kLastState);
  state->finish(Clock::now());
  const bool written = co_await state->wait(io_.get_executor(), Clock::now() + kLastWrite);
  if (!written) {
    logger_.warn("state_dir does not answer: the last answers are not kept",
                 {{"state_dir", options_.state_dir}});
  }
  // Before the listeners close: whoever starts in our place wants it.
  state_.reset();
  state_lock_.reset();
}

net::Awaitable<void> Supervisor::drain() {
  const TimePoint began = Clock::now() + options_.grace;
  const TimePoint deadline = began + options_.drain;
  bool withdrawn = !registrar_started_;
  if (registrar_started_) {
    asio::co_spawn(io_, registrar_->stop(deadline),
                   [this, &withdrawn](const std::exception_ptr& /*error*/) {
                     withdrawn = true;
                     registrar_stopped_.notify_all();
                   });
  }
  if (options_.grace > Duration::zero()) {
    logger_.info("stopping: withdrawn and not ready; connections are still served for a while",
                 {{"signal", drain_signal_ == SIGTERM ? "SIGTERM" : "SIGINT"},
                  {"grace", config::format_duration(options_.grace)}});
    net::Timer grace(io_, began);
    (void)co_await grace.async_wait(net::kTuple);
  }
  if (state_) {
    co_await finish_state();
  }
  const auto clients = co_await workers_->clients(kLastState);
  logger_.info("draining: no new connections, what runs is finished",
               {{"signal", drain_signal_ == SIGTERM ? "SIGTERM" : "SIGINT"},
                {"connections", clients ? std::to_string(*clients) : "unknown"},
                {"limit", config::format_duration(options_.drain)}});
  const bool idle = co_await workers_->drain(deadline);
  const auto left = idle ? std::optional<std::size_t>(0) : co_await workers_->clients(kLastState);
  // stop() keeps the deadline itself; the grace is for its last word only.
  const TimePoint last = std::max(deadline, Clock::now()) + 200ms;
  while ((!withdrawn || reloading_) && Clock::now() < last) {
    (void)co_await registrar_stopped_.wait_until(last);
  }
  if (idle) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    logger_.info("drained: every connection ended",
                 {{"took", std::to_string(took.count()) + " ms"}});
  } else {
    logger_.warn("shutdown.drain is over: what still ran is cut",
                 {{"connections", left ? std::to_string(*left) : "unknown"},
                  {"limit", config::format_duration(options_.drain)}});
  }
  io_.stop();
}

void Supervisor::on_registration(const std::string& service, bool up) {
  const auto& wanted = options_.announcements;
  const bool stays =
      std::ranges::find(wanted, service, &registry::Announcement::name) != wanted.end();
  // What a reload removed is withdrawn after its series was retired.
  store_
      .gauge(metrics::kRegistrationUp, {service},
             stays ? metrics::Owner::kStays : metrics::Owner::kLeft)
      ->set(up ? 1 : 0);
}

void Supervisor::fail(const std::string& what) {
  logger_.error("cannot go on", {{"error", what}});
  exit_code_ = kExitFailure;
  io_.stop();
}

net::Awaitable<MergedStatus> Supervisor::summary() {
  co_return co_await workers_->status(kWorkerAnswer, proxy::Proxy::Detail::kSummary);
}

net::Awaitable<MergedStatus> Supervisor::status() {
  co_return co_await workers_->status(kWorkerAnswer);
}

net::Awaitable<std::string> Supervisor::metrics() {
  co_await workers_->refresh_gauges(kWorkerAnswer);
  std::vector<metrics::Store*> stores = workers_->stores();
  stores.push_back(&store_);
  co_return metrics::expose(stores, Clock::now());
}

std::string Supervisor::not_ready() const {
  if (draining_) {
    return "draining: this process is shutting down";
  }
  return started_ ? "" : "starting: the first lookups are not done";
}

std::string Supervisor::config() {
  std::string text;
  for (const auto& note : reload_notes_) {
    text += "# " + note + "\n";
  }
  return text + config::dump(options_);
}

}  // namespace pilotfish::app
