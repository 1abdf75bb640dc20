#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "net/buffer.hpp"
#include "net/pipe.hpp"
#include "net/stream.hpp"
#include "net/write.hpp"

namespace pilotfish::net {

/// A stream that can hand bytes to a pipe and take them from one without copying. Optional: what
/// carries bytes between two streams copies unless both can (a TLS stream cannot).
template <class S>
concept Splices = Stream<S> && requires(S& stream, Pipe& pipe, std::size_t most) {
  /// Takes up to `most` bytes of the stream into the empty `pipe`; errors as try_read(), but eof
  /// and would_block only mean that it took nothing (see read_some).
  { stream.try_splice_to(pipe, most) } -> std::same_as<IoResult>;
  /// Writes what the stream takes now of what `pipe` holds; errors as try_write().
  { stream.try_splice_from(pipe) } -> std::same_as<IoResult>;
};

/// Whether the next bytes of one direction are worth a pipe. Pure; no I/O.
class SpliceChoice {
 public:
  /// So many large reads, one after the other, make a stream bulk.
  static constexpr std::uint32_t kProof = 4;
  /// So little moved at a time, so often in a row, and it is bulk no more: a copy of this size
  /// costs less than a second call.
  static constexpr std::size_t kThin = 8UL * 1024;
  static constexpr std::uint32_t kMostThin = 4;

  [[nodiscard]] bool wanted() const { return large_ >= kProof; }
  /// The length is known and large: no proof needed.
  void expect_bulk() { large_ = kProof; }
  /// A read brought `size` bytes; none: not yet.
  void copied(std::size_t size) {
    if (size > 0) {
      large_ = size < kThin ? 0 : large_ + 1;
    }
  }
  void spliced(std::size_t size) {
    if (size > 0) {
      thin_ = size < kThin ? thin_ + 1 : 0;
    }
    if (thin_ >= kMostThin) {
      refuse();
    }
  }
  /// Copy until it proves bulk again.
  void refuse() { large_ = thin_ = 0; }

 private:
  std::uint32_t large_ = 0;
  std::uint32_t thin_ = 0;
};

/// What one direction needs to splice.
struct SpliceWay {
  explicit SpliceWay(PipePool& pool) : pipe(pool) {}
  PipeLease pipe;
  SpliceChoice choice;
};

/// Reads once what is there: into the pipe of `way`, at most `most` bytes, where that is worth it
/// and both streams can; otherwise into `buffer`.
///
/// Out-of-band data, which a read skips, stops a splice for good: it finds nothing although there
/// is something, and where the peer has ended it even takes that for the end. So only a read says
/// that nothing is there, or that the stream has ended.
template <Stream To, Stream From>
[[nodiscard]] IoResult read_some(From& from, Buffer& buffer, SpliceWay& way, std::uint64_t most) {
  if constexpr (Splices<From> && Splices<To>) {
    if (most > 0 && way.choice.wanted() && way.pipe.hold()) {
      const auto [error, size] = from.try_splice_to(
          *way.pipe, static_cast<std::size_t>(std::min<std::uint64_t>(most, PipePool::kCapacity)));
      const bool copies =
          error == asio::error::eof || would_block(error) || error == asio::error::invalid_argument;
      if (!copies) {
        way.choice.spliced(size);
        return {error, size};  // told of an error the kernel forgets it: a read would find the end
      }
    }
  }
  const auto [error, size] = from.try_read(buffer.make_room());
  buffer.commit(size);
  way.choice.copied(size);
  return {error, size};
}

/// Writes what goes at once of what the pipe holds. True where all of it went, or `error` is set;
/// false: wait and go on.
template <Splices S>
[[nodiscard]] bool drain_now(S& stream, Pipe& pipe, ErrorCode& error) {
  while (pipe.held() > 0) {
    const auto [failed, sent] = stream.try_splice_from(pipe);
    if (would_block(failed)) {
      return false;
    }
    if (failed) {
      error = failed;
      return true;
    }
  }
  return true;
}

/// Writes the rest; `progress()` as in keep_writing().
template <Splices S, class Progress>
[[nodiscard]] Awaitable<ErrorCode> drain_rest(S& stream, Pipe& pipe, Progress progress) {
  auto write = [&stream, &pipe](ErrorCode& error) { return drain_now(stream, pipe, error); };
  return keep_writing(stream, std::move(write), std::move(progress));
}

}  // namespace pilotfish::net
