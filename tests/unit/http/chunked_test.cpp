#include "http/chunked.hpp"

#include <gtest/gtest.h>
#include <string>

namespace pilotfish::http {
namespace {

using State = ChunkedDecoder::State;

struct Decoded {
  State state = State::kMore;
  std::string data;
  std::size_t rest = 0;
  std::string trailers;
};

/// Decodes `bytes` in pieces of `step`.
Decoded decode(const std::string& bytes, std::size_t step) {
  ChunkedDecoder decoder;
  Decoded out;
  std::size_t at = 0;
  while (at < bytes.size() && out.state == State::kMore) {
    std::string piece = bytes.substr(at, step);
    const auto result = decoder.decode(piece);
    out.data.append(result.data);
    out.state = result.state;
    at += result.consumed;
    if (out.state == State::kMore) {
      EXPECT_EQ(result.consumed, piece.size());
    }
  }
  out.rest = bytes.size() - at;
  out.trailers = decoder.trailers();
  return out;
}

TEST(ChunkedDecoder, GivesTheSameDataHoweverTheBytesAreSliced) {
  const std::string body = "5\r\nhello\r\n1;a=b\r\n \r\n00006\r\nworld!\r\n0\r\nX: y\r\n\r\nGET";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    const auto out = decode(body, step);
    EXPECT_EQ(out.state, State::kDone) << step;
    EXPECT_EQ(out.data, "hello world!") << step;
    EXPECT_EQ(out.rest, 3U) << step;
    EXPECT_EQ(out.trailers, "X: y\r\n\r\n") << step;
  }
}

TEST(ChunkedDecoder, MovesTheDataOfOneReadTogether) {
  std::string bytes = "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  const auto step = decoder.decode(bytes);
  EXPECT_EQ(step.data, "abc");
  EXPECT_EQ(step.state, State::kDone);
}

TEST(ChunkedDecoder, RefusesOddSizesLineEndsAndExtensions) {
  const std::vector<std::string> bad{"0x5\r\n",
                                     "+5\r\n",
                                     "-5\r\n",
                                     "5_0\r\n",
                                     " 5\r\n",
                                     "5 \r\n",
                                     "5Z\r\n",
                                     "\r\n",
                                     "5\n",
                                     "5;\nhello",
                                     "2\r\r;a\r\n",
                                     "5\r\nhelloXX0\r\n",
                                     "5\r\nhello\n0\r\n",
                                     "ffffffffffffffed\r\n",
                                     "10000000000000005\r\n",
                                     "fffffffffffffffff\r\n",
                                     std::string("5;\0ext\r\n", 8),
                                     "5;a\x01\r\n",
                                     "5;\r\n",
                                     "5; \r\n",
                                     "5;a \r\n",
                                     "5;a;\r\n",
                                     "5;;a\r\n",
                                     "5;=a\r\n",
                                     "5;a=\r\n",
                                     "5;a= \r\n",
                                     "5;a=b \r\n",
                                     "5;a=b=c\r\n",
                                     "5;bad[=x\r\n",
                                     "5;a=b[\r\n",
                                     "5;a b\r\n",
                                     "5;a=b c\r\n",
                                     "5;\"a\"\r\n",
                                     "5;a=\"b\r\n",
                                     "5;a=\"b\"c\r\n",
                                     "5;a=b\"c\"\r\n",
                                     "5;a=\"\\\r\n",
                                     "5\r\nhelloworld",
                                     "0\r\nX: y\nA: b\r\n\r\n",
                                     "0\r\n\n",
                                     ";\r\n",
                                     "0\r\nX:\ry\r\n\r\n"};
  for (const auto& bytes : bad) {
    for (const std::size_t step : {std::size_t{1}, bytes.size()}) {
      EXPECT_EQ(decode(bytes, step).state, State::kBad) << testing::PrintToString(bytes);
    }
  }
}

TEST(ChunkedDecoder, TakesExtensionsOfEveryFormOfTheGrammar) {
  for (const std::string extension :
       {";a", ";a=b", " ; a", "\t;a \t= \tb", ";a;b", ";a ;b=c; d", ";a=\"\"", ";a=\"b;\\\" \xc3\"",
        ";a=\"b\" ;c", ";a = \"b\";c=d", ";!#$%&'*+-.^_`|~0=1"}) {
    const std::string bytes = "5" + extension + "\r\nhello\r\n0" + extension + "\r\n\r\n";
    for (const std::size_t step : {std::size_t{1}, bytes.size()}) {
      const auto out = decode(bytes, step);
      EXPECT_EQ(out.state, State::kDone) << bytes;
      EXPECT_EQ(out.data, "hello");
    }
  }
}

TEST(ChunkedDecoder, BoundsExtensionsAndTrailers) {
  EXPECT_EQ(decode("5;" + std::string(ChunkedDecoder::kMostExtension + 1, 'a'), 7).state,
            State::kBad);
  std::string trailers = "0\r\n";
  while (trailers.size() < ChunkedDecoder::kMostTrailers + 16) {
    trailers += "X: y\r\n";
  }
  EXPECT_EQ(decode(trailers, 1000).state, State::kBad);
}

TEST(ChunkHeader, IsHexadecimal) {
  std::array<char, 20> out{};
  const auto size = write_chunk_header(0x1f40, out);
  EXPECT_EQ(std::string(out.data(), size), "1f40\r\n");
}

}  // namespace
}  // namespace pilotfish::http
