#include "tests/fuzz/slices.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace pilotfish::fuzz {

Slices::Slices(Kind kind, std::string_view text)
    : kind_(kind), left_(text), state_(digest(text) | 1U) {}

std::string_view Slices::next() {
  std::size_t size = left_.size();
  if (kind_ == Kind::kSingle) {
    size = 1;
  } else if (kind_ == Kind::kMixed) {
    // xorshift64: pieces of 1 to 32 bytes, short ones more often.
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    size = 1 + (state_ % 32) / (1 + (state_ >> 32U) % 4);
  }
  const auto piece = left_.substr(0, std::min(size, left_.size()));
  left_.remove_prefix(piece.size());
  return piece;
}

std::uint64_t Slices::digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a; its multiplication may wrap
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

void require(bool condition, const char* what, std::string_view detail) {
  if (!condition) {
    std::fprintf(stderr, "broken: %s\n%.*s\n", what, static_cast<int>(detail.size()),
                 detail.data());
    std::abort();
  }
}

}  // namespace pilotfish::fuzz
