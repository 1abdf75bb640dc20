#include "registry/registrar.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <map>
#include <random>

#include "net/notifier.hpp"
#include "registry/consul_entry.hpp"
#include "registry/etcd_entry.hpp"
#include "registry/self.hpp"

namespace pilotfish::registry {
namespace {

/// Two of these may have one id, whatever the file says of the address.
bool may_be_one(const Announcement& one, const Announcement& other) {
  return one.in == other.in && one.name == other.name && one.port == other.port;
}

/// One registry that hangs must leave time for the others.
TimePoint one_of_several(TimePoint deadline) {
  return std::min(deadline, Clock::now() + 2 * kRequestTimeout);
}

/// 64 random bits: no two processes draw the same.
std::string draw_owner() {
  std::random_device random;
  std::string out;
  for (int i = 0; i < 16; ++i) {
    out += "0123456789abcdef"[random() % 16];
  }
  return out;
}

}  // namespace

struct Registrar::Impl {
  struct Slot {
    std::shared_ptr<Entry> entry;
    Announcement announcement;
    bool wanted = true;
    bool up = false;
  };

  Impl(net::IoContext& io, RegistrarOptions options, Logger& logger,
       std::function<void(const std::string&, bool)> on_state_change)
      : context(make_context(io.get_executor(), std::move(options), logger)),
        consul_context(make_context(io.get_executor(), context->options, logger)),
        etcd_context(make_context(io.get_executor(), context->options, logger)),
        agent(std::make_shared<ConsulAgent>(consul_context)),
        etcd(std::make_shared<EtcdClient>(etcd_context)),
        on_state(std::move(on_state_change)),
        gone(io.get_executor()) {}

  /// One for each place of a registry: what is still being withdrawn keeps the one it began with.
  std::shared_ptr<RegistrarContext> make_context(net::Executor executor, RegistrarOptions options,
                                                 Logger& logger) {
    auto made = std::make_shared<RegistrarContext>(RegistrarContext{executor,
                                                                    std::move(options),
                                                                    Random(std::random_device{}()),
                                                                    &logger,
                                                                    false,
                                                                    {},
                                                                    {},
                                                                    owner});
    made->report = [this](const std::string& identity, bool up) { report(identity, up); };
    made->gone = [this](const std::string& identity) { forget(identity); };
    std::erase_if(contexts, [](const auto& held) { return held.expired(); });
    contexts.push_back(made);
    return made;
  }

  std::shared_ptr<Entry> make_entry(const Announcement& announcement, const std::string& identity) {
    if (announcement.in == RegisterIn::kEtcd) {
      return std::make_shared<EtcdEntry>(etcd_context, etcd, identity);
    }
    return std::make_shared<ConsulEntry>(consul_context, agent, identity);
  }

  /// What stays the same while an announcement changes in place.
  [[nodiscard]] std::string identity_of(const Announcement& announcement) const {
    return (announcement.in == RegisterIn::kEtcd ? "etcd" + std::to_string(etcd_moves)
                                                 : "consul" + std::to_string(consul_moves)) +
           '\n' + announcement.name + '\n' + announcement.address + '\n' +
           std::to_string(announcement.port) + '\n' + announcement.srv;
  }

  void set_registries(ConsulHttp consul, EtcdOptions etcd_options) {
    auto& options = context->options;
    const bool consul_moved = options.consul.url != consul.url;
    const bool etcd_moved = options.etcd != etcd_options;
    options.consul = std::move(consul);
    options.etcd = std::move(etcd_options);
    if (consul_moved) {
      leave(RegisterIn::kConsul);
      ++consul_moves;
      consul_context = make_context(context->executor, options, *context->logger);
      agent = std::make_shared<ConsulAgent>(consul_context);
    } else {
      consul_context->options.consul.token = options.consul.token;
    }
    if (etcd_moved) {
      leave(RegisterIn::kEtcd);
      ++etcd_moves;
      etcd_context = make_context(context->executor, options, *context->logger);
      etcd = std::make_shared<EtcdClient>(etcd_context);
    }
  }

  /// Withdraws what is in that registry; what is wanted again is launched when it is gone.
  void leave(RegisterIn registry) {
    for (auto& [identity, slot] : slots) {
      if (slot.announcement.in == registry) {
        slot.wanted = false;
        slot.up = false;
        slot.entry->withdraw(Clock::now() + kBackoffMax);
      }
    }
  }

  /// By identity; `self` is filled in, what cannot be announced is left out with a message.
  std::map<std::string, Announcement> resolve(const std::vector<Announcement>& entries,
                                              bool one_shot) const {
    std::map<std::string, Announcement> out;
    for (auto announcement : entries) {
      if (announcement.name.empty()) {
        announcement.name = announcement.key;
      }
      if (announcement.self && one_shot) {
        context->log(LogLevel::kInfo, "left out: only a running sidecar announces itself",
                     {{"service", announcement.name}});
        continue;
      }
      if (announcement.self && !context->options.admin) {
        context->log(LogLevel::kError, "not registered: `self` needs the admin port, which is off",
                     {{"service", announcement.name}});
        continue;
      }
      if (announcement.self) {
        auto self = fill_self(std::move(announcement), *context->options.admin);
        announcement = std::move(self.announcement);
        if (!self.warning.empty() && !slots.contains(identity_of(announcement))) {
          context->log(LogLevel::kWarn, self.warning, {{"service", announcement.name}});
        }
      }
      const auto identity = identity_of(announcement);
      if (!out.try_emplace(identity, announcement).second) {
        context->log(LogLevel::kError,
                     "left out: another entry has the same name, address and port",
                     {{"entry", announcement.key}});
      }
    }
    return out;
  }

  void apply() {
    wanted = resolve(desired, false);
    for (auto& [identity, slot] : slots) {
      if (slot.wanted && !wanted.contains(identity)) {
        slot.wanted = false;
        slot.up = false;
        slot.entry->withdraw(std::nullopt);
      }
    }
    for (const auto& [identity, announcement] : wanted) {
      const auto found = slots.find(identity);
      if (found != slots.end() &&
          (!found->second.wanted || found->second.announcement != announcement)) {
        found->second.wanted = true;
        found->second.announcement = announcement;
        found->second.entry->want(announcement);
      }
    }
    launch_missing();
    tell();
  }

  /// One with the id of another that is on its way out would be withdrawn with it: it waits.
  void launch_missing() {
    for (const auto& [identity, announcement] : wanted) {
      const bool waits = std::ranges::any_of(slots, [&wish = announcement](const auto& slot) {
        return !slot.second.wanted && may_be_one(slot.second.announcement, wish);
      });
      if (!waits && !slots.contains(identity)) {
        launch(identity, announcement);
      }
    }
  }

  void launch(const std::string& identity, const Announcement& announcement) {
    auto entry = make_entry(announcement, identity);
    slots[identity] = Slot{entry, announcement, true, false};
    entry->want(announcement);
    net::asio::co_spawn(
        context->executor,
        [entry, identity,
         shared = announcement.in == RegisterIn::kEtcd ? etcd_context
                                                       : consul_context]() -> net::Awaitable<void> {
          co_await entry->run();
          if (shared->gone) {
            shared->gone(identity);
          }
        },
        net::asio::detached);
  }

  void report(const std::string& identity, bool up) {
    if (const auto found = slots.find(identity); found != slots.end()) {
      found->second.up = up && found->second.wanted;
      tell();
    }
  }

  void forget(const std::string& identity) {
    slots.erase(identity);
    if (started) {
      launch_missing();
    }
    tell();
    gone.notify_all();
  }

  /// Tells on_state what changed since it was last told.
  void tell() {
    std::map<std::string, bool> now;
    for (const auto& [identity, announcement] : wanted) {
      const auto slot = slots.find(identity);
      auto& up = now.try_emplace(announcement.name, true).first->second;
      up = up && slot != slots.end() && slot->second.up;
    }
    const auto names = now;
    for (auto& [name, up] : told) {
      now.try_emplace(name, false);
    }
    for (const auto& [name, up] : now) {
      const auto [entry, fresh] = told.try_emplace(name, up);
      if (fresh || entry->second != up) {
        entry->second = up;
        if (on_state) {
          on_state(name, up);
        }
      }
    }
    std::erase_if(told, [&names](const auto& entry) { return !names.contains(entry.first); });
  }

  net::Awaitable<bool> register_once(TimePoint deadline);
  net::Awaitable<Withdrawal> deregister_once(TimePoint deadline);
  net::Awaitable<bool> any_returned(std::vector<std::shared_ptr<Entry>> entries);

  const std::string owner = draw_owner();
  std::vector<std::weak_ptr<RegistrarContext>> contexts;  ///< all that something still runs with
  std::shared_ptr<RegistrarContext> context;              ///< the registrar's own
  std::shared_ptr<RegistrarContext> consul_context;
  std::shared_ptr<RegistrarContext> etcd_context;
  int consul_moves = 0;
  int etcd_moves = 0;
  std::shared_ptr<ConsulAgent> agent;
  std::shared_ptr<EtcdClient> etcd;
  std::function<void(const std::string&, bool)> on_state;
  net::Notifier gone;
  std::vector<Announcement> desired;
  std::map<std::string, Announcement> wanted;  ///< what became of `desired`
  std::map<std::string, Slot> slots;
  std::map<std::string, bool> told;
  bool started = false;
};

Registrar::Registrar(net::IoContext& io, RegistrarOptions options, Logger& logger,
                     std::function<void(const std::string&, bool)> on_state)
    : impl_(std::make_unique<Impl>(io, std::move(options), logger, std::move(on_state))) {}

Registrar::~Registrar() {
  for (const auto& held : impl_->contexts) {
    if (const auto context = held.lock()) {
      context->closing = true;
      context->logger = nullptr;
      context->report = nullptr;
      context->gone = nullptr;
    }
  }
  for (auto& [identity, slot] : impl_->slots) {
    slot.entry->wake();
  }
}

void Registrar::set_desired(std::vector<Announcement> announcements) {
  impl_->desired = std::move(announcements);
  if (impl_->started) {
    impl_->apply();
  }
}

void Registrar::set_admin(std::optional<Endpoint> admin) {
  impl_->context->options.admin = admin;
}

void Registrar::set_registries(ConsulHttp consul, EtcdOptions etcd) {
  impl_->set_registries(std::move(consul), std::move(etcd));
}

void Registrar::start() {
  impl_->started = true;
  impl_->apply();
}

net::Awaitable<void> Registrar::stop(TimePoint deadline) {
  impl_->started = false;
  const auto give_up = std::min(deadline, Clock::now() + kBackoffMax);
  for (auto& [identity, slot] : impl_->slots) {
    slot.wanted = false;
    slot.entry->withdraw(give_up);
  }
  while (!impl_->slots.empty() && Clock::now() < deadline) {
    (void)co_await impl_->gone.wait_until(deadline);
  }
}

net::Awaitable<bool> Registrar::Impl::register_once(TimePoint deadline) {
  bool all = true;
  const auto entries = resolve(desired, true);
  for (const auto& [key, announcement] : entries) {
    const auto entry = make_entry(announcement, key);
    const bool done = co_await entry->register_once(announcement, one_of_several(deadline));
    all = all && done;
  }
  co_return all;
}

net::Awaitable<Registrar::Withdrawal> Registrar::Impl::deregister_once(TimePoint deadline) {
  bool all = true;
  std::vector<std::shared_ptr<Entry>> withdrawn;
  const auto entries = resolve(desired, true);
  for (const auto& [key, announcement] : entries) {
    const auto entry = make_entry(announcement, key);
    const bool done = co_await entry->deregister_once(announcement, one_of_several(deadline));
    all = all && done;
    if (done && entry->may_return()) {
      withdrawn.push_back(entry);
    }
  }
  const bool back = co_await any_returned(std::move(withdrawn));
  co_return back ? Withdrawal::kReturned : all ? Withdrawal::kDone : Withdrawal::kFailed;
}

net::Awaitable<bool> Registrar::Impl::any_returned(std::vector<std::shared_ptr<Entry>> entries) {
  constexpr Duration kEvery = std::chrono::milliseconds(250);
  const auto until = Clock::now() + kLookAgain;
  bool any = false;
  net::Timer timer(context->executor);
  while (!entries.empty() && Clock::now() < until) {
    timer.expires_after(kEvery);
    (void)co_await timer.async_wait(net::kTuple);
    for (auto entry = entries.begin(); entry != entries.end();) {
      const bool back = co_await (*entry)->returned(until);
      any = any || back;
      entry = back ? entries.erase(entry) : entry + 1;
    }
  }
  co_return any;
}

net::Awaitable<bool> Registrar::register_once(TimePoint deadline) {
  return impl_->register_once(deadline);
}

net::Awaitable<Registrar::Withdrawal> Registrar::deregister_once(TimePoint deadline) {
  return impl_->deregister_once(deadline);
}

}  // namespace pilotfish::registry
