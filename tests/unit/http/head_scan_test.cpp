#include "http/head_scan.hpp"

#include <gtest/gtest.h>
#include <string>

namespace pilotfish::http {
namespace {

using State = HeadScan::State;

State scan_all(std::string_view bytes) {
  HeadScan scan;
  return scan.scan(bytes);
}

TEST(HeadScan, FindsTheEndHoweverTheBytesAreSliced) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
  for (std::size_t step = 1; step <= head.size(); ++step) {
    HeadScan scan;
    State state = State::kMore;
    for (std::size_t end = step; state == State::kMore; end += step) {
      const auto seen = std::min(end, head.size());
      state = scan.scan(std::string_view(head).substr(0, seen));
      if (seen == head.size()) {
        break;
      }
      EXPECT_EQ(state, State::kMore) << "step " << step << " at " << seen;
    }
    EXPECT_EQ(state, State::kFound) << "step " << step;
    EXPECT_EQ(scan.length(), head.size());
  }
}

TEST(HeadScan, LeavesWhatFollowsTheHead) {
  HeadScan scan;
  EXPECT_EQ(scan.scan("GET / HTTP/1.1\r\n\r\nbody"), State::kFound);
  EXPECT_EQ(scan.length(), 18U);
}

TEST(HeadScan, RefusesBareLineFeedsAtOnce) {
  EXPECT_EQ(scan_all("GET / HTTP/1.1\n"), State::kBad);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n"), State::kBad);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\n\n"), State::kBad);
}

TEST(HeadScan, RefusesFoldedLines) {
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nA: b\r\n c\r\n"), State::kBad);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\n\tA: b\r\n"), State::kBad);
}

TEST(HeadScan, RefusesWhatBeginsNoHeadWithoutWaitingForALine) {
  EXPECT_EQ(scan_all(std::string_view("\x16\x03\x01", 3)), State::kBad);
  EXPECT_EQ(scan_all(std::string_view("\0", 1)), State::kBad);
  EXPECT_EQ(scan_all(" GET"), State::kBad);
}

TEST(LeadingEmptyLines, AreIgnoredUpToTwo) {
  EXPECT_EQ(leading_empty_lines("GET"), 0U);
  EXPECT_EQ(leading_empty_lines("\r\nGET"), 2U);
  EXPECT_EQ(leading_empty_lines("\r\n\r\nGET"), 4U);
  EXPECT_EQ(leading_empty_lines("\r\n\r\n\r\nGET"), 4U);
  // However they arrive, two are all.
  EXPECT_EQ(leading_empty_lines("\r\nGET", 2), 2U);
  EXPECT_EQ(leading_empty_lines("\r\nGET", 4), 0U);
}

}  // namespace
}  // namespace pilotfish::http
