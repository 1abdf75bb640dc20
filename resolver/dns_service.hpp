#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "resolver/lookup_name.hpp"
#include "resolver/service_resolver.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::resolver {

/// Whoever wants to know each state of a watched service.
class WatchUser {
 public:
  virtual ~WatchUser() = default;
  virtual void on_watch(const WatchStatePtr& state) = 0;
};

/// The names, channels and watched services of one worker. Thread-safety: none; one executor.
class DnsService::Impl {
 public:
  Impl(net::Executor executor, ConsulDns consul, std::uint32_t worker_count, Logger& logger,
       Completer* completer, Background* background)
      : executor_(executor),
        consul_(std::move(consul)),
        worker_count_(worker_count == 0 ? 1 : worker_count),
        logger_(logger),
        completer_(completer),
        background_(background) {}
  ~Impl() { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// The name that is already there for these servers, or a new one.
  [[nodiscard]] std::shared_ptr<LookupName> name(const Source& source, const TierName& tier_name,
                                                 const LookupOptions& options);

  /// `user` hears of each state of that service from now on.
  void attach(const WatchKey& key, const std::shared_ptr<WatchUser>& user);
  void push(const WatchKey& key, WatchStatePtr state);
  /// The newest state; null where there is none.
  [[nodiscard]] WatchStatePtr watched(const WatchKey& key) const;
  void set_consul(ConsulDns consul) { consul_ = std::move(consul); }
  void forget_limits();

  /// Ends every question in flight.
  void close();

  [[nodiscard]] const ConsulDns& consul() const { return consul_; }
  [[nodiscard]] net::Executor executor() const { return executor_; }
  [[nodiscard]] Background* background() const { return background_; }

 private:
  [[nodiscard]] std::shared_ptr<CaresChannel> channel(const std::vector<Endpoint>& servers,
                                                      Duration timeout, bool tcp);

  net::Executor executor_;
  ConsulDns consul_;
  std::uint32_t worker_count_;
  Logger& logger_;
  Completer* completer_;
  Background* background_;
  struct Watched {
    WatchStatePtr state;
    std::vector<std::weak_ptr<WatchUser>> users;
  };
  std::map<WatchKey, Watched> watched_;
  std::map<std::string, std::weak_ptr<LookupName>> names_;
  std::map<std::string, std::weak_ptr<CaresChannel>> channels_;
};

}  // namespace pilotfish::resolver
