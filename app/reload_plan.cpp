#include "app/reload_plan.hpp"

#include <algorithm>

#include "config/differences.hpp"

namespace pilotfish::app {
namespace {

bool has(const std::vector<Place>& places, const std::string& id) {
  return std::ranges::find(places, id, &Place::id) != places.end();
}

bool has(const config::RootOptions& options, const std::string& name) {
  const auto& list = options.upstreams;
  return std::ranges::find(list, name, &proxy::UpstreamOptions::name) != list.end();
}

void add(std::string& out, const std::string& what, const std::vector<std::string>& list) {
  std::string text;
  for (const auto& one : list) {
    text += (text.empty() ? "" : ", ") + one;
  }
  if (!text.empty()) {
    out += (out.empty() ? "" : "; ") + what + ": " + text;
  }
}

}  // namespace

std::vector<Place> places(const config::RootOptions& options) {
  std::vector<Place> out;
  for (const auto& upstream : options.upstreams) {
    auto id = upstream.listen.to_string();
    if (upstream.listen.inherited.empty() && upstream.listen.endpoint.port == 0) {
      id += " for " + upstream.name;
    }
    out.push_back({std::move(id), upstream.name, upstream.listen});
  }
  return out;
}

ReloadPlan plan_reload(const config::RootOptions& running, const config::RootOptions& fresh) {
  ReloadPlan plan;
  plan.after = fresh;
  plan.after.workers = running.workers;
  for (const auto& upstream : fresh.upstreams) {
    if (!has(running, upstream.name)) {
      plan.added.push_back(upstream.name);
    }
  }
  for (const auto& upstream : running.upstreams) {
    if (!has(fresh, upstream.name)) {
      plan.removed.push_back(upstream.name);
    }
  }
  const auto whole = [](const std::vector<std::string>& names, const std::string& path) {
    return std::ranges::any_of(
        names, [&path](const std::string& name) { return path == "upstreams." + name; });
  };
  for (auto& path : config::differences(running, fresh)) {
    if (path == "workers") {
      plan.restart.push_back(std::move(path));
    } else if (!whole(plan.added, path) && !whole(plan.removed, path)) {
      plan.changed.push_back(std::move(path));
    }
  }
  const auto before = places(running);
  for (auto& place : places(fresh)) {
    (has(before, place.id) ? plan.keep : plan.bind).push_back(std::move(place));
  }
  plan.admin_changed = running.admin != fresh.admin;
  plan.bind_admin = fresh.admin.listen && running.admin.listen != fresh.admin.listen;
  plan.access_log_changed =
      running.log.access != fresh.log.access || running.log.format != fresh.log.format;
  plan.agent_changed = running.consul_http != fresh.consul_http;
  plan.registries_changed = running.consul_http != fresh.consul_http || running.etcd != fresh.etcd;
  plan.state_changed = running.state_dir != fresh.state_dir ||
                       running.upstreams != fresh.upstreams ||
                       running.consul_dns != fresh.consul_dns;
  return plan;
}

std::string describe_plan(const ReloadPlan& plan) {
  std::string text;
  add(text, "added", plan.added);
  add(text, "removed", plan.removed);
  add(text, "changed", plan.changed);
  return text.empty() ? "nothing changed" : text;
}

}  // namespace pilotfish::app
