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

/// What stays the same while an announcement changes in place.
std::string identity_of(const Announcement& announcement) {
  return std::string(announcement.in == RegisterIn::kEtcd ? "etcd" : "consul") + '\n' +
         announcement.name + '\n' + announcement.address + '\n' +
         std::to_string(announcement.port) + '\n' + announcement.srv;
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
      : context(std::make_shared<RegistrarContext>(RegistrarContext{io.get_executor(),
                                                                    std::move(options),
                                                                    Random(std::random_device{}()),
                                                                    &logger,
                                                                    false,
                                                                    {},
                                                                    {}})),
        agent(std::make_shared<ConsulAgent>(context)),
        etcd(std::make_shared<EtcdClient>(context)),
        on_state(std::move(on_state_change)),
        gone(io.get_executor()) {
    context->report = [this](const std::string& identity, bool up) { report(identity, up); };
    context->gone = [this](const std::string& identity) { forget(identity); };
  }

  std::shared_ptr<Entry> make_entry(const Announcement& announcement, const std::string& identity) {
    if (announcement.in == RegisterIn::kEtcd) {
      return std::make_shared<EtcdEntry>(context, etcd, identity);
    }
    return std::make_shared<ConsulEntry>(context, agent, identity);
  }

  /// By identity; `self` is filled in, what cannot be announced is left out with a message.
  std::map<std::string, Announcement> resolve(const std::vector<Announcement>& wanted,
                                              bool one_shot) const {
    std::map<std::string, Announcement> out;
    for (auto announcement : wanted) {
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
    const auto wanted = resolve(desired, false);
    for (auto& [identity, slot] : slots) {
      if (slot.wanted && !wanted.contains(identity)) {
        slot.wanted = false;
        slot.up = false;
        slot.entry->withdraw(std::nullopt);
      }
    }
    for (const auto& [identity, announcement] : wanted) {
      const auto found = slots.find(identity);
      if (found == slots.end()) {
        launch(identity, announcement);
      } else if (!found->second.wanted || found->second.announcement != announcement) {
        found->second.wanted = true;
        found->second.announcement = announcement;
        found->second.entry->want(announcement);
      }
    }
    tell();
  }

  void launch(const std::string& identity, const Announcement& announcement) {
    auto entry = make_entry(announcement, identity);
    slots[identity] = Slot{entry, announcement, true, false};
    entry->want(announcement);
    net::asio::co_spawn(
        context->executor,
        [entry, identity, shared = context]() -> net::Awaitable<void> {
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
    tell();
    gone.notify_all();
  }

  /// Tells on_state what changed since it was last told.
  void tell() {
    std::map<std::string, bool> now;
    for (const auto& [identity, slot] : slots) {
      auto& up = now.try_emplace(slot.announcement.name, true).first->second;
      up = up && slot.up;
    }
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
  }

  net::Awaitable<bool> once(bool announce, TimePoint deadline);

  std::shared_ptr<RegistrarContext> context;
  std::shared_ptr<ConsulAgent> agent;
  std::shared_ptr<EtcdClient> etcd;
  std::function<void(const std::string&, bool)> on_state;
  net::Notifier gone;
  std::vector<Announcement> desired;
  std::map<std::string, Slot> slots;
  std::map<std::string, bool> told;
  bool started = false;
};

Registrar::Registrar(net::IoContext& io, RegistrarOptions options, Logger& logger,
                     std::function<void(const std::string&, bool)> on_state)
    : impl_(std::make_unique<Impl>(io, std::move(options), logger, std::move(on_state))) {}

Registrar::~Registrar() {
  auto& context = *impl_->context;
  context.closing = true;
  context.logger = nullptr;
  context.report = nullptr;
  context.gone = nullptr;
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

void Registrar::set_consul_token(std::string token) {
  impl_->context->options.consul.token = std::move(token);
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

net::Awaitable<bool> Registrar::Impl::once(bool announce, TimePoint deadline) {
  bool all = true;
  const auto wanted = resolve(desired, true);
  for (const auto& [key, announcement] : wanted) {
    const auto entry = make_entry(announcement, key);
    bool done = false;
    // One registry that hangs must leave time for the others.
    const auto limit = std::min(deadline, Clock::now() + 2 * kRequestTimeout);
    if (announce) {
      done = co_await entry->register_once(announcement, limit);
    } else {
      done = co_await entry->deregister_once(announcement, limit);
    }
    all = all && done;
  }
  co_return all;
}

net::Awaitable<bool> Registrar::register_once(TimePoint deadline) {
  return impl_->once(true, deadline);
}

net::Awaitable<bool> Registrar::deregister_once(TimePoint deadline) {
  return impl_->once(false, deadline);
}

}  // namespace pilotfish::registry
