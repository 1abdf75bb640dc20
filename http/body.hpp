#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "http/chunked.hpp"
#include "http/head.hpp"

namespace pilotfish::http {

/// Takes a body out of the bytes of a connection, whatever its framing. Pure; one per message.
class BodyDecoder {
 public:
  using State = ChunkedDecoder::State;
  using Step = ChunkedDecoder::Step;

  void begin(Framing framing, std::uint64_t length) {
    framing_ = framing;
    left_ = length;
    done_ = framing == Framing::kNone || (framing == Framing::kLength && length == 0);
    if (framing == Framing::kChunked) {
      chunked_ = ChunkedDecoder{};
    }
  }

  /// `input` may be rewritten (chunks are moved together). After kDone the rest is not the body's.
  [[nodiscard]] Step decode(std::span<char> input) {
    if (done_) {
      return {State::kDone, {}, 0};
    }
    Step step;
    switch (framing_) {
      case Framing::kChunked: step = chunked_.decode(input); break;
      case Framing::kUntilClose:
        step = {State::kMore, {input.data(), input.size()}, input.size()};
        break;
      default: {
        const auto n = static_cast<std::size_t>(input.size() < left_ ? input.size() : left_);
        left_ -= n;
        step = {left_ == 0 ? State::kDone : State::kMore, {input.data(), n}, n};
      }
    }
    done_ = step.state == State::kDone;
    return step;
  }

  /// The connection ended: true where that ends the body rightly.
  [[nodiscard]] bool end_of_stream() {
    done_ = done_ || framing_ == Framing::kUntilClose;
    return done_;
  }
  [[nodiscard]] bool done() const { return done_; }
  /// Bytes still to come of which only their number matters: all but chunks. A body that the close
  /// ends has no end in sight.
  [[nodiscard]] std::uint64_t plain_left() const {
    if (done_ || framing_ == Framing::kChunked) {
      return 0;
    }
    return framing_ == Framing::kUntilClose ? std::numeric_limits<std::uint64_t>::max() : left_;
  }
  /// `n` of them went by without being looked at.
  void skip(std::uint64_t n) {
    if (framing_ != Framing::kUntilClose) {
      left_ -= n;
      done_ = left_ == 0;
    }
  }
  [[nodiscard]] const std::string& trailers() const { return chunked_.trailers(); }

 private:
  Framing framing_ = Framing::kNone;
  bool done_ = true;
  std::uint64_t left_ = 0;
  ChunkedDecoder chunked_;
};

}  // namespace pilotfish::http
