#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pilotfish::http {

/// Strict decoder of the chunked coding (RFC 9112 section 7.1), in place: the data of one read is
/// moved together at the front of the bytes it came in, so that it goes on as one chunk, however
/// small its chunks were. Beast's parser hands chunks out one by one and accepts more forms; this
/// one refuses signs, spaces before the line end, bare LF and extensions that do not follow the
/// grammar.
/// Pure. Thread-safety: none.
class ChunkedDecoder {
 public:
  enum class State : std::uint8_t { kMore, kDone, kBad };

  struct Step {
    State state = State::kMore;
    std::string_view data;     ///< decoded bytes of this step; a view into the input
    std::size_t consumed = 0;  ///< input bytes used; after kDone the rest is not of this body
  };
  /// Decodes as much as is there. Everything is consumed unless kDone or kBad.
  [[nodiscard]] Step decode(std::span<char> input);

  /// After kDone: the trailer section with its final empty line; just CRLF where there is none.
  [[nodiscard]] const std::string& trailers() const { return trailers_; }

  /// Bytes of extensions in all and of trailers that are put up with.
  static constexpr std::size_t kMostExtension = 16UL * 1024;
  static constexpr std::size_t kMostTrailers = 16UL * 1024;

 private:
  enum class At : std::uint8_t {
    kSizeFirst,
    kSize,
    kSizeSpace,
    kName,
    kNameBlank,
    kValue,
    kValueBlank,
    kQuoted,
    kQuotedPair,
    kQuotedEnd,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kDone,
    kBad
  };
  bool header_byte(char c);
  bool extension_byte(char c);
  bool trailer_byte(char c);

  At at_ = At::kSizeFirst;
  std::uint64_t left_ = 0;
  unsigned digits_ = 0;
  std::size_t extension_ = 0;
  bool name_ = false;     ///< an extension's name or value has begun
  std::size_t line_ = 0;  ///< bytes of the current trailer line
  std::string trailers_;
};

/// Writes "SIZE\r\n" in hexadecimal into `out`; returns its length.
[[nodiscard]] std::size_t write_chunk_header(std::uint64_t size, std::span<char, 20> out);

}  // namespace pilotfish::http
