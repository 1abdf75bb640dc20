#include "http/chunked.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "http/grammar.hpp"

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

bool is_blank(char c) {
  return c == ' ' || c == '\t';
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
        at_ = At::kName;
        name_ = false;
        return ++extension_ <= kMostExtension;
      }
      if (is_blank(c)) {  // BWS, only before an extension
        at_ = At::kSizeSpace;
        return ++extension_ <= kMostExtension;
      }
      if (c == '\r' && at_ == At::kSize) {
        at_ = At::kSizeLf;
        return true;
      }
      return false;
    case At::kSizeLf:
      if (c != '\n') {
        return false;
      }
      digits_ = 0;
      at_ = left_ > 0 ? At::kData : At::kTrailer;
      return true;
    default: return ++extension_ <= kMostExtension && extension_byte(c);
  }
}

bool ChunkedDecoder::extension_byte(char c) {
  // *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112 section 7.1.1.
  switch (at_) {
    case At::kName:
    case At::kValue:
      if (is_token_octet(c)) {
        name_ = true;
        return true;
      }
      if (!name_) {
        if (c == '"' && at_ == At::kValue) {
          at_ = At::kQuoted;
          return true;
        }
        return is_blank(c);
      }
      break;
    case At::kQuoted:
      if (c == '"') {
        at_ = At::kQuotedEnd;
      } else if (c == '\\') {
        at_ = At::kQuotedPair;
      }
      return is_text_octet(c);
    case At::kQuotedPair: at_ = At::kQuoted; return is_text_octet(c);
    default: break;
  }
  const bool of_name = at_ == At::kName || at_ == At::kNameBlank;
  const bool blank_before = at_ == At::kNameBlank || at_ == At::kValueBlank;
  if (is_blank(c)) {
    at_ = of_name ? At::kNameBlank : At::kValueBlank;
    return true;
  }
  name_ = false;
  if (c == ';' || (c == '=' && of_name)) {
    at_ = c == ';' ? At::kName : At::kValue;
    return true;
  }
  at_ = At::kSizeLf;
  return c == '\r' && !blank_before;
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
