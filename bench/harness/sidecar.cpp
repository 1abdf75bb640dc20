#include "bench/harness/sidecar.hpp"

#include <cstdlib>
#include <fmt/core.h>
#include <fstream>

#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {
namespace {

constexpr int kPortTaken = 69;
constexpr int kTries = 3;

std::filesystem::path need_pilotfish() {
  if (const auto path = find_pilotfish()) return *path;
  if (const char* named = std::getenv("PILOTFISH_BIN"); named != nullptr && *named != '\0') {
    throw Unavailable(fmt::format("PILOTFISH_BIN names {}, which cannot be executed", named));
  }
  throw Unavailable(
      "the executable pilotfish is not beside pilotfish-lab: build it, or set PILOTFISH_BIN");
}

}  // namespace

Sidecar::Sidecar(const Configure& configure, Duration limit, const std::filesystem::path& log)
    : directory_("pilotfish-lab") {
  const auto binary = need_pilotfish();
  const auto file = directory_.path() / "pilotfish.yaml";
  const auto output = log.empty() ? directory_.path() / "output.log" : log;
  for (int i = 1;; ++i) {
    admin_ = free_loopback_port();
    listen_ = free_loopback_port();
    std::ofstream(file) << configure(admin_, listen_);
    // What the environment says about a real agent must not reach this one.
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{binary.string(), "run", "-c", file.string()}, output,
        std::vector<std::string>{"CONSUL_"});
    const auto readiness = wait_until_ready(*process_, admin_, limit);
    if (readiness == Readiness::kReady) return;
    if (readiness == Readiness::kTimeout) {
      throw Unavailable(fmt::format("pilotfish is not ready after {} s; it said:\n{}",
                                    std::chrono::duration_cast<std::chrono::seconds>(limit).count(),
                                    process_->output_tail()));
    }
    const int code = process_->exit_code().value_or(1);
    if (code == kPortTaken && i < kTries) continue;
    throw Unavailable(fmt::format("pilotfish ended with code {} at start; it said:\n{}", code,
                                  process_->output_tail()));
  }
}

}  // namespace pilotfish::bench
