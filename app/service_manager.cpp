#include "app/service_manager.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <charconv>
#include <chrono>
#include <utility>

#include "app/sd_notify.hpp"

namespace pilotfish::app {

using namespace std::chrono_literals;

namespace {

/// STATUS= is a person's view: it need not be newer.
constexpr Duration kStatusEvery = 2s;
/// On top of shutdown.drain: last words to the registry, unwinding.
constexpr Duration kStopExtra = 5s;

std::optional<std::int64_t> to_number(const std::optional<std::string>& text) {
  std::int64_t number = 0;
  if (!text || text->empty()) {
    return std::nullopt;
  }
  const auto* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// One line, short enough for a status line.
std::string shortened(std::string text) {
  constexpr std::size_t kMost = 300;
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (text.size() > kMost) {
    text.resize(kMost - 3);
    text += "...";
  }
  return text;
}

}  // namespace

std::optional<Duration> watchdog_time(const config::Environment& environment, pid_t pid) {
  const auto micros = to_number(environment("WATCHDOG_USEC"));
  const auto wanted_pid = environment("WATCHDOG_PID");
  if (!micros || *micros <= 0 || (wanted_pid && to_number(wanted_pid) != pid)) {
    return std::nullopt;
  }
  return std::chrono::microseconds(*micros);
}

std::string service_status(const MergedStatus& status, std::size_t clients, bool draining) {
  const std::string connections = counted(clients, "client connection");
  if (draining) {
    return "draining " + connections;
  }
  std::size_t ready = 0;
  std::string missing;
  for (const auto& upstream : status.upstreams) {
    if (upstream.workers_serving == upstream.workers && upstream.workers > 0) {
      ++ready;
    } else {
      missing +=
          (missing.empty() ? "" : "; ") + upstream.status.name + ": " +
          (upstream.not_serving_reason.empty() ? "no worker answers" : upstream.not_serving_reason);
    }
  }
  const auto all = status.upstreams.size();
  std::string text = ready == all ? counted(all, "upstream") + " ready"
                                  : std::to_string(ready) + " of " + counted(all, "upstream") +
                                        " ready (" + missing + ")";
  return shortened(connections + "; " + text);
}

ServiceManager::ServiceManager(net::IoContext& io, config::Environment environment, pid_t pid,
                               Logger& logger, Hooks hooks)
    : executor_(io.get_executor()),
      environment_(std::move(environment)),
      logger_(logger),
      hooks_(std::move(hooks)),
      watchdog_(watchdog_time(environment_, pid)),
      every_(watchdog_ ? std::min(kStatusEvery, *watchdog_ / 2) : kStatusEvery),
      timer_(executor_) {}

void ServiceManager::ready() {
  if (notify_service_manager(environment_, "READY=1")) {
    boost::asio::co_spawn(executor_, run(), boost::asio::detached);
  }
}

void ServiceManager::stopping(Duration drain) {
  draining_ = true;
  // TimeoutStopSec= may be shorter than what was configured here: the drain is not a hang.
  const auto most = std::chrono::duration_cast<std::chrono::microseconds>(drain + kStopExtra);
  notify_service_manager(environment_, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=" +
                                           std::to_string(most.count()));
  timer_.cancel();  // says at once what is drained
}

net::Awaitable<void> ServiceManager::run() {
  for (;;) {
    const auto next = Clock::now() + every_;
    const auto clients = co_await hooks_.clients(every_);
    judge(clients.has_value());
    if (clients) {
      if (watchdog_) {
        notify_service_manager(environment_, "WATCHDOG=1");
      }
      if (Clock::now() + every_ / 2 < next || !watchdog_) {
        co_await tell(*clients);  // the next ping does not wait for it
      }
    }
    timer_.expires_at(next);
    (void)co_await timer_.async_wait(net::kTuple);
  }
}

net::Awaitable<void> ServiceManager::tell(std::size_t clients) {
  MergedStatus status;
  if (!draining_) {
    status = co_await hooks_.status();
  }
  std::string text = "STATUS=" + service_status(status, clients, draining_);
  if (text != told_) {
    notify_service_manager(environment_, text);
    told_ = std::move(text);
  }
}

void ServiceManager::judge(bool answering) {
  if (std::exchange(answering_, answering) == answering) {
    return;
  }
  const auto waited =
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(every_).count()) + " ms";
  if (answering) {
    logger_.info("every worker answers again", {});
  } else if (watchdog_) {
    logger_.error(
        "a worker is stuck: no watchdog pings until it answers; the service manager "
        "will restart this process",
        {{"waited", waited}});
  } else {
    logger_.error("a worker is stuck: it does not answer", {{"waited", waited}});
  }
}

}  // namespace pilotfish::app
