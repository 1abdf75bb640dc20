#include "app/service_manager.hpp"

#include <gmock/gmock.h>
#include <map>

#include "app/startup.hpp"
#include "app/worker_log.hpp"

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

config::Environment environment(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

MergedUpstream upstream(const std::string& name, bool serving, const std::string& why = "") {
  MergedUpstream merged;
  merged.status.name = name;
  merged.workers = 2;
  merged.workers_serving = serving ? 2 : 1;
  merged.not_serving_reason = why;
  return merged;
}

TEST(ServiceManager, TakesTheWatchdogsTimeForThisProcessAlone) {
  EXPECT_EQ(watchdog_time(environment({{"WATCHDOG_USEC", "20000000"}}), 7), Duration(20s));
  EXPECT_EQ(watchdog_time(environment({{"WATCHDOG_USEC", "500"}, {"WATCHDOG_PID", "7"}}), 7),
            Duration(500us));
  EXPECT_EQ(watchdog_time(environment({{"WATCHDOG_USEC", "500"}, {"WATCHDOG_PID", "8"}}), 7),
            std::nullopt);
  EXPECT_EQ(watchdog_time(environment({{"WATCHDOG_USEC", "500"}, {"WATCHDOG_PID", "x"}}), 7),
            std::nullopt);
}

TEST(ServiceManager, WantsNoWatchdogWhereNoneIsSetOrItsTimeIsNoNumber) {
  for (const char* value : {"", "0", "-1", "5s", "99999999999999999999"}) {
    EXPECT_EQ(watchdog_time(environment({{"WATCHDOG_USEC", value}}), 7), std::nullopt) << value;
  }
  EXPECT_EQ(watchdog_time(environment({}), 7), std::nullopt);
}

TEST(ServiceManager, StatusCountsUpstreamsAndConnections) {
  MergedStatus status;
  status.upstreams = {upstream("a", true), upstream("b", true), upstream("c", true)};
  EXPECT_EQ(service_status(status, 12, false), "12 client connections; 3 upstreams ready");
  status.upstreams = {upstream("a", true)};
  EXPECT_EQ(service_status(status, 1, false), "1 client connection; 1 upstream ready");
}

TEST(ServiceManager, StatusNamesWhatIsNotReadyAndWhy) {
  MergedStatus status;
  status.upstreams = {upstream("a", true), upstream("b", false, "tier 0 (v4) is empty")};
  EXPECT_EQ(service_status(status, 0, false),
            "0 client connections; 1 of 2 upstreams ready (b: tier 0 (v4) is empty)");
}

TEST(ServiceManager, StatusStaysOneShortLineWhateverTheReasonHolds) {
  MergedStatus status;
  status.upstreams = {upstream("a", false, "bad\nREADY=1\n" + std::string(900, 'x'))};
  const auto text = service_status(status, 0, false);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_LE(text.size(), 300U);
}

TEST(ServiceManager, StatusOfADrainCountsWhatIsLeft) {
  EXPECT_EQ(service_status({}, 2, true), "draining 2 client connections");
  EXPECT_EQ(service_status({}, 1, true), "draining 1 client connection");
}

TEST(Descriptors, CarryHalfAsManyClientsAsAreLeftBesideOurOwn) {
  EXPECT_EQ(clients_carried({.allowed = 60, .open = 12}, 1), 14U);
  EXPECT_EQ(clients_carried({.allowed = 20000, .open = 12}, 1), 9984U);
}

TEST(Descriptors, CarryAtLeastOneClientPerWorker) {
  EXPECT_EQ(clients_carried({.allowed = 20, .open = 19}, 1), 1U);
  EXPECT_EQ(clients_carried({.allowed = 20, .open = 19}, 3), 3U);
}

class Lines final : public Logger {
 public:
  void log(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string text(message);
    for (const auto& field : fields) {
      text += " " + std::string(field.key) + "=" + field.value;
    }
    lines.push_back(text);
  }
  std::vector<std::string> lines;
};

TEST(WorkerLogs, SaysOnceWhatSeveralWorkersFindOut) {
  Lines lines;
  WorkerLogs logs(lines, 3);
  for (std::size_t worker = 0; worker < 3; ++worker) {
    logs.of(worker).warn("tier fell", {{"upstream", "a"}});
  }
  logs.of(1).warn("tier fell", {{"upstream", "b"}});
  EXPECT_THAT(lines.lines, ElementsAre("tier fell upstream=a", "tier fell upstream=b"));
}

TEST(WorkerLogs, TheClientOfAnotherWorkerIsNoNews) {
  Lines lines;
  WorkerLogs logs(lines, 2);
  logs.of(0).warn("answered 503", {{"client", "10.0.0.1:1"}});
  logs.of(1).warn("answered 503", {{"client", "10.0.0.1:2"}});
  EXPECT_EQ(lines.lines.size(), 1U);
}

TEST(WorkerLogs, HowLongAnotherWorkerWaitedIsNoNewsButWhoIs) {
  Lines lines;
  WorkerLogs logs(lines, 3);
  logs.of(0).warn("lookup failed", {{"why", "web.test after 12 ms"}, {"instance", "10.0.0.1:80"}});
  logs.of(1).warn("lookup failed", {{"why", "web.test after 9 ms"}, {"instance", "10.0.0.1:80"}});
  EXPECT_EQ(lines.lines.size(), 1U);
  logs.of(2).warn("lookup failed", {{"why", "web.test after 9 ms"}, {"instance", "10.0.0.2:80"}});
  EXPECT_EQ(lines.lines.size(), 2U);
}

TEST(WorkerLogs, NeverDropsAWorkersOwnLine) {
  Lines lines;
  WorkerLogs logs(lines, 2);
  logs.of(0).warn("again");
  logs.of(0).warn("again");
  EXPECT_EQ(lines.lines.size(), 2U);
}

}  // namespace
}  // namespace pilotfish::app
