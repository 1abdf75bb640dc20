#include "app/announce_once.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "app/exit_code.hpp"
#include "net/asio.hpp"
#include "registry/registrar.hpp"

namespace pilotfish::app {

using namespace std::chrono_literals;

int announce_once(const config::RootOptions& options, AnnounceAction action, Logger& logger,
                  std::ostream& out) {
  constexpr Duration kLimit = 10s;
  const bool withdraw = action == AnnounceAction::kDeregister;
  const char* command = withdraw ? "deregister" : "register";
  if (options.announcements.empty()) {
    out << "pilotfish " << command << ": nothing to do, the configuration has no register:\n";
    return kExitOk;
  }
  net::IoContext io{1};
  using Withdrawal = registry::Registrar::Withdrawal;
  auto outcome = Withdrawal::kFailed;
  {
    registry::Registrar registrar(io, {options.consul_http, options.etcd, options.admin.listen},
                                  logger, [](const std::string&, bool) {});
    registrar.set_desired(options.announcements);
    const TimePoint deadline = Clock::now() + kLimit;
    const auto ended = [&](const std::exception_ptr& error, Withdrawal result) {
      outcome = error ? Withdrawal::kFailed : result;
      io.stop();
    };
    if (withdraw) {
      boost::asio::co_spawn(io, registrar.deregister_once(deadline), ended);
    } else {
      boost::asio::co_spawn(io, registrar.register_once(deadline),
                            [&](const std::exception_ptr& error, bool all) {
                              ended(error, all ? Withdrawal::kDone : Withdrawal::kFailed);
                            });
    }
    io.run_for(kLimit + registry::Registrar::kLookAgain + 1s);
    io.restart();
    io.run_for(100ms);
  }
  if (outcome == Withdrawal::kReturned) {
    out << "pilotfish " << command << ": undone by a running sidecar, which announces it again\n";
    return kExitFailure;
  }
  if (outcome == Withdrawal::kDone) {
    out << "pilotfish " << command << ": done\n";
  }
  return outcome == Withdrawal::kDone ? kExitOk : kExitUnavailable;
}

}  // namespace pilotfish::app
