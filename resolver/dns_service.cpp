#include "resolver/dns_service.hpp"

#include <algorithm>

namespace pilotfish::resolver {
namespace {

std::string key_of(const std::vector<Endpoint>& servers) {
  std::string out;
  for (const auto& server : servers) {
    out += server.to_string() + ",";
  }
  return out;
}

}  // namespace

std::shared_ptr<CaresChannel> DnsService::Impl::channel(const std::vector<Endpoint>& servers,
                                                        Duration timeout, bool tcp) {
  auto& entry =
      channels_[key_of(servers) + std::to_string(timeout.count()) + (tcp ? " tcp" : " udp")];
  auto found = entry.lock();
  if (!found) {
    found = std::make_shared<CaresChannel>(executor_, ChannelOptions{servers, timeout, tcp});
    entry = found;
  }
  return found;
}

std::shared_ptr<LookupName> DnsService::Impl::name(const Source& source, const TierName& tier_name,
                                                   const LookupOptions& options) {
  LookupPlan plan{tier_name, options.timeout, {}, {}};
  std::vector<Endpoint> servers;
  if (const auto* consul = std::get_if<ConsulSource>(&source)) {
    servers = {consul_.server};
    plan.consul_domain = lower_case(consul_.domain);
    plan.source = *consul;
    plan.source->datacenter = tier_name.datacenter;
  } else if (const auto* srv = std::get_if<SrvSource>(&source)) {
    servers = srv->servers;
  } else if (const auto* hosts = std::get_if<HostsSource>(&source)) {
    servers = hosts->servers;
  }
  std::erase_if(names_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(channels_, [](const auto& entry) { return entry.second.expired(); });
  const auto per_second = static_cast<double>(options.max_rate) / worker_count_;
  NameTransport transport{channel(servers, options.timeout, false),
                          channel(servers, options.timeout, true)};
  const auto kind = plan.source           ? std::string(" consul ")
                    : tier_name.port != 0 ? " host " + std::to_string(tier_name.port) + " "
                                          : std::string(" srv ");
  auto& entry = names_[key_of(servers) + kind + lower_case(tier_name.text)];
  auto found = entry.lock();
  if (found) {
    found->join(per_second, options.timeout, std::move(transport));
  } else {
    found = std::make_shared<LookupName>(executor_, std::move(plan), std::move(transport),
                                         per_second, logger_, completer_, background_);
    entry = found;
  }
  return found;
}

void DnsService::Impl::attach(const WatchKey& key, const std::shared_ptr<WatchUser>& user) {
  std::erase_if(watched_, [](const auto& entry) {
    return !entry.second.state &&
           std::ranges::all_of(entry.second.users, [](const auto& one) { return one.expired(); });
  });
  watched_[key].users.push_back(user);
}

void DnsService::Impl::push(const WatchKey& key, WatchStatePtr state) {
  auto& watched = watched_[key];
  watched.state = state;
  std::erase_if(watched.users, [](const auto& user) { return user.expired(); });
  const auto users = watched.users;  // a hook may stop a resolver
  if (!state && users.empty()) {
    watched_.erase(key);
  }
  for (const auto& entry : users) {
    if (const auto user = entry.lock()) {
      user->on_watch(state);
    }
  }
}

void DnsService::Impl::forget_limits() {
  for (const auto& entry : names_) {
    if (const auto held = entry.second.lock()) {
      held->forget_limits();
    }
  }
}

WatchStatePtr DnsService::Impl::watched(const WatchKey& key) const {
  const auto found = watched_.find(key);
  return found == watched_.end() ? nullptr : found->second.state;
}

void DnsService::Impl::close() {
  for (const auto& entry : channels_) {
    if (const auto held = entry.second.lock()) {
      held->close();
    }
  }
}

DnsService::DnsService(net::IoContext& io, ConsulDns consul, std::uint32_t worker_count,
                       Logger& logger, Completer* completer, std::uint64_t /*seed*/,
                       Background* background)
    : impl_(std::make_shared<Impl>(io.get_executor(), std::move(consul), worker_count, logger,
                                   completer, background)) {}

void DnsService::push(const WatchKey& key, WatchStatePtr state) {
  impl_->push(key, std::move(state));
}

void DnsService::begin_reload(ConsulDns consul) {
  impl_->set_consul(std::move(consul));
  impl_->forget_limits();
}

DnsService::~DnsService() {
  impl_->close();
}

}  // namespace pilotfish::resolver
