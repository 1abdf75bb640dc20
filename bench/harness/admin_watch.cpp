#include "bench/harness/admin_watch.hpp"

#include "bench/harness/http_get.hpp"

namespace pilotfish::bench {

namespace {
constexpr auto kLimit = std::chrono::milliseconds(500);
}

AdminWatch::AdminWatch(const Endpoint& admin, Duration interval)
    : admin_(admin), interval_(interval), thread_([this] { run(); }) {}

AdminWatch::~AdminWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void AdminWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto answer = http_get(admin_, "/upstreams", kLimit);
    auto views = answer && answer->status == 200 ? parse_upstreams(answer->body) : std::nullopt;
    lock.lock();
    if (views && !views->empty()) upstream_ = std::move(views->front());
    wake_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

std::optional<UpstreamView> AdminWatch::upstream() const {
  const std::lock_guard lock(mutex_);
  return upstream_;
}

std::map<std::string, double> AdminWatch::metrics() const {
  const auto answer = http_get(admin_, "/metrics", kLimit);
  if (!answer || answer->status != 200) return {};
  return parse_metrics(answer->body);
}

}  // namespace pilotfish::bench
