// A reload, as one worker sees it.
#include <algorithm>
#include <unistd.h>

#include "proxy/proxy_impl.hpp"

namespace pilotfish::proxy {

void Proxy::apply(const Update& update, std::vector<Listener> listeners) {
  auto& worker = *impl_->worker;
  if (worker.draining) {
    for (const auto& listener : listeners) {
      if (listener.descriptor >= 0) {
        ::close(listener.descriptor);
      }
    }
    return;  // it is too late for new things
  }
  worker.shared.access_log = update.access_log;
  worker.shared.log_tries = update.log_tries;
  impl_->share_max_clients(update.max_clients);
  impl_->change_upstreams(update);
  impl_->change_intakes(listeners);
  for (auto it = worker.sessions.begin(); it != worker.sessions.end();) {
    auto& session = *it++;
    session.leave();
  }
  worker.room.notify_all();  // max_clients may have grown
}

void Proxy::Impl::change_upstreams(const Update& update) {
  const bool registry_changed = worker->shared.consul_dns != update.consul_dns;
  worker->shared.consul_dns = update.consul_dns;
  dns->begin_reload(update.consul_dns);
  std::vector<std::shared_ptr<Upstream>> next;
  for (const auto& options : update.upstreams) {
    const auto named = [&options](const auto& upstream) {
      return upstream->options().name == options.name;
    };
    std::shared_ptr<Upstream> known;
    // One that is still leaving comes back with all it knows.
    for (auto* list : {&upstreams, &leaving}) {
      const auto found = std::ranges::find_if(*list, named);
      if (found != list->end() && !known) {
        known = *found;
        list->erase(found);
      }
    }
    if (!known) {
      next.push_back(add_upstream(options, update.seeds));
      continue;
    }
    const bool asks_consul = std::holds_alternative<resolver::ConsulSource>(options.source);
    known->reconfigure(options, registry_changed && asks_consul);
    next.push_back(std::move(known));
  }
  for (auto& removed : upstreams) {
    removed->leave();
    leaving.push_back(std::move(removed));
  }
  upstreams = std::move(next);
  for (const auto* list : {&upstreams, &leaving}) {
    for (const auto& upstream : *list) {
      upstream->join_lookups_again();
    }
  }
}

void Proxy::Impl::change_intakes(const std::vector<Listener>& wanted) {
  // First those that stay or begin: an upstream whose address moves is never without one.
  for (const auto& listener : wanted) {
    if (listener.descriptor >= 0) {
      listen(listener);
      continue;
    }
    const auto intake = std::ranges::find(intakes, listener.id, &Intake::id);
    const auto upstream = std::ranges::find_if(upstreams, [&listener](const auto& one) {
      return one->options().name == listener.upstream;
    });
    if (intake == intakes.end() || upstream == upstreams.end()) {
      continue;
    }
    const auto protocol = (*upstream)->options().protocol;
    if (intake->routes->expected() == *upstream && intake->protocol == protocol) {
      continue;
    }
    intake->routes->retire();
    intake->routes = std::make_shared<RouteTable>(*upstream);
    intake->protocol = protocol;
    intake->listener->redirect(acceptor_for(intake->routes));
  }
  std::erase_if(intakes, [this, &wanted](const Intake& intake) {
    if (std::ranges::find(wanted, intake.id, &Listener::id) != wanted.end()) {
      return false;
    }
    intake.routes->retire();
    const auto& upstream = intake.routes->expected();
    ++upstream->arriving;  // it may be leaving: not before its last connections came
    // The upstream needs its worker to the end: captured first, it goes last.
    intake.listener->finish([worker = worker, upstream] { --upstream->arriving; });
    return true;
  });
}

void Proxy::Impl::drop_unused(TimePoint now) {
  std::erase_if(leaving, [this, now](const auto& upstream) {
    if (!upstream->unused()) {
      return false;
    }
    upstream->refresh_gauges(now);
    upstream->stop();
    upstream->retire_series(now);
    return true;
  });
}

}  // namespace pilotfish::proxy
