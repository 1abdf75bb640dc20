#include "bench/harness/answer_reader.hpp"

#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using Progress = AnswerReader::Progress;

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nX-Instance: #1\r\n\r\nhello";

TEST(AnswerReader, TakesAnAnswerInAnyPieces) {
  for (std::size_t first = 1; first < kAnswer.size(); ++first) {
    AnswerReader reader;
    reader.expect_http();
    EXPECT_EQ(reader.feed(kAnswer.substr(0, first)), Progress::kMore) << first;
    EXPECT_EQ(reader.feed(kAnswer.substr(first)), Progress::kDone) << first;
    EXPECT_EQ(reader.status(), 200U);
    EXPECT_FALSE(reader.close());
  }
}

TEST(AnswerReader, TakesOneByteAtATimeAndThenTheNextAnswer) {
  AnswerReader reader;
  for (int i = 0; i < 2; ++i) {
    reader.expect_http();
    EXPECT_FALSE(reader.begun());
    for (std::size_t at = 0; at + 1 < kAnswer.size(); ++at) {
      ASSERT_EQ(reader.feed(kAnswer.substr(at, 1)), Progress::kMore) << at;
    }
    EXPECT_TRUE(reader.begun());
    EXPECT_EQ(reader.feed(kAnswer.substr(kAnswer.size() - 1)), Progress::kDone);
  }
}

TEST(AnswerReader, SeesThatTheConnectionEnds) {
  AnswerReader reader;
  reader.expect_http();
  EXPECT_EQ(reader.feed("HTTP/1.1 503 No\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n"),
            Progress::kDone);
  EXPECT_EQ(reader.status(), 503U);
  EXPECT_TRUE(reader.close());
}

TEST(AnswerReader, RefusesWhatItCannotFrame) {
  const auto first = [](std::string_view text) {
    AnswerReader reader;
    reader.expect_http();
    return reader.feed(text);
  };
  EXPECT_EQ(first("HTTP/1.1 200 OK\r\n\r\n"), Progress::kBad);
  EXPECT_EQ(first("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n"), Progress::kBad);
  EXPECT_EQ(first("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Progress::kBad);
  EXPECT_EQ(first("SSH-2.0-x\r\n\r\n"), Progress::kBad);
  EXPECT_EQ(first("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"), Progress::kBad);
}

TEST(AnswerReader, CountsPlainBytes) {
  AnswerReader reader;
  reader.expect_bytes(5);
  EXPECT_EQ(reader.feed("HTT"), Progress::kMore);
  EXPECT_EQ(reader.feed("P/"), Progress::kDone);
  reader.expect_bytes(1);
  EXPECT_EQ(reader.feed("ab"), Progress::kBad);
}

}  // namespace
}  // namespace pilotfish::bench
