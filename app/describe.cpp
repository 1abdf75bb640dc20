#include "app/describe.hpp"

#include <algorithm>

#include "app/table.hpp"
#include "proxy/selection.hpp"

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
  std::string operator()(const resolver::HostsSource& /*source*/) const {
    return "hosts " + join(tiers);
  }
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

}  // namespace

std::string describe_source(const proxy::UpstreamOptions& upstream) {
  return std::visit(SourceText{proxy::tier_names(upstream.source, upstream.cluster.split)},
                    upstream.source);
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
  if (!options.upstreams.empty()) {
    out += format_table(rows) + "\n";
  }
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
  return out + format_table(rest);
}

}  // namespace pilotfish::app
