#include "bench/report/html_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "bench/report/html_text.hpp"
#include "tests/unit/bench/sample_result.hpp"

namespace pilotfish::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

RunResult full() {
  auto result = sample_result(five_contenders(), {"64 connections", "256 connections"});
  result.timelines = {sample_timeline("pilotfish", 5), sample_timeline("haproxy", 300)};
  for (auto& each : result.timelines) each.test_case = "64 connections";
  return result;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

TEST(HtmlText, EscapesAllThatHtmlReads) {
  EXPECT_EQ(html("<a href='x'>\"&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
}

TEST(HtmlText, KeepsUtf8AndReplacesWhatIsNone) {
  const std::string replaced = "\xef\xbf\xbd";
  EXPECT_EQ(clean_text("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f\t\n"),
            "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f\t\n");
  EXPECT_EQ(clean_text(std::string_view("a\0b", 3)), "a" + replaced + "b");
  EXPECT_EQ(clean_text("\x1b[1m\x7f"), replaced + "[1m" + replaced);
  EXPECT_EQ(clean_text("\xc0\xaf"), replaced + replaced);                 // overlong
  EXPECT_EQ(clean_text("\xed\xa0\x80"), replaced + replaced + replaced);  // a surrogate
  EXPECT_EQ(clean_text("\xe2\x82"), replaced + replaced);                 // cut off
  EXPECT_EQ(clean_text("\xc2\x85"), replaced);                            // C1
}

TEST(HtmlReport, ComesFromOneFileAlone) {
  const auto page = report_html(full());
  for (const char* word : {"<script", "src=", "url(", "@import", "<link", "http://", "https://"}) {
    EXPECT_THAT(page, Not(HasSubstr(word))) << word;
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(HtmlReport, HasPicturesAndTheSameAsTables) {
  const auto page = report_html(full());
  EXPECT_THAT(page, HasSubstr("Latency by percentile"));
  EXPECT_EQ(count(page, "All figures as a table"), 2U);
  EXPECT_EQ(count(page, "Latencies as a table"), 2U);
  EXPECT_EQ(count(page, "Instances as a table"), 2U);
  EXPECT_THAT(page, HasSubstr("#1 killed"));
  EXPECT_THAT(page, HasSubstr("7 requests failed."));
  EXPECT_THAT(page, HasSubstr("the other 295"));
  EXPECT_THAT(page, HasSubstr("and 261 more"));
  EXPECT_EQ(count(page, "<svg"), count(page, "</svg>"));
  EXPECT_EQ(count(page, "<details"), count(page, "</details>"));
  EXPECT_EQ(count(page, "<table"), count(page, "</table>"));
  EXPECT_THAT(page, HasSubstr("aria-label=\"Latency by percentile"));
}

TEST(HtmlReport, EscapesWhateverItIsGiven) {
  const std::string evil = "<b>\"'&</script>";
  auto result = sample_result({{evil, 13}, {"haproxy", 15}}, {evil});
  result.scenario = result.date = result.version = evil;
  result.machine.kernel = result.machine.processor = evil;
  result.options = {{evil, evil}};
  result.arguments = {evil};
  result.notes = {evil};
  result.contenders[0] = {evil, evil, evil, evil};
  result.measurements[0].figures[evil] = 1;
  result.timelines = {sample_timeline(evil, 3)};
  result.timelines[0].requests[evil] = result.timelines[0].requests["#1"];
  result.timelines[0].events.push_back({10, evil});
  const auto page = report_html(result);
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, Not(HasSubstr("</script>")));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&quot;&#39;&amp;"));
}

TEST(HtmlReport, SaysThatNothingWasMeasured) {
  EXPECT_THAT(report_html(RunResult()), HasSubstr("Nothing was measured"));
  RunResult result;
  result.timelines.resize(1);
  EXPECT_THAT(report_html(result), Not(HasSubstr("Nothing was measured")));
}

TEST(HtmlReport, StandsOddValues) {
  auto result = sample_result({{"pilotfish", 13}, {"haproxy", 0}});
  for (auto& each : result.measurements) {
    each.figures["zero_us"] = 0;
    each.figures["minus_us"] = -5;
    each.figures["huge_us"] = 1e300;
    each.figures["none"] = std::numeric_limits<double>::quiet_NaN();
    each.latency = {{0, 0}, {1, 0}};
  }
  EXPECT_THAT(report_html(result), Not(HasSubstr("nan")));
  result.measurements[0].latency = {{0.5, 3}};
  EXPECT_THAT(report_html(result), HasSubstr("Latency by percentile"));
}

TEST(HtmlReport, ComparesNobodyWithDirect) {
  EXPECT_THAT(report_html(sample_result({{"direct", 0}, {"pilotfish", 13}})),
              Not(HasSubstr("At a glance")));
  EXPECT_THAT(report_html(sample_result({{"haproxy", 12}, {"pilotfish", 13}})),
              HasSubstr("of haproxy"));
}

TEST(HtmlReport, SaysOnceWhatIsTheSameForAll) {
  const auto page = report_html(sample_result({{"haproxy", 12}, {"pilotfish", 13}}));
  EXPECT_THAT(page, HasSubstr("The same for all: failed requests 0."));
}

TEST(HtmlReport, SaysThatTheMachineWasBusy) {
  auto result = sample_result({{"pilotfish", 13}});
  EXPECT_THAT(report_html(result), Not(HasSubstr("other work")));
  result.machine.load_before = 7;
  EXPECT_THAT(report_html(result), HasSubstr("7.00: the machine had other work"));
}

TEST(HtmlReport, QuotesTheCommandLine) {
  auto result = sample_result({{"pilotfish", 13}});
  result.arguments = {"bench", "steady", "--out", "it's here"};
  EXPECT_THAT(report_html(result),
              HasSubstr("pilotfish-lab bench steady --out &#39;it&#39;\\&#39;&#39;s here&#39;"));
}

}  // namespace
}  // namespace pilotfish::bench
