#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/body.hpp"
#include "http/head.hpp"

namespace pilotfish::proxy {

/// The body of one request on its way up: what was decoded, and what is kept so that a try can be
/// repeated (up to 64 KiB). Pure; views as long as their buffer lives.
class RequestBody {
 public:
  static constexpr std::size_t kKept = 64UL * 1024;
  static constexpr std::size_t kKeptIdle = 4096;

  /// `arrived` are the bytes behind the head, already read; may be rewritten (chunks move
  /// together). kBad: malformed; otherwise consumed() of them belong to this request.
  /// `repeatable`: the method allows a repeat after bytes were sent; where it does not nothing is
  /// kept of what comes later.
  http::BodyDecoder::State begin(http::Framing framing, std::uint64_t length,
                                 std::span<char> arrived, bool repeatable = true);

  /// Decodes more bytes of the client; keeps a copy while that fits.
  http::BodyDecoder::Step feed(std::span<char> arrived);

  /// How many of the next bytes may pass without feed(): nothing is kept of them any more.
  [[nodiscard]] std::uint64_t unread() const {
    return replayable_ && repeatable_ ? 0 : decoder_.plain_left();
  }
  void pass(std::uint64_t n) {
    replayable_ = false;
    received_ += n;
    decoder_.skip(n);
  }

  /// The request is over: gives back what a large body took.
  void release() {
    if (later_.capacity() > kKeptIdle) {
      std::string().swap(later_);
    }
    // Moved out first: a string that is assigned an empty one keeps its memory.
    const auto gone = std::move(decoder_);
    decoder_ = {};
  }

  [[nodiscard]] bool complete() const { return decoder_.done(); }
  [[nodiscard]] bool chunked() const { return framing_ == http::Framing::kChunked; }
  [[nodiscard]] std::size_t consumed_at_start() const { return consumed_; }
  /// What arrived with the head: stays in the client's buffer.
  [[nodiscard]] std::string_view first() const { return first_; }
  /// What arrived later and is kept for a repeat.
  [[nodiscard]] const std::string& later() const { return later_; }
  [[nodiscard]] bool replayable() const { return replayable_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// As they were read, once it is complete.
  [[nodiscard]] const std::string& trailers() const { return decoder_.trailers(); }
  /// The end of a chunked body: its last chunk. Trailers end here: there are servers of HTTP/1.1
  /// that take them for another request, or for fields of the next one. Empty for other framings;
  /// false where the trailers are malformed.
  [[nodiscard]] bool write_end(std::string& out) const;

 private:
  http::BodyDecoder decoder_;
  http::Framing framing_ = http::Framing::kNone;
  std::string_view first_;
  std::string later_;
  std::size_t consumed_ = 0;
  std::uint64_t received_ = 0;
  bool replayable_ = true;
  bool repeatable_ = true;
};

}  // namespace pilotfish::proxy
