#pragma once

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <ctime>
#include <functional>

#include "core/random.hpp"
#include "http/http_date.hpp"
#include "net/asio.hpp"
#include "net/buffer.hpp"
#include "net/deadlines.hpp"
#include "net/notifier.hpp"
#include "net/pipe.hpp"
#include "proxy/http_scratch.hpp"
#include "proxy/proxy.hpp"
#include "proxy/trouble_log.hpp"

namespace pilotfish::proxy {

/// One client connection as the worker knows it. Sessions own themselves (they are coroutines) and
/// leave the list when they end.
class Session : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;
  /// Ends after what runs now; at once where nothing does.
  virtual void drain() = 0;
  /// Its route table may have been retired: then it ends after its next answer, or when idle.
  virtual void leave() {}
  /// Ends now.
  virtual void cut() = 0;
};
using SessionList = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

/// What every part of one worker's data plane shares. Lives as long as the last session.
/// Thread-safety: none; one worker thread.
struct Worker {
  Worker(net::IoContext& io, const Shared& common, metrics::Store& metric_store)
      : context(io),
        executor(io.get_executor()),
        pipes(common.max_pipes / std::max(1U, common.worker_count)),
        deadlines(executor),
        shared(common),
        store(metric_store),
        random(common.seed),
        trouble(deadlines, *common.logger),
        room(executor) {}

  net::IoContext& context;
  net::Executor executor;
  net::BufferPool buffers;
  net::PipePool pipes;
  HttpScratchPool scratches;
  net::Deadlines deadlines;
  Shared shared;
  metrics::Store& store;
  Random random;
  http::HttpDate http_date;
  TroubleLog trouble;  ///< what a flood must not turn into one of lines

  SessionList sessions;
  std::size_t clients = 0;       ///< sessions alive
  std::size_t most_clients = 1;  ///< this worker's share of max_clients
  net::Notifier room;            ///< a session ended while accept was waiting
  bool draining = false;
  std::size_t finishing = 0;      ///< listeners that still take what the kernel accepted
  std::function<void()> on_idle;  ///< during a drain: the last session ended

  [[nodiscard]] Logger& log() const { return *shared.logger; }
  /// Now, as a `Date` field has it; good until asked again.
  [[nodiscard]] std::string_view date() { return http_date.text(std::time(nullptr)); }

  void session_started(Session& session) {
    sessions.push_back(session);
    ++clients;
  }
  void session_ended() {
    --clients;
    room.notify_all();
    check_idle();
  }
  void check_idle() {
    if (draining && clients == 0 && finishing == 0 && on_idle) {
      // Moved out first: the callback may tear the worker down.
      auto done = std::exchange(on_idle, nullptr);
      done();
    }
  }
};

}  // namespace pilotfish::proxy
