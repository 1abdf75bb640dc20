#include "bench/harness/process.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <linux/close_range.h>
#include <signal.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "bench/harness/http_get.hpp"

namespace pilotfish::bench {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_without(const std::vector<std::string>& prefixes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool hidden = std::any_of(prefixes.begin(), prefixes.end(),
                                    [&](const auto& prefix) { return text.starts_with(prefix); });
    if (!hidden) result.emplace_back(text);
  }
  return result;
}

/// Between fork and exec only async-signal-safe calls are allowed.
[[noreturn]] void become(char* const* command, char* const* environment, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  // Asio opens its sockets without CLOEXEC: a listener that lived on in the child could not be
  // killed by us.
  ::close_range(3, ~0U, 0);
  // Asio's sockets are inherited: a killed backend's listener would live on in the child.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execve(command[0], command, environment);
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::filesystem::path& output,
                           const std::vector<std::string>& without)
    : output_(output) {
  auto arguments = command;
  auto environment = environment_without(without);
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) throw std::system_error(errno, std::generic_category(), output.string());
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  const int error = errno;
  if (pid_ == 0) become(argv.data(), envp.data(), file, parent);
  ::close(file);
  if (pid_ < 0) throw std::system_error(error, std::generic_category(), "fork");
}

ChildProcess::~ChildProcess() {
  terminate(std::chrono::seconds(2));
}

std::optional<int> ChildProcess::exit_code() {
  if (code_) return code_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_;
}

void ChildProcess::send(int signal) {
  if (!exit_code()) ::kill(pid_, signal);
}

void ChildProcess::freeze() {
  send(SIGSTOP);
  const auto until = Clock::now() + std::chrono::seconds(5);
  siginfo_t info{};
  // Told of once every thread has stopped; the signal itself only asks for it.
  while (Clock::now() < until &&
         ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG) == 0 &&
         info.si_pid == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

int ChildProcess::terminate(Duration grace) {
  send(SIGTERM);
  auto until = Clock::now() + grace;
  while (!exit_code()) {
    if (Clock::now() >= until) {
      send(SIGKILL);
      until = TimePoint::max();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return *code_;
}

std::string ChildProcess::output_tail(std::size_t bytes) const {
  std::ifstream file(output_, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const auto size = static_cast<std::size_t>(file.tellg());
  const auto length = std::min(size, bytes);
  std::string text(length, '\0');
  file.seekg(static_cast<std::streamoff>(size - length));
  file.read(text.data(), static_cast<std::streamsize>(length));
  return text;
}

std::optional<std::filesystem::path> find_pilotfish() {
  std::error_code ec;
  if (const char* named = std::getenv("PILOTFISH_BIN"); named != nullptr && *named != '\0') {
    auto path = std::filesystem::absolute(named, ec);
    if (::access(path.c_str(), X_OK) == 0) return path;
    return std::nullopt;
  }
  const auto own = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (ec) return std::nullopt;
  auto beside = own.parent_path() / "pilotfish";
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  return std::nullopt;
}

Readiness wait_until_ready(ChildProcess& child, const Endpoint& admin, Duration limit) {
  const auto until = Clock::now() + limit;
  while (Clock::now() < until) {
    if (child.exit_code()) return Readiness::kExited;
    const auto answer = http_get(admin, "/ready", std::chrono::milliseconds(500));
    if (answer && answer->status == 200) return Readiness::kReady;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Readiness::kTimeout;
}

}  // namespace pilotfish::bench
