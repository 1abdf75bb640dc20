#include <array>
#include <boost/json.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "app/access_format.hpp"
#include "app/logger.hpp"

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

const std::chrono::system_clock::time_point kWhen{1763690400s + 7ms};

/// What a logger wrote, through a pipe.
template <class Log>
std::string logged(config::LogFormat format, Log log) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Descriptor in(ends[0]);
  {
    const Descriptor out(ends[1]);
    LineWriter writer(out.get(), {});
    SpdLogger logger(writer, LogLevel::kInfo, format);
    log(logger);
  }
  std::string text(4096, '\0');
  const ssize_t size = ::read(in.get(), text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

TEST(Logger, WritesTextWithTimeLevelMessageAndFields) {
  const auto text = logged(config::LogFormat::kText, [](Logger& logger) {
    logger.warn("tier changed", {{"upstream", "billing"}, {"reason", "0 of 1 healthy"}});
  });
  EXPECT_THAT(text, MatchesRegex("[0-9]{4}-[0-9-]+T[0-9:.]+[+-][0-9:]+ warning "
                                 "tier changed upstream=billing reason=\"0 of 1 healthy\"\n"));
}

TEST(Logger, CannotBeMadeToForgeALine) {
  for (const auto format : {config::LogFormat::kText, config::LogFormat::kJson}) {
    const auto text = logged(format, [](Logger& logger) {
      logger.info("x\n2025-01-01 error", {{"value", "a\n2025-01-01 error\x1b[2J\",\"k\":\"v"}});
    });
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  }
}

TEST(Logger, WritesJsonLinesThatParse) {
  const auto text = logged(config::LogFormat::kJson, [](Logger& logger) {
    logger.error("it \"broke\"", {{"why", "\xff{}%v"}});
  });
  const auto line = boost::json::parse(text);
  EXPECT_EQ(line.at("level").as_string(), "error");
  EXPECT_EQ(line.at("message").as_string(), "it \"broke\"");
  EXPECT_EQ(line.at("why").as_string(), "\xc3\xbf{}%v");
}

TEST(Logger, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_EQ(logged(config::LogFormat::kText, [](Logger& logger) { logger.debug("no"); }), "");
}

proxy::AccessRecord record() {
  proxy::AccessRecord record;
  record.upstream = "billing";
  record.client = *Endpoint::parse("127.0.0.1:50000");
  record.method = "GET";
  record.target = "/a?b";
  record.status = 200;
  record.bytes_out = 12;
  record.duration = 1234567ns;
  record.instance = "10.0.0.1:80";
  record.tier = 0;
  record.tier_name = "v4";
  record.tier_reason = "first answer";
  record.tries = 1;
  return record;
}

std::string line_of(const proxy::AccessRecord& record, config::LogFormat format) {
  std::string out;
  append_access_line(out, record, kWhen, format);
  return out;
}

TEST(AccessLine, SaysWhoAskedForWhatAndWhichInstanceOfWhichTierServed) {
  EXPECT_EQ(line_of(record(), config::LogFormat::kText),
            "time=2025-11-21T02:00:00.007Z upstream=billing client=127.0.0.1:50000 method=GET "
            "target=/a?b status=200 bytes_in=0 bytes_out=12 duration_ms=1.234 "
            "instance=10.0.0.1:80 tier=0 tier_name=v4 tier_reason=\"first answer\" tries=1\n");
}

TEST(AccessLine, IsJsonWithTheSameFields) {
  auto one = record();
  one.target = "/\"\n\xff";
  const auto text = line_of(one, config::LogFormat::kJson);
  EXPECT_THAT(text, EndsWith("}\n"));
  const auto line = boost::json::parse(text);
  EXPECT_EQ(line.at("time").as_string(), "2025-11-21T02:00:00.007Z");
  EXPECT_EQ(line.at("target").as_string(), "/\"\n\xc3\xbf");
  EXPECT_EQ(line.at("status").as_int64(), 200);
  EXPECT_DOUBLE_EQ(line.at("duration_ms").as_double(), 1.234);
  EXPECT_EQ(line.at("error").as_string(), "");
}

TEST(AccessLine, CannotBeForgedByATarget) {
  auto one = record();
  one.target = "/ status=500\ntime=x";
  const auto text = line_of(one, config::LogFormat::kText);
  EXPECT_THAT(text, HasSubstr(R"(target="/ status=500\ntime=x")"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(AccessLine, OfATcpConnectionHasNoMethodTargetAndStatus) {
  auto one = record();
  one.method = {};
  one.target = {};
  one.status = 0;
  one.error = "connection_timeout";
  const auto text = line_of(one, config::LogFormat::kText);
  EXPECT_EQ(text.find("status="), std::string::npos);
  EXPECT_THAT(text, EndsWith("error=connection_timeout\n"));
}

}  // namespace
}  // namespace pilotfish::app
