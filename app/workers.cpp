#include "app/workers.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <optional>
#include <pthread.h>
#include <random>
#include <thread>
#include <utility>

#include "app/completer.hpp"
#include "app/startup.hpp"
#include "net/notifier.hpp"

namespace pilotfish::app {

namespace asio = boost::asio;

namespace {
/// What a stopped worker's coroutines get to unwind, at most.
constexpr Duration kUnwind = std::chrono::milliseconds(500);
/// Pipes that bulk is spliced through, in all: more at once than one machine moves.
constexpr std::uint32_t kMostPipes = 128;
}  // namespace

/// Hands what a worker tells on to the main thread.
class WorkerGroup::Feed final : public proxy::CheckFeed {
 public:
  Feed(WorkerGroup& group, std::size_t worker) : group_(group), worker_(worker) {}
  void changed(const std::string& upstream, std::vector<proxy::CheckTarget> arrived,
               std::vector<Endpoint> left) override {
    asio::post(group_.main_,
               [this, upstream, arrived = std::move(arrived), left = std::move(left)]() mutable {
                 group_.hooks_.on_instances(worker_, upstream, std::move(arrived), std::move(left));
               });
  }

 private:
  WorkerGroup& group_;
  std::size_t worker_;
};

struct WorkerGroup::Worker {
  Worker() : guard(io.get_executor()) {}

  void run(const proxy::Shared& shared, const config::RootOptions& options,
           std::vector<proxy::Proxy::Listener> listeners,
           const std::vector<proxy::Proxy::Seed>& seeds) {
    completer =
        make_completer(io, options, *shared.logger, &shared.preparer->background().offload());
    proxy::Shared own = shared;
    own.completer = completer.get();
    proxy.emplace(io, own, store);
    proxy->start(options.upstreams, std::move(listeners), seeds);
    io.run();
    guard.reset();
    io.restart();
    // What stop() ended unwinds now. Waiting for what nobody ended would only cost time.
    const TimePoint limit = Clock::now() + kUnwind;
    while (io.poll() > 0 && Clock::now() < limit) {
    }
    proxy.reset();
  }

  net::IoContext io{1};
  asio::executor_work_guard<net::Executor> guard;
  metrics::Store store;
  std::unique_ptr<registry::ConsulCompleter> completer;
  std::unique_ptr<Feed> feed;
  std::optional<proxy::Proxy> proxy;  // touched on the worker's thread alone
  std::thread thread;
};

/// What several workers answer to one question. Filled on the main executor, shared with what is
/// posted, so that an answer that comes too late finds it still there.
template <class T>
struct WorkerGroup::Answers : std::enable_shared_from_this<Answers<T>> {
  Answers(net::IoContext& main, std::size_t workers)
      : executor(main.get_executor()), values(workers), changed(main.get_executor()) {}

  /// From a worker's thread.
  void give(std::size_t worker, T value) {
    asio::post(executor, [self = this->shared_from_this(), worker, value = std::move(value)]() {
      self->values[worker] = std::move(value);
      ++self->count;
      self->changed.notify_all();
    });
  }
  net::Awaitable<bool> wait(TimePoint deadline) {
    const auto self = this->shared_from_this();
    while (count < values.size() && Clock::now() < deadline) {
      (void)co_await changed.wait_until(deadline);
    }
    co_return count == values.size();
  }

  net::Executor executor;
  std::vector<std::optional<T>> values;
  std::size_t count = 0;
  net::Notifier changed;
};

WorkerGroup::WorkerGroup(net::IoContext& main, const config::RootOptions& options, Logger& logger,
                         proxy::AccessLog* access_log, Hooks hooks)
    : main_(main),
      options_(options),
      logger_(logger),
      worker_logs_(logger, options.workers),
      access_log_(access_log),
      hooks_(std::move(hooks)) {
  for (std::uint32_t i = 0; i < options_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->feed = std::make_unique<Feed>(*this, i);
  }
}

WorkerGroup::~WorkerGroup() {
  stop();
}

void WorkerGroup::start(std::vector<UpstreamListener> listeners,
                        const std::vector<proxy::Proxy::Seed>& seeds) {
  carried_ = warn_of_descriptors();
  std::random_device entropy;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    proxy::Shared shared;
    shared.logger = &worker_logs_.of(i);
    shared.access_log = access_log_;
    shared.preparer = &preparer_;
    shared.check_feed = hooks_.on_instances ? workers_[i]->feed.get() : nullptr;
    shared.worker_count = static_cast<std::uint32_t>(workers_.size());
    shared.max_clients = std::min(options_.max_clients, carried_);
    shared.max_pipes = pipes_;
    shared.consul_dns = options_.consul_dns;
    shared.seed = (std::uint64_t{entropy()} << 32U) | entropy();
    shared.log_tries = options_.log.level == LogLevel::kDebug;
    if (hooks_.on_missing) {
      shared.on_missing = [this](const std::string& upstream) {
        asio::post(main_, [this, upstream] { hooks_.on_missing(upstream); });
      };
    }
    std::vector<proxy::Proxy::Listener> own;
    for (auto& listener : listeners) {
      own.push_back({listener.upstream, listener.bound.sockets[i].release(),
                     listener.bound.inherited, listener.id});
    }
    workers_[i]->thread = std::thread([this, i, shared, own = std::move(own), seeds]() mutable {
      const std::string name = "worker " + std::to_string(i);  // as `top -H` shows it
      (void)::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
      try {
        workers_[i]->run(shared, options_, std::move(own), seeds);
      } catch (const std::exception& error) {
        asio::post(main_, [this, what = std::string(error.what())] { hooks_.on_failure(what); });
      }
    });
  }
}

std::uint32_t WorkerGroup::warn_of_descriptors() {
  const Descriptors descriptors = count_descriptors();
  const auto all = clients_carried(descriptors, options_.workers);
  // A pipe takes as many descriptors as a client: those that no client may need, or a few.
  const auto spare = all - std::min(all, options_.max_clients);
  pipes_ = std::min(kMostPipes, std::max(spare, all / 64));
  const auto carried = all - pipes_;
  if (descriptors.allowed < 2ULL * options_.max_clients) {
    logger_.warn("max_clients is held lower: descriptors (ulimit -n, LimitNOFILE=) do not suffice",
                 {{"max_clients", std::to_string(options_.max_clients)},
                  {"held_at", std::to_string(std::min(options_.max_clients, carried))},
                  {"descriptors", std::to_string(descriptors.allowed)},
                  {"why", "a client needs two, pilotfish itself " +
                              std::to_string(descriptors.allowed - 2ULL * carried)}});
  }
  return carried;
}

net::Awaitable<void> WorkerGroup::wait_first_lookups(TimePoint deadline) {
  const auto answers = std::make_shared<Answers<bool>>(main_, workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    asio::post(worker->io, [worker, answers, deadline, i] {
      asio::co_spawn(worker->io, worker->proxy->wait_first_lookups(deadline),
                     [answers, i](const std::exception_ptr& /*error*/) { answers->give(i, true); });
    });
  }
  (void)co_await answers->wait(deadline);
}

net::Awaitable<MergedStatus> WorkerGroup::status(Duration limit, proxy::Proxy::Detail detail) {
  using Statuses = std::vector<proxy::UpstreamStatus>;
  const auto answers = std::make_shared<Answers<Statuses>>(main_, workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    asio::post(worker->io, [worker, answers, detail, i] {
      answers->give(i, worker->proxy->status(Clock::now(), detail));
    });
  }
  (void)co_await answers->wait(Clock::now() + limit);
  co_return merge_status(answers->values);
}

net::Awaitable<std::vector<proxy::UpstreamStatus>> WorkerGroup::first_status(Duration limit) {
  using Statuses = std::vector<proxy::UpstreamStatus>;
  const auto answers = std::make_shared<Answers<Statuses>>(main_, 1);
  Worker* worker = workers_.front().get();
  asio::post(worker->io, [worker, answers] {
    answers->give(0, worker->proxy->status(Clock::now(), proxy::Proxy::Detail::kSummary));
  });
  (void)co_await answers->wait(Clock::now() + limit);
  Statuses statuses;
  if (answers->values.front()) {
    statuses = std::move(*answers->values.front());
  }
  co_return statuses;
}

net::Awaitable<void> WorkerGroup::refresh_gauges(Duration limit) {
  const auto answers = std::make_shared<Answers<bool>>(main_, workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    asio::post(worker->io, [worker, answers, i] {
      worker->proxy->refresh_gauges(Clock::now());
      answers->give(i, true);
    });
  }
  (void)co_await answers->wait(Clock::now() + limit);
}

net::Awaitable<std::optional<std::size_t>> WorkerGroup::clients(Duration limit) {
  const auto answers = std::make_shared<Answers<std::size_t>>(main_, workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    asio::post(worker->io, [worker, answers, i] { answers->give(i, worker->proxy->clients()); });
  }
  const bool all = co_await answers->wait(Clock::now() + limit);
  if (!all) {
    co_return std::nullopt;
  }
  std::size_t sum = 0;
  for (const auto& one : answers->values) {
    sum += *one;
  }
  co_return sum;
}

std::vector<metrics::Store*> WorkerGroup::stores() {
  std::vector<metrics::Store*> result;
  for (const auto& worker : workers_) {
    result.push_back(&worker->store);
  }
  return result;
}

void WorkerGroup::push_watch(const resolver::WatchKey& key, const resolver::WatchStatePtr& state) {
  for (const auto& worker : workers_) {
    asio::post(worker->io, [one = worker.get(), key, state] {
      if (one->proxy) {
        one->proxy->push_watch(key, state);
      }
    });
  }
}

void WorkerGroup::push_verdicts(const std::string& upstream, const proxy::CheckVerdictsPtr& news) {
  for (const auto& worker : workers_) {
    asio::post(worker->io, [one = worker.get(), upstream, news] {
      if (one->proxy) {
        one->proxy->push_verdicts(upstream, *news);
      }
    });
  }
}

void WorkerGroup::explain(const std::string& upstream, const std::string& cause) {
  for (const auto& worker : workers_) {
    asio::post(worker->io, [one = worker.get(), upstream, cause] {
      if (one->proxy) {
        one->proxy->explain(upstream, cause);
      }
    });
  }
}

net::Awaitable<bool> WorkerGroup::apply(std::shared_ptr<const proxy::Proxy::Update> update,
                                        registry::ConsulHttp consul,
                                        std::vector<UpstreamListener> listeners, Duration limit) {
  struct Socket {
    std::string upstream;
    std::string id;
    bool inherited;
    Descriptor descriptor;
  };
  const TimePoint deadline = Clock::now() + limit;
  const auto answers = std::make_shared<Answers<bool>>(main_, workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    // Owned until the worker takes them: one that never comes to it leaks nothing.
    auto own = std::make_shared<std::vector<Socket>>();
    for (auto& listener : listeners) {
      auto& sockets = listener.bound.sockets;
      own->push_back({listener.upstream, listener.id, listener.bound.inherited,
                      sockets.empty() ? Descriptor() : std::move(sockets[i])});
    }
    asio::post(worker->io, [worker, answers, i, update, consul, own, deadline] {
      std::vector<proxy::Proxy::Listener> taken;
      for (auto& socket : *own) {
        taken.push_back(
            {socket.upstream, socket.descriptor.release(), socket.inherited, socket.id});
      }
      worker->completer->set_options(consul);
      worker->proxy->apply(*update, std::move(taken));
      // The next reload may want an address that this one closed.
      asio::co_spawn(worker->io, worker->proxy->wait_closed(deadline),
                     [answers, i](const std::exception_ptr& /*error*/) { answers->give(i, true); });
    });
  }
  co_return co_await answers->wait(deadline);
}

net::Awaitable<bool> WorkerGroup::drain(TimePoint deadline) {
  const auto answers = std::make_shared<Answers<bool>>(main_, workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    asio::post(worker->io, [worker, answers, i] {
      worker->proxy->begin_drain([answers, i] { answers->give(i, true); });
    });
  }
  co_return co_await answers->wait(deadline);
}

void WorkerGroup::stop() {
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) {
      asio::post(worker->io, [one = worker.get()] {
        if (one->proxy) {
          one->proxy->stop();
        }
        one->io.stop();
      });
    }
  }
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) {
      worker->thread.join();
    }
  }
}

}  // namespace pilotfish::app
