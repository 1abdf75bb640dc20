#include "bench/harness/bulk_drive.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "bench/harness/raw_sockets.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kChunk = 256UL * 1024;
constexpr std::int64_t kTick = 10'000'000;  // ns

struct Stream {
  Descriptor socket;
  std::size_t target = 0;
  bool queued = false;
};

}  // namespace

struct BulkDrive::State {
  explicit State(const BulkOptions& wanted)
      : options(wanted),
        streams(std::max<std::size_t>(wanted.connections, 1)),
        buffer(kChunk, 'x') {
    for (std::size_t i = 0; i < streams.size(); ++i) streams[i].target = i % options.targets.size();
  }

  void run() {
    while (!stop_wanted) {
      for (auto& stream : streams) {
        if (!stream.socket.open()) connect(stream);
      }
      poller.wait(going_on.empty() ? kTick : 0, [this](const auto& event) {
        auto& stream = *static_cast<Stream*>(event.owner);
        if (stream.socket.open()) move(stream);
      });
      for (auto* stream : std::exchange(going_on, {})) {
        stream->queued = false;
        if (stream->socket.open()) move(*stream);
      }
    }
  }

  void connect(Stream& stream) {
    stream.socket = connect_to(options.targets[stream.target]);
    if (stream.socket.open()) poller.add(stream.socket.get(), &stream);
  }

  /// A few chunks at most, so that all streams have their turn.
  void move(Stream& stream) {
    for (int i = 0; i < 4; ++i) {
      const auto moved =
          options.upload ? ::send(stream.socket.get(), buffer.data(), buffer.size(), MSG_NOSIGNAL)
                         : ::recv(stream.socket.get(), buffer.data(), buffer.size(), 0);
      if (moved < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
      if (moved <= 0) {
        stream.socket.reset();
        failed.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      bytes.fetch_add(static_cast<std::uint64_t>(moved), std::memory_order_relaxed);
    }
    if (!stream.queued) going_on.push_back(&stream);
    stream.queued = true;
  }

  const BulkOptions options;
  Poller poller;
  std::vector<Stream> streams;
  std::vector<Stream*> going_on;
  std::vector<char> buffer;
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<bool> stop_wanted{false};
  TimePoint counted_from = Clock::now();
  std::uint64_t bytes_before = 0;
  std::uint64_t failed_before = 0;
};

BulkDrive::BulkDrive(const BulkOptions& options)
    : state_(std::make_unique<State>(options)), thread_([this] { state_->run(); }) {}

BulkDrive::~BulkDrive() {
  if (thread_.joinable()) stop();
}

void BulkDrive::reset() {
  state_->bytes_before = state_->bytes;
  state_->failed_before = state_->failed;
  state_->counted_from = Clock::now();
}

BulkReport BulkDrive::stop() {
  BulkReport report;
  report.bytes = state_->bytes - state_->bytes_before;
  report.failed = state_->failed - state_->failed_before;
  report.during = Clock::now() - state_->counted_from;
  state_->stop_wanted = true;
  thread_.join();
  return report;
}

}  // namespace pilotfish::bench
