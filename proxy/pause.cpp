#include "proxy/pause.hpp"

#include <algorithm>

namespace pilotfish::proxy {
namespace {

/// How late a client that went away is noticed.
constexpr Duration kLook = std::chrono::milliseconds(20);

}  // namespace

net::Awaitable<bool> pause_for(net::Executor executor, ClientStream& client, bool& cut,
                               TimePoint until) {
  net::Timer timer(executor);
  while (!cut && Clock::now() < until) {
    timer.expires_at(std::min(until, Clock::now() + kLook));
    (void)co_await timer.async_wait(net::kTuple);
    cut = cut || client.peer_gone();
  }
  co_return !cut;
}

}  // namespace pilotfish::proxy
