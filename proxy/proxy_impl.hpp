#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/deadlines.hpp"
#include "proxy/listener.hpp"
#include "proxy/proxy.hpp"
#include "proxy/route.hpp"
#include "proxy/upstream.hpp"
#include "proxy/worker.hpp"

namespace pilotfish::proxy {

/// The parts of a Proxy; private to proxy/proxy*.cpp. Thread-safety: none; one worker.
struct Proxy::Impl {
  /// Twice a second: upstreams that a reload removed, and pipes that nobody needs.
  class Sweep final : public net::Deadline {
   public:
    Sweep(net::Deadlines& wheel, Impl& impl) : Deadline(wheel), impl_(impl) {}

   private:
    void on_deadline() override;
    Impl& impl_;
  };
  /// One address, and where what comes in by it goes.
  struct Intake {
    std::string id;
    Protocol protocol{};
    std::shared_ptr<RouteTable> routes;
    std::shared_ptr<proxy::Listener> listener;
  };

  Impl(net::IoContext& io, const Shared& shared, metrics::Store& store);

  [[nodiscard]] std::shared_ptr<Upstream> add_upstream(UpstreamOptions options,
                                                       const std::vector<Seed>& seeds);
  [[nodiscard]] std::function<void(ClientStream)> acceptor_for(
      const std::shared_ptr<const RouteTable>& routes);
  void listen(const Listener& wanted);
  void share_max_clients(std::uint32_t all);

  // proxy_reload.cpp
  void change_upstreams(const Update& update);
  void change_intakes(const std::vector<Listener>& wanted);
  /// Removed upstreams that nobody uses any more.
  void drop_unused(TimePoint now);

  std::shared_ptr<Worker> worker;
  std::unique_ptr<resolver::DnsService> dns;
  std::vector<std::shared_ptr<Upstream>> upstreams;
  std::vector<std::shared_ptr<Upstream>> leaving;  ///< removed, until their last session ended
  std::vector<Intake> intakes;
  Sweep sweep;
};

}  // namespace pilotfish::proxy
