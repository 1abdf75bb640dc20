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
  bool done = false;
  {
    registry::Registrar registrar(io, {options.consul_http, options.etcd, options.admin.listen},
                                  logger, [](const std::string&, bool) {});
    registrar.set_desired(options.announcements);
    const TimePoint deadline = Clock::now() + kLimit;
    boost::asio::co_spawn(
        io, withdraw ? registrar.deregister_once(deadline) : registrar.register_once(deadline),
        [&](const std::exception_ptr& error, bool all) {
          done = !error && all;
          io.stop();
        });
    io.run_for(kLimit + 1s);
    io.restart();
    io.run_for(100ms);
  }
  if (done) {
    out << "pilotfish " << command << ": done\n";
  }
  return done ? kExitOk : kExitUnavailable;
}

}  // namespace pilotfish::app
