#include "app/describe.hpp"

#include <algorithm>

#include "app/table.hpp"

namespace pilotfish::app {
namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    out += (out.empty() ? "" : ", ") + part;
  }
  return out;
}

struct SourceText {
  std::string operator()(const resolver::ConsulSource& source) const {
    std::string text = "consul " + source.service;
    if (!source.datacenter.empty()) {
      text += ", datacenter " + source.datacenter;
    }
    return text + ": " + join(tiers);
  }
  std::string operator()(const resolver::SrvSource& /*source*/) const {
    return "srv " + join(tiers);
  }
  std::string operator()(const resolver::StaticSource& /*source*/) const { return "static"; }
  std::vector<std::string> tiers;
};

std::string announcement_text(const registry::Announcement& announcement) {
  const char* where = announcement.in == registry::RegisterIn::kEtcd ? "etcd" : "consul";
  return announcement.name + " (" + where +
         (announcement.self ? std::string(", this sidecar)")
                            : ", port " + std::to_string(announcement.port) + ")");
}

const MergedUpstream* find(const MergedStatus& status, const std::string& name) {
  const auto found = std::find_if(status.upstreams.begin(), status.upstreams.end(),
                                  [&](const auto& one) { return one.status.name == name; });
  return found == status.upstreams.end() ? nullptr : &*found;
}

const proxy::UpstreamOptions* find(const config::RootOptions& options, const std::string& name) {
  const auto found = std::find_if(options.upstreams.begin(), options.upstreams.end(),
                                  [&](const auto& one) { return one.name == name; });
  return found == options.upstreams.end() ? nullptr : &*found;
}

}  // namespace

std::string describe_source(const proxy::UpstreamOptions& upstream) {
  return std::visit(SourceText{resolver::tier_names(upstream.source)}, upstream.source);
}

std::string describe_serving(const MergedUpstream& upstream) {
  const auto& status = upstream.status;
  if (status.tier < 0) {
    return "none: " + status.reason;
  }
  const auto tier = static_cast<std::size_t>(status.tier);
  return "tier " + std::to_string(tier) +
         (tier < status.tier_names.size() ? " (" + status.tier_names[tier] + ")" : "");
}

std::string start_screen(const config::RootOptions& options, const StartScreen& screen) {
  std::string out = "pilotfish " + screen.version + ", " + screen.file + ", " +
                    std::to_string(options.workers) +
                    (options.workers == 1 ? " worker" : " workers") + ", pid " +
                    std::to_string(screen.pid) + "\n\n";
  std::vector<std::vector<std::string>> rows{
      {"upstream", "listens on", "protocol", "routes to", "instances", "serving"}};
  for (std::size_t i = 0; i < options.upstreams.size(); ++i) {
    const auto& upstream = options.upstreams[i];
    const MergedUpstream* merged = find(screen.status, upstream.name);
    rows.push_back(
        {upstream.name, i < screen.listens.size() ? screen.listens[i] : upstream.listen.to_string(),
         upstream.protocol == proxy::Protocol::kHttp ? "http" : "tcp", describe_source(upstream),
         merged == nullptr ? "?" : std::to_string(merged->status.instances.size()),
         merged == nullptr ? "?" : describe_serving(*merged)});
  }
  out += format_table(rows);
  std::vector<std::string> announced;
  for (const auto& announcement : options.announcements) {
    announced.push_back(announcement_text(announcement));
  }
  std::vector<std::vector<std::string>> rest;
  rest.push_back(
      {"admin", screen.admin.empty()
                    ? "off"
                    : "http://" + screen.admin + "  (/metrics /health /ready /upstreams /config)"});
  rest.push_back({"registers", announced.empty() ? "nothing" : join(announced)});
  rest.push_back({"access log", options.log.access});
  return out + "\n" + format_table(rest);
}

std::vector<std::string> restart_needed(const config::RootOptions& running,
                                        const config::RootOptions& fresh) {
  std::vector<std::string> out;
  for (const auto& upstream : fresh.upstreams) {
    const auto* before = find(running, upstream.name);
    if (before == nullptr) {
      out.push_back("upstreams." + upstream.name + " is new");
    } else if (!(*before == upstream)) {
      out.push_back("upstreams." + upstream.name + " changed");
    }
  }
  for (const auto& upstream : running.upstreams) {
    if (find(fresh, upstream.name) == nullptr) {
      out.push_back("upstreams." + upstream.name + " was removed");
    }
  }
  const auto differs = [&out](bool changed, const char* name) {
    if (changed) {
      out.push_back(std::string(name) + " changed");
    }
  };
  differs(running.admin.listen != fresh.admin.listen ||
              running.admin.is_public != fresh.admin.is_public,
          "admin");
  differs(running.workers != fresh.workers, "workers");
  differs(running.max_clients != fresh.max_clients, "max_clients");
  differs(running.state_dir != fresh.state_dir, "state_dir");
  differs(running.log.format != fresh.log.format, "log.format");
  differs(running.log.access != fresh.log.access, "log.access");
  differs(running.drain != fresh.drain, "shutdown.drain");
  differs(!(running.consul_http == fresh.consul_http) || !(running.consul_dns == fresh.consul_dns),
          "consul");
  differs(running.dns != fresh.dns, "dns");
  differs(!(running.etcd == fresh.etcd), "etcd");
  return out;
}

}  // namespace pilotfish::app
