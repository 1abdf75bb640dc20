#include "bench/harness/contender.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <fstream>
#include <thread>

#include "bench/harness/affinity.hpp"
#include "bench/harness/http_get.hpp"
#include "bench/harness/sockets.hpp"
#include "bench/harness/template.hpp"

namespace pilotfish::bench {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr int kTries = 3;
constexpr auto kStartLimit = std::chrono::seconds(30);

const std::string& choose_template(const Peer& peer, const std::vector<std::string>& wanted) {
  for (const auto& name : wanted) {
    const auto found = peer.configurations.find(name);
    if (found != peer.configurations.end()) return found->second;
  }
  for (const auto& name : wanted) {
    const auto reason = peer.lacks.find(name);
    if (reason != peer.lacks.end()) throw Unavailable(peer.name + ": " + reason->second);
  }
  throw Unavailable(
      fmt::format("{}: its file has no configuration {}", peer.name, fmt::join(wanted, " or ")));
}

std::filesystem::path need_program(const Peer& peer) {
  if (auto path = find_program(peer)) return *path;
  const auto advice = peer.get.empty() ? "put it on PATH" : peer.get;
  throw Unavailable(
      fmt::format("{}: the program {} is not there: {}", peer.name, peer.program, advice));
}

std::vector<std::string> expand_words(const std::vector<std::string>& words,
                                      const Variables& variables) {
  std::vector<std::string> result;
  for (const auto& word : words) result.push_back(expand(word, variables));
  return result;
}

/// The first line of what a command prints.
std::string first_line(const std::vector<std::string>& command,
                       const std::filesystem::path& output) {
  ChildProcess child(command, output);
  const auto until = Clock::now() + std::chrono::seconds(10);
  while (!child.exit_code() && Clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::ifstream file(output);
  std::string line;
  while (std::getline(file, line) && line.empty()) {
  }
  const auto from = line.find_first_not_of(' ');
  return from == std::string::npos ? "unknown" : line.substr(from);
}

bool accepts(const Endpoint& endpoint) {
  net::IoContext loop(1);
  net::TcpSocket socket(loop);
  net::ErrorCode error;
  socket.connect(to_asio(endpoint), error);
  return !error;
}

}  // namespace

Contender::Contender(std::vector<Endpoint> instances) : targets_(std::move(instances)) {
  info_.name = "direct";
  info_.version = "no proxy";
}

Contender::Contender(const Peer& peer, const Assignment& assignment)
    : directory_(std::make_unique<TempDir>("pilotfish-bench-" + peer.name)) {
  const auto& text = choose_template(peer, assignment.templates);
  const auto program = need_program(peer);
  info_.name = peer.name;
  Variables variables = assignment.variables;
  variables["program"] = program.string();
  variables["directory"] = directory_->path().string();
  variables["config"] = (directory_->path() / peer.file).string();
  variables["instances"] = std::to_string(assignment.instances.size());
  for (const auto& [name, endpoint] : assignment.addresses) {
    add_address(variables, name, endpoint);
  }
  if (!peer.version.empty()) {
    info_.version =
        first_line(expand_words(peer.version, variables), directory_->path() / "version");
  }
  for (int i = 1;; ++i) {
    targets_ = {free_loopback_port()};
    admin_ = free_loopback_port();
    add_address(variables, "listen", targets_.front());
    add_address(variables, "admin", admin_);
    try {
      info_.configuration = expand(text, variables, assignment.instances);
      const auto command = expand_words(peer.command, variables);
      info_.command = fmt::format("{}", fmt::join(command, " "));
      std::ofstream(variables["config"]) << info_.configuration;
      const OnProcessor pinned(assignment.processor);
      process_ = std::make_unique<ChildProcess>(command, directory_->path() / "output",
                                                std::vector<std::string>{"CONSUL_"});
    } catch (const WrongTemplate& error) {
      throw Unavailable(peer.name + ": its file is not understood: " + error.what());
    }
    if (wait_until_it_accepts(peer.ready)) return;
    if (i == kTries || !process_->exit_code()) break;
  }
  throw Unavailable(fmt::format("{} {}; it said:\n{}", peer.name,
                                process_->exit_code() ? "ended at start" : "does not get ready",
                                process_->output_tail()));
}

bool Contender::wait_until_it_accepts(const std::string& ready) {
  const auto until = Clock::now() + kStartLimit;
  while (Clock::now() < until && !process_->exit_code()) {
    bool serves = true;
    if (!ready.empty()) {
      const auto answer = http_get(admin_, ready, std::chrono::seconds(2));
      serves = answer && answer->status == 200;
    }
    // Asked last: somebody else's listener must not pass for that of a process that has ended.
    if (serves && accepts(targets_.front()) && !process_->exit_code()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

std::optional<pid_t> Contender::pid() const {
  if (!process_) return std::nullopt;
  return process_->pid();
}

void Contender::must_run() {
  if (!process_) return;
  if (const auto code = process_->exit_code()) {
    throw Unavailable(fmt::format("{} ended with code {} while it was measured; it said:\n{}",
                                  info_.name, *code, process_->output_tail()));
  }
}

}  // namespace pilotfish::bench
