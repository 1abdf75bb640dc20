#pragma once

#include <boost/asio/signal_set.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/access_log.hpp"
#include "app/admin_server.hpp"
#include "app/cause_finder.hpp"
#include "app/file_watch.hpp"
#include "app/logger.hpp"
#include "app/service_manager.hpp"
#include "app/startup.hpp"
#include "app/state_store.hpp"
#include "app/workers.hpp"
#include "config/root_options.hpp"
#include "core/log.hpp"
#include "metrics/store.hpp"
#include "net/asio.hpp"
#include "net/notifier.hpp"
#include "proxy/health_checks.hpp"
#include "registry/consul_watches.hpp"
#include "registry/registrar.hpp"

namespace pilotfish::app {

/// The composition root: owns the main thread's loop (admin, registration, signals, reload) and
/// the workers. Everything is bound already when it is built.
/// Ownership: `logger` and `screen` outlive it. Thread-safety: none; the main thread's.
class Supervisor final : public AdminSource {
 public:
  /// `screen` takes the start screen and lines that must get out; it never blocks.
  Supervisor(std::string file, config::RootOptions options, Bound bound, SpdLogger& logger,
             LineWriter& screen);
  ~Supervisor() override;

  /// Before run(): reloads whenever the file has another content than `known`.
  void watch_file(FileStamp known);
  /// Until a signal ended it; gives the exit code.
  int run();

  net::Awaitable<MergedStatus> status() override;
  net::Awaitable<MergedStatus> summary() override;
  net::Awaitable<std::string> metrics() override;
  std::string config() override;
  std::string not_ready() const override;

 private:
  net::Awaitable<void> start();
  net::Awaitable<void> watch_signals();
  net::Awaitable<void> drain();
  net::Awaitable<void> keep_state();
  net::Awaitable<void> update_state(Duration limit);
  net::Awaitable<std::vector<proxy::Proxy::Seed>> load_state();
  net::Awaitable<void> finish_state();
  void make_admin(BoundListener bound);
  void make_registrar();
  void make_watches();
  void make_checks();

  // supervisor_reload.cpp
  /// What a reload needs and may not get: all of it is there before anything changes.
  struct Prepared {
    std::vector<UpstreamListener> listeners;
    std::optional<BoundListener> admin;
    std::unique_ptr<QueuedAccessLog> access_log;
    std::shared_ptr<const StateLock> state_lock;
  };
  void ask_for_reload();
  net::Awaitable<void> reload();
  net::Awaitable<void> reload_once();
  [[nodiscard]] Prepared prepare(const ReloadPlan& plan);
  net::Awaitable<void> apply(ReloadPlan plan, Prepared prepared);
  void change_registrar(const std::vector<registry::Announcement>& former);
  void change_admin(const ReloadPlan& plan, Prepared& prepared);
  /// What keeps another state_dir from being used, for `prepared`; empty where nothing does.
  net::Awaitable<std::string> lock_state(const ReloadPlan& plan, Prepared& prepared);
  net::Awaitable<std::vector<proxy::Proxy::Seed>> change_state(const ReloadPlan& plan,
                                                               const Prepared& prepared);
  void reload_refused(const char* result, std::vector<std::string> problems);
  void show_start_screen(const MergedStatus& status);
  void on_registration(const std::string& service, bool up);
  void fail(const std::string& what);

  std::string file_;
  config::RootOptions options_;
  SpdLogger& logger_;
  LineWriter& screen_;
  net::IoContext io_{1};
  metrics::Store store_;
  std::unique_ptr<QueuedAccessLog> access_log_;
  Bound bound_;
  std::vector<UpstreamListener> listening_;  ///< where; the sockets are the workers'
  std::vector<std::string> listens_;
  std::optional<Endpoint> admin_endpoint_;
  std::unique_ptr<WorkerGroup> workers_;
  CauseFinder causes_;
  std::unique_ptr<registry::Registrar> registrar_;
  std::unique_ptr<registry::ConsulWatches> watches_;
  std::unique_ptr<proxy::HealthChecks> checks_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<AdminServer> former_admin_;  ///< moved; finishes its answers
  std::vector<std::unique_ptr<QueuedAccessLog>> former_access_logs_;  ///< a worker may still write
  std::shared_ptr<StateStore> state_;                                 // none without state_dir
  std::shared_ptr<const StateLock> state_lock_;
  net::Timer state_timer_{io_};
  std::optional<FileWatch> file_watch_;
  ServiceManager service_manager_;
  boost::asio::basic_signal_set<net::Executor> signals_{io_};
  net::Notifier registrar_stopped_{io_.get_executor()};
  bool registrar_started_ = false;
  bool started_ = false;
  bool draining_ = false;
  bool reload_wanted_ = false;
  bool reloading_ = false;
  bool keeping_state_ = false;
  std::vector<std::string> reload_notes_;  ///< of the last reload, for /config
  int drain_signal_ = 0;
  int exit_code_ = 0;
};

}  // namespace pilotfish::app
