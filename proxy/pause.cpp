#include "proxy/pause.hpp"

#include <algorithm>

namespace pilotfish::proxy {
namespace {

/// How late it is noticed that nobody waits any more.
constexpr Duration kLook = std::chrono::milliseconds(20);

}  // namespace

net::Awaitable<bool> pause_for(net::Executor executor, const bool& cut, TimePoint until) {
  net::Timer timer(executor);
  while (!cut && Clock::now() < until) {
    timer.expires_at(std::min(until, Clock::now() + kLook));
    (void)co_await timer.async_wait(net::kTuple);
  }
  co_return !cut;
}

}  // namespace pilotfish::proxy
