#include "bench/harness/farm.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <fmt/core.h>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bench/harness/answer_reader.hpp"
#include "bench/harness/raw_sockets.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kReadSize = 256UL * 1024;
constexpr std::size_t kLargestAnswer = 64UL * 1024 * 1024;
constexpr std::int64_t kPause = 20'000'000;  // how soon the end is noticed, in ns

struct Peer {
  Descriptor socket;
  std::size_t instance = 0;
  bool listener = false;
  bool close_after = false;
  bool queued = false;                  ///< in the list of those that go on without an event
  std::string head;                     ///< of a request that came in pieces
  std::size_t body_left = 0;            ///< of the request, to be dropped
  const std::string* answer = nullptr;  ///< owed once the body is in
  std::string_view out;                 ///< still to be written
  std::string echo;                     ///< what `out` is a view of, where it did not fit at once
};

/// N of `GET /N HTTP/1.1`; 100 where there is none.
std::size_t wanted_size(std::string_view head) {
  constexpr std::size_t kUsual = 100;
  const auto slash = head.find(" /");
  if (slash == std::string_view::npos) return kUsual;
  std::size_t size = 0;
  const auto* first = head.data() + slash + 2;
  if (std::from_chars(first, head.data() + head.size(), size).ec != std::errc()) return kUsual;
  return std::min(size, kLargestAnswer);
}

}  // namespace

struct Farm::State {
  using Kind = FarmOptions::Kind;

  explicit State(const FarmOptions& wanted) : kind(wanted.kind), buffer(kReadSize) {
    if (kind == Kind::kSource) buffer.assign(kReadSize, 'x');
    answers.resize(wanted.instances);
    for (std::size_t i = 0; i < wanted.instances; ++i) {
      auto [socket, endpoint] = listen_anywhere();
      auto peer = std::make_unique<Peer>();
      peer->socket = std::move(socket);
      peer->instance = i;
      peer->listener = true;
      poller.add(peer->socket.get(), peer.get());
      peers.push_back(std::move(peer));
      endpoints.push_back(endpoint);
    }
  }

  void run() {
    while (!stopping) {
      if (const auto pause = stall.exchange(0); pause > 0) {
        std::this_thread::sleep_for(std::chrono::nanoseconds(pause));
      }
      poller.wait(going_on.empty() ? kPause : 0, [this](const auto& event) {
        auto& peer = *static_cast<Peer*>(event.owner);
        if (peer.listener) {
          accept(peer);
        } else if (peer.socket.open()) {
          progress(peer, event.readable);
        }
      });
      for (auto* peer : std::exchange(going_on, {})) {
        peer->queued = false;
        if (peer->socket.open()) pour(*peer);
      }
      bury();
    }
  }

  void accept(const Peer& listener) {
    for (;;) {
      Descriptor socket(
          ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.open()) return;
      const int on = 1;
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      std::unique_ptr<Peer> peer;
      if (spare.empty()) {
        peer = std::make_unique<Peer>();
      } else {
        peer = std::move(spare.back());
        spare.pop_back();
      }
      peer->socket = std::move(socket);
      peer->instance = listener.instance;
      poller.add(peer->socket.get(), peer.get());
      peers.push_back(std::move(peer));
    }
  }

  void progress(Peer& peer, bool readable) {
    if (!peer.out.empty()) {
      if (!flush(peer)) return;
      readable = true;  // what arrived meanwhile makes no further event
    }
    if (kind == Kind::kSource) {
      pour(peer);
      return;
    }
    if (!readable) return;
    while (peer.socket.open() && peer.out.empty()) {
      const auto got = ::recv(peer.socket.get(), buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        end(peer);
        return;
      }
      const auto size = static_cast<std::size_t>(got);
      take(peer, {buffer.data(), size});
      if (size < buffer.size() && peer.out.empty()) return;
    }
  }

  void take(Peer& peer, std::string_view bytes) {
    if (kind == Kind::kHttp) {
      take_http(peer, bytes);
      return;
    }
    count.store(++counted, std::memory_order_relaxed);
    if (kind == Kind::kEcho) write(peer, bytes, true);
  }

  void take_http(Peer& peer, std::string_view bytes) {
    if (peer.body_left != 0) {
      if (bytes.size() > peer.body_left) return end(peer);
      peer.body_left -= bytes.size();
      if (peer.body_left == 0) respond(peer);
      return;
    }
    if (!peer.head.empty()) {
      peer.head.append(bytes);
      bytes = peer.head;
    }
    const auto size = head_size(bytes);
    if (size == 0) {
      if (peer.head.empty()) peer.head.assign(bytes);
      return;
    }
    const auto head = bytes.substr(0, size);
    const auto framing = framing_of(head);
    const auto body = bytes.size() - size;
    // Pipelining and chunked uploads are nothing that a drive sends and a proxy would make up.
    if (framing.bad || body > framing.length) return end(peer);
    peer.close_after = framing.close;
    peer.answer = &answer_of(peer.instance, wanted_size(head));
    peer.body_left = framing.length - body;
    peer.head.clear();
    if (peer.body_left == 0) respond(peer);
  }

  void respond(Peer& peer) {
    count.store(++counted, std::memory_order_relaxed);
    write(peer, *peer.answer, false);
  }

  const std::string& answer_of(std::size_t instance, std::size_t size) {
    auto& known = answers[instance][size];
    if (known.empty()) {
      known = fmt::format(
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
          "X-Instance: #{}\r\n\r\n",
          size, instance + 1);
      known.append(size, 'x');
    }
    return known;
  }

  /// What does not fit is kept: a view where the text stays, a copy where it does not.
  void write(Peer& peer, std::string_view text, bool copy) {
    peer.out = text;
    if (flush(peer) || !peer.socket.open() || !copy) return;
    std::string rest(peer.out);
    peer.echo = std::move(rest);
    peer.out = peer.echo;
  }

  /// True once everything is written.
  bool flush(Peer& peer) {
    while (!peer.out.empty()) {
      const auto written =
          ::send(peer.socket.get(), peer.out.data(), peer.out.size(), MSG_NOSIGNAL);
      if (written < 0) {
        if (errno != EAGAIN) end(peer);
        return false;
      }
      peer.out.remove_prefix(static_cast<std::size_t>(written));
    }
    if (!peer.close_after) return true;
    end(peer);
    return false;
  }

  /// Sends some of what has no end, and lets the others have their turn.
  void pour(Peer& peer) {
    for (int i = 0; i < 4; ++i) {
      const auto sent = ::send(peer.socket.get(), buffer.data(), buffer.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno != EAGAIN) end(peer);
        return;
      }
    }
    if (!peer.queued) going_on.push_back(&peer);
    peer.queued = true;
  }

  void end(Peer& peer) {
    peer.socket.reset();
    ++dead;
  }

  /// Ended ones are reused, but not while events of the same batch may still name them.
  void bury() {
    if (dead == 0 || (dead < 64 && !stopping)) return;
    const auto gone = std::stable_partition(peers.begin(), peers.end(),
                                            [](const auto& peer) { return peer->socket.open(); });
    for (auto it = gone; it != peers.end(); ++it) {
      **it = Peer{};
      spare.push_back(std::move(*it));
    }
    peers.erase(gone, peers.end());
    dead = 0;
  }

  const Kind kind;
  Poller poller;
  std::vector<char> buffer;
  std::vector<Endpoint> endpoints;
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::unique_ptr<Peer>> spare;
  std::vector<Peer*> going_on;
  std::vector<std::map<std::size_t, std::string>> answers;
  std::size_t dead = 0;
  std::uint64_t counted = 0;
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::int64_t> stall{0};
  std::atomic<bool> stopping{false};
};

Farm::Farm(const FarmOptions& options)
    : state_(std::make_unique<State>(options)), thread_([this] { state_->run(); }) {}

Farm::~Farm() {
  state_->stopping = true;
  thread_.join();
}

const std::vector<Endpoint>& Farm::endpoints() const {
  return state_->endpoints;
}

std::uint64_t Farm::requests() const {
  return state_->count.load(std::memory_order_relaxed);
}

void Farm::stall(Duration duration) {
  state_->stall = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

}  // namespace pilotfish::bench
