#pragma once

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "net/asio.hpp"
#include "registry/registrar.hpp"

namespace pilotfish::test {

using namespace std::chrono_literals;

/// Keeps log lines for assertions.
class LogLines : public Logger {
 public:
  void log(LogLevel level, std::string_view message,
           std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const auto& field : fields) {
      line += ' ' + std::string(field.key) + '=' + field.value;
    }
    lines.emplace_back(level, line);
  }
  [[nodiscard]] std::size_t count(std::string_view part) const {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [&](const auto& line) { return line.second.find(part) != std::string::npos; }));
  }
  [[nodiscard]] std::string all() const {
    std::string out;
    for (const auto& [level, line] : lines) {
      out += line + '\n';
    }
    return out;
  }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

/// An io_context driven by conditions, and a registrar on it.
class RegistryTest : public ::testing::Test {
 protected:
  /// Runs the loop until `done`, for at most `limit`.
  template <class Done>
  [[nodiscard]] bool run_until(Done done, Duration limit = 5s) {
    const auto end = Clock::now() + limit;
    while (!done()) {
      const auto now = Clock::now();
      if (now >= end) {
        return false;
      }
      io.restart();
      io.run_one_for(std::min<Duration>(end - now, 50ms));
    }
    return true;
  }

  /// Runs the loop for a while, to see that something does not happen.
  void run_for(Duration duration) {
    (void)run_until([] { return false; }, duration);
  }

  template <class T>
  std::optional<T> await(net::Awaitable<T> work, Duration limit = 5s) {
    std::optional<T> result;
    net::asio::co_spawn(io, std::move(work),
                        [&](std::exception_ptr, T value) { result = std::move(value); });
    (void)run_until([&] { return result.has_value(); }, limit);
    return result;
  }

  /// How long stop() took; nothing where it did not return in time.
  std::optional<Duration> stop(Duration deadline) {
    std::optional<Duration> took;
    const auto began = Clock::now();
    net::asio::co_spawn(io, registrar->stop(began + deadline),
                        [&](std::exception_ptr) { took = Clock::now() - began; });
    (void)run_until([&] { return took.has_value(); }, deadline + 3s);
    return took;
  }

  void make(registry::RegistrarOptions options) {
    registrar = std::make_unique<registry::Registrar>(
        io, std::move(options), log, [this](const std::string& service, bool is_up) {
          up[service] = is_up;
          ++changes[service];
        });
  }

  net::IoContext io;
  LogLines log;
  std::map<std::string, bool> up;
  std::map<std::string, int> changes;
  std::unique_ptr<registry::Registrar> registrar;
};

}  // namespace pilotfish::test
