#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/log.hpp"
#include "core/random.hpp"
#include "http/client.hpp"
#include "net/asio.hpp"
#include "net/notifier.hpp"
#include "registry/consul_listing.hpp"
#include "registry/consul_watch_plan.hpp"
#include "registry/options.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::registry {

/// What the watchers of a process share. They may outlive their owner by one step of the loop: then
/// `logger` and `publish` are gone.
struct WatcherContext {
  net::Executor executor;
  ConsulHttp options;
  std::optional<http::ClientTarget> target;
  Random random;
  Logger* logger = nullptr;
  std::function<void(const resolver::WatchKey&, resolver::WatchStatePtr)> publish;
  TimePoint heard{};  ///< when the agent last answered anything
  bool only_passing = false;
  /// The agent refused a connection because there are too many.
  std::function<void()> crowded = nullptr;
  /// A watch that had failed is back: the agent may be another one.
  std::function<void()> back = nullptr;
};

/// Keeps one blocking query on /v1/health/service/NAME?stale as WatchPlan says, and publishes what
/// comes of it: whole, valid answers alone (judge_listing()); and that the watch failed, once. A
/// service that has instances with a host name as address is left to DNS, which resolves them, and
/// watched on. Each change between serving, failed, polled and left to DNS is logged once.
/// Thread-safety: none; one executor.
class ConsulWatcher : public std::enable_shared_from_this<ConsulWatcher> {
 public:
  /// Where nothing but times changed, workers hear of it this often at most.
  static constexpr Duration kConfirmEvery = std::chrono::seconds(1);

  ConsulWatcher(std::shared_ptr<WatcherContext> context, resolver::WatchKey key);

  void start();
  void stop();

  /// The agent takes connections but answers nothing: fails now, and asks no more until
  /// agent_answers().
  void agent_hangs(const std::string& problem);
  void agent_answers();
  /// The context's options changed.
  void begin_anew();
  /// What answers mean has changed: the service is asked for at once.
  void look_again();

 private:
  static net::Awaitable<void> run(std::shared_ptr<ConsulWatcher> self);
  net::Awaitable<void> ask();
  [[nodiscard]] http::ClientRequest request_for(const WatchPlan::Query& query) const;
  void take(const WatchPlan::Query& query, TimePoint asked, const http::ClientResult& result);
  void take_listing(resolver::WatchState state, HealthListing listing);
  void take_setback(const ListingJudgement& judgement, const http::ClientResult& result,
                    Duration took);
  void fail(LookupResult failure, const std::string& problem, Duration took, bool quiet = false);
  void say_what_is_odd(const HealthListing& listing);
  void blocking_works();
  void publish(resolver::WatchState state);

  std::shared_ptr<WatcherContext> context_;
  resolver::WatchKey key_;
  std::string path_;
  WatchPlan plan_;
  net::Notifier changed_;
  std::shared_ptr<http::ClientCancel> cancel_;
  resolver::WatchStatePtr last_;
  std::shared_ptr<const InstanceList> instances_;  // of the last answer that was believed
  std::shared_ptr<const std::vector<resolver::InstanceDetail>> details_;  // the same
  std::size_t named_ = 0;    // its instances with a host name
  std::size_t skipped_ = 0;  // and those that cannot be used at all
  std::string leader_note_;  // of the last answer of a server
  std::optional<TimePoint> failed_at_;
  bool failed_quietly_ = false;
  bool polled_ = false;  // blocking queries fail alone
  bool hangs_ = false;
  bool over_ = false;
};

}  // namespace pilotfish::registry
