#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "net/stream.hpp"

namespace pilotfish::net {

/// Up to eight pieces that go out in one write; views, nothing owned. A value.
class Gather {
 public:
  void add(std::string_view piece) {
    if (!piece.empty()) {
      parts_[count_++] = asio::const_buffer(piece.data(), piece.size());
    }
  }
  [[nodiscard]] bool empty() const { return first_ == count_; }
  [[nodiscard]] std::span<const asio::const_buffer> parts() const {
    return {parts_.data() + first_, count_ - first_};
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t total = 0;
    for (const auto& part : parts()) {
      total += part.size();
    }
    return total;
  }
  void advance(std::size_t n) {
    while (first_ < count_ && n >= parts_[first_].size()) {
      n -= parts_[first_].size();
      ++first_;
    }
    if (first_ < count_) {
      parts_[first_] += n;
    }
  }

 private:
  std::array<asio::const_buffer, 8> parts_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

/// After so many reads in a row without waiting a loop goes through the reactor once, so that one
/// busy pair of peers does not hold the worker.
inline constexpr std::uint32_t kTurns = 16;

[[nodiscard]] inline bool would_block(const ErrorCode& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

/// Writes what goes at once. True where all of it went, or `error` is set; false: wait and go on.
template <Stream S>
[[nodiscard]] bool write_now(S& stream, Gather& gather, ErrorCode& error) {
  while (!gather.empty()) {
    const auto [failed, sent] = stream.try_write(gather.parts());
    if (would_block(failed)) {
      return false;
    }
    if (failed) {
      error = failed;
      return true;
    }
    gather.advance(sent);
  }
  return true;
}

/// Waits for the reader and calls `write(error)`, as write_now(), until all went. `progress()` runs
/// whenever bytes went (re-arms a deadline, whose expiry cancels the stream and so ends this with
/// operation_aborted).
template <Stream S, class Write, class Progress>
[[nodiscard]] Awaitable<ErrorCode> keep_writing(S& stream, Write write, Progress progress) {
  for (;;) {
    progress();
    const auto waited = co_await stream.wait_writable();
    if (std::get<0>(waited)) {
      co_return std::get<0>(waited);
    }
    ErrorCode error;
    if (write(error)) {
      co_return error;
    }
  }
}

/// Writes the rest; `progress()` as in keep_writing().
template <Stream S, class Progress>
[[nodiscard]] Awaitable<ErrorCode> write_rest(S& stream, Gather gather, Progress progress) {
  auto write = [&stream, gather](ErrorCode& error) mutable {
    return write_now(stream, gather, error);
  };
  return keep_writing(stream, std::move(write), std::move(progress));
}

}  // namespace pilotfish::net
