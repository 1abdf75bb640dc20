#include "http/chunked.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace pilotfish::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && octet != '\t') || octet == 0x7f;
}

}  // namespace

bool ChunkedDecoder::header_byte(char c) {
  switch (at_) {
    case At::kSizeFirst:
    case At::kSize: {
      if (const int digit = hex_value(c); digit >= 0) {
        // 15 digits hold every size below 2^60; leading zeros count, so that they end too.
        if (++digits_ > 15) {
          return false;
        }
        left_ = left_ * 16 + static_cast<unsigned>(digit);
        at_ = At::kSize;
        return true;
      }
      if (at_ == At::kSizeFirst) {
        return false;
      }
      [[fallthrough]];
    }
    case At::kSizeSpace:
      if (c == ';') {
        at_ = At::kExtension;
        return true;
      }
      if (c == ' ' || c == '\t') {  // BWS, only before an extension
        at_ = At::kSizeSpace;
        return ++extension_ <= kMostExtension;
      }
      if (c == '\r' && at_ == At::kSize) {
        at_ = At::kSizeLf;
        return true;
      }
      return false;
    case At::kExtension:
      if (c == '\r') {
        at_ = At::kSizeLf;
        return true;
      }
      return !is_control(c) && ++extension_ <= kMostExtension;
    case At::kSizeLf:
      if (c != '\n') {
        return false;
      }
      digits_ = 0;
      at_ = left_ > 0 ? At::kData : At::kTrailer;
      return true;
    default: return false;
  }
}

bool ChunkedDecoder::trailer_byte(char c) {
  if (trailers_.size() >= kMostTrailers) {
    return false;
  }
  trailers_.push_back(c);
  if (c == '\n') {
    if (trailers_.size() < 2 || trailers_[trailers_.size() - 2] != '\r') {
      return false;
    }
    if (line_ == 1) {
      at_ = At::kDone;
    }
    line_ = 0;
    return true;
  }
  if (line_ > 0 && trailers_[trailers_.size() - 2] == '\r') {
    return false;  // a CR that no LF follows
  }
  ++line_;
  return true;
}

ChunkedDecoder::Step ChunkedDecoder::decode(std::span<char> input) {
  Step step;
  char* out = nullptr;  // end of the data gathered so far
  char* first = nullptr;
  std::size_t i = 0;
  while (i < input.size() && at_ != At::kDone && at_ != At::kBad) {
    if (at_ == At::kData) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - i));
      if (first == nullptr) {
        first = out = input.data() + i;
      } else if (out != input.data() + i) {
        std::memmove(out, input.data() + i, n);
      }
      out += n;
      i += n;
      left_ -= n;
      if (left_ == 0) {
        at_ = At::kDataCr;
      }
      continue;
    }
    const char c = input[i++];
    bool good = true;
    if (at_ == At::kDataCr) {
      good = c == '\r';
      at_ = At::kDataLf;
    } else if (at_ == At::kDataLf) {
      good = c == '\n';
      at_ = At::kSizeFirst;
    } else if (at_ == At::kTrailer) {
      good = trailer_byte(c);
    } else {
      good = header_byte(c);
    }
    if (!good) {
      at_ = At::kBad;
    }
  }
  step.consumed = i;
  if (first != nullptr) {
    step.data = {first, static_cast<std::size_t>(out - first)};
  }
  step.state = at_ == At::kDone ? State::kDone : at_ == At::kBad ? State::kBad : State::kMore;
  return step;
}

std::size_t write_chunk_header(std::uint64_t size, std::span<char, 20> out) {
  const auto written = std::to_chars(out.data(), out.data() + 18, size, 16);
  written.ptr[0] = '\r';
  written.ptr[1] = '\n';
  return static_cast<std::size_t>(written.ptr - out.data()) + 2;
}

}  // namespace pilotfish::http
