#include "registry/self.hpp"

namespace pilotfish::registry {

SelfAnnouncement fill_self(Announcement announcement, const Endpoint& admin) {
  SelfAnnouncement out;
  const bool everywhere = admin.address.is_unspecified();
  announcement.port = admin.port;
  if (announcement.address.empty()) {
    announcement.address = everywhere ? "" : admin.address.to_string();
    if (admin.address.is_loopback()) {
      out.warning =
          "the admin port is on loopback: a Prometheus on another machine finds this "
          "entry but cannot reach it; set `admin` to an address others can reach, with "
          "`admin_public: true`";
    }
  }
  auto probe = admin;
  if (everywhere) {
    // The agent that checks is on this machine.
    probe.address =
        admin.address.is_v6() ? *IpAddress::parse("::1") : *IpAddress::parse("127.0.0.1");
  }
  announcement.check.kind = CheckKind::kHttp;
  announcement.check.target =
      "http://" + probe.to_string() + (announcement.in == RegisterIn::kEtcd ? "/health" : "/ready");
  announcement.check.interval = 2s;
  announcement.check.timeout = 1s;
  out.announcement = std::move(announcement);
  return out;
}

}  // namespace pilotfish::registry
