#pragma once

#include <cstdint>
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
  [[nodiscard]] const std::string& trailers() const { return chunked_.trailers(); }

 private:
  Framing framing_ = Framing::kNone;
  bool done_ = true;
  std::uint64_t left_ = 0;
  ChunkedDecoder chunked_;
};

}  // namespace pilotfish::http
