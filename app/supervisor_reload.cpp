// SIGHUP. First a plan and everything that may fail, then the change, which cannot.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "app/disk_thread.hpp"
#include "app/escape.hpp"
#include "app/sd_notify.hpp"
#include "app/supervisor.hpp"
#include "app/watched_services.hpp"
#include "metrics/families.hpp"

namespace pilotfish::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
constexpr Duration kDiskPatience = 1s;
constexpr Duration kApplied = 5s;  // a worker that is busy for longer is reported
}  // namespace

void Supervisor::ask_for_reload() {
  if (draining_) {
    logger_.info("reload ignored: this process is shutting down", {});
    return;
  }
  reload_wanted_ = true;
  if (!started_ || reloading_) {
    return;  // whoever runs looks again; the last content of the file counts
  }
  reloading_ = true;
  asio::co_spawn(io_, reload(), [this](const std::exception_ptr& error) {
    reloading_ = false;
    registrar_stopped_.notify_all();
    if (error) {
      fail("reload failed");
    }
  });
}

net::Awaitable<void> Supervisor::reload() {
  const auto environment = config::process_environment();
  while (reload_wanted_ && !draining_) {
    reload_wanted_ = false;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    notify_service_manager(environment, "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros));
    co_await reload_once();
    if (!draining_) {
      notify_service_manager(environment, "READY=1");
    }
  }
}

net::Awaitable<void> Supervisor::reload_once() {
  if (access_log_) {
    access_log_->reopen();
  }
  const config::Loaded loaded = config::load_file(file_, config::process_environment());
  if (!loaded.options) {
    std::vector<std::string> problems;
    for (const auto& problem : loaded.problems) {
      problems.push_back(problem.to_string());
      logger_.error(problems.back(), {});
    }
    logger_.error("reload: the configuration is invalid; the running one stays", {{"file", file_}});
    reload_refused("invalid", std::move(problems));
    co_return;
  }
  ReloadPlan plan = plan_reload(options_, *loaded.options);
  Prepared prepared;
  std::string problem;
  try {
    prepared = prepare(plan);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  if (problem.empty()) {
    problem = co_await lock_state(plan, prepared);
  }
  if (!problem.empty()) {
    logger_.error("reload failed: nothing changed, the running configuration stays",
                  {{"error", problem}, {"file", file_}});
    std::vector<std::string> problems;
    problems.push_back(problem);
    reload_refused("failed", std::move(problems));
    co_return;
  }
  co_await apply(std::move(plan), std::move(prepared));
}

void Supervisor::reload_refused(const char* result, std::vector<std::string> problems) {
  store_.counter(metrics::kConfigReloads, {result})->add();
  reload_notes_ = {"the last reload was refused; what follows is what runs. It said:"};
  for (const auto& problem : problems) {
    std::string line;
    append_text_message(line, problem);
    reload_notes_.push_back("  " + line);
  }
}

Supervisor::Prepared Supervisor::prepare(const ReloadPlan& plan) {
  Prepared prepared;
  for (const auto& place : plan.keep) {
    for (const auto& known : listening_) {
      if (known.place == place.id) {
        prepared.listeners.push_back(
            {place.upstream, {known.bound.endpoint, {}}, known.place, known.id});
      }
    }
  }
  const InheritedSockets inherited(config::process_environment(), ::getpid());
  for (const auto& place : plan.bind) {
    for (auto& listener : bind_place(place, plan.after.workers, inherited)) {
      prepared.listeners.push_back(std::move(listener));
    }
  }
  if (plan.bind_admin) {
    prepared.admin = bind_listener("admin", *plan.after.admin.listen, 1);
  }
  if (plan.access_log_changed && plan.after.log.access != "off") {
    prepared.access_log =
        std::make_unique<QueuedAccessLog>(plan.after.log.access, plan.after.log.format, store_);
  }
  return prepared;
}

net::Awaitable<void> Supervisor::apply(ReloadPlan plan, Prepared prepared) {
  listening_.clear();
  for (const auto& listener : prepared.listeners) {
    listening_.push_back(
        {listener.upstream, {listener.bound.endpoint, {}}, listener.place, listener.id});
  }
  const auto former = std::move(options_.announcements);
  options_ = plan.after;
  logger_.set_level(options_.log.level);
  logger_.set_format(options_.log.format);
  if (plan.access_log_changed) {
    if (access_log_) {
      former_access_logs_.push_back(std::move(access_log_));
    }
    access_log_ = std::move(prepared.access_log);
  }
  auto update = std::make_shared<proxy::Proxy::Update>();
  update->upstreams = options_.upstreams;
  update->consul_dns = options_.consul_dns;
  update->access_log = access_log_.get();
  update->log_tries = options_.log.level == LogLevel::kDebug;
  update->max_clients = std::min(options_.max_clients, workers_->carried());
  update->seeds = co_await change_state(plan, prepared);
  change_admin(plan, prepared);
  checks_->set_upstreams(options_.upstreams);
  auto applying = workers_->apply(std::move(update), options_.consul_http,
                                  std::move(prepared.listeners), kApplied);
  const bool applied = co_await std::move(applying);
  if (applied) {
    former_access_logs_.clear();
  } else {
    logger_.warn("reload: a worker has not applied it within 5 s; it will when it comes to it", {});
  }
  if (plan.agent_changed) {
    watches_->set_options(options_.consul_http);
  }
  watches_->set_desired(watched_services(options_.upstreams));
  if (!draining_) {
    change_registrar(former);
  }
  store_.counter(metrics::kConfigReloads, {"ok"})->add();
  reload_notes_.clear();
  for (const auto& path : plan.restart) {
    logger_.warn("reload: needs a restart to take effect", {{"what", path}});
    reload_notes_.push_back("the file has another value for " + path +
                            ", which takes effect with a restart");
  }
  logger_.info("reloaded", {{"what", describe_plan(plan)}, {"file", file_}});
}

void Supervisor::change_admin(const ReloadPlan& plan, Prepared& prepared) {
  if (!plan.admin_changed) {
    return;
  }
  const bool moved = prepared.admin || !options_.admin.listen;
  if (!moved) {
    if (admin_) {
      admin_->set_any_host(options_.admin.is_public);
    }
    return;
  }
  former_admin_ = std::move(admin_);
  if (former_admin_) {
    former_admin_->finish();
  }
  admin_endpoint_.reset();
  if (prepared.admin) {
    make_admin(std::move(*prepared.admin));
    admin_->start();
  }
}

void Supervisor::change_registrar(const std::vector<registry::Announcement>& former) {
  registrar_->set_registries(options_.consul_http, options_.etcd);
  registrar_->set_admin(admin_endpoint_);
  registrar_->set_desired(options_.announcements);
  for (const auto& gone : former) {
    const auto& wanted = options_.announcements;
    if (std::ranges::find(wanted, gone.name, &registry::Announcement::name) == wanted.end()) {
      store_.retire("service", gone.name, Clock::now());
    }
  }
}

net::Awaitable<std::string> Supervisor::lock_state(const ReloadPlan& plan, Prepared& prepared) {
  const auto& directory = plan.after.state_dir;
  prepared.state_lock = state_lock_;
  if (directory == options_.state_dir) {
    co_return std::string();
  }
  prepared.state_lock.reset();
  if (directory.empty()) {
    co_return std::string();
  }
  const auto taken = std::make_shared<StateLock::Taken>();
  DiskThread disk;
  disk.run([taken, directory, held = state_lock_] { *taken = StateLock::take(directory, held); });
  const bool answered = co_await disk.wait(io_.get_executor(), Clock::now() + kDiskPatience);
  if (!answered) {
    co_return "state_dir: " + directory + " does not answer";
  }
  prepared.state_lock = taken->lock;
  co_return taken->in_use ? taken->problem : std::string();
}

net::Awaitable<std::vector<proxy::Proxy::Seed>> Supervisor::change_state(const ReloadPlan& plan,
                                                                         const Prepared& prepared) {
  std::vector<proxy::Proxy::Seed> seeds;
  if (!plan.state_changed) {
    co_return seeds;
  }
  if (const auto former = std::move(state_)) {
    former->finish(Clock::now());
    (void)co_await former->wait(io_.get_executor(), Clock::now() + kDiskPatience);
  }
  state_lock_ = prepared.state_lock;
  if (options_.state_dir.empty() || draining_) {
    co_return seeds;
  }
  seeds = co_await load_state();
  if (!keeping_state_) {
    keeping_state_ = true;
    asio::co_spawn(io_, keep_state(), asio::detached);
  }
  co_return seeds;
}

}  // namespace pilotfish::app
