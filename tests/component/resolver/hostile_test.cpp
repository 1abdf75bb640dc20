// Servers and strangers that mean harm; what a single message can hold is in unit/resolver.
#include <algorithm>
#include <ctime>

#include "resolver/cares_channel.hpp"
#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::SizeIs;

class Hostile : public ResolverTest {};

/// Everything that is logged, values too.
class KeepingLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    text.append(message);
    for (const auto& field : fields) {
      text.append(" ").append(field.key).append("=").append(field.value);
    }
  }
  std::string text;
};

bool is_printable(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

Duration cpu_time() {
  std::timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

/// A target of these labels, whatever their bytes.
Bytes target_of(std::initializer_list<std::string> labels, std::uint16_t port = 80) {
  Bytes data{
      0, 1, 0, 1, static_cast<std::uint8_t>(port >> 8U), static_cast<std::uint8_t>(port & 0xffU)};
  for (const auto& label : labels) {
    data.push_back(static_cast<std::uint8_t>(label.size()));
    data.insert(data.end(), label.begin(), label.end());
  }
  data.push_back(0);
  return data;
}

TEST_F(Hostile, AnswersFromAnotherPortOrAddressAreNotHeard) {
  FakeDnsServer server([](const DnsQuery& query) {
    DnsAction action;
    // Right in everything (id, question) but where they come from.
    action.messages = {consul_answer(query, 9), consul_answer(query, 8), consul_answer(query, 2)};
    action.strangers = 2;
    action.between = 10ms;
    return action;
  });
  lookup.timeout = 2s;
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_THAT(answer().instances, SizeIs(2));
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer().instances, SizeIs(2));
}

TEST_F(Hostile, WhereOnlyStrangersAnswerTheLookupTimesOut) {
  const auto forge = [](const DnsQuery& query) {
    DnsAction action;
    action.messages = {consul_answer(query, 9), consul_answer(query, 8)};
    action.strangers = 2;
    return action;
  };
  FakeDnsServer server(forge, {.tcp = false});
  lookup.timeout = 150ms;
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_TRUE(is_failure(answer().result));
  EXPECT_THAT(answer().instances, SizeIs(0));
}

TEST_F(Hostile, AChannelMayBeDestroyedTheMomentAQuestionEnds) {
  // The end is noted inside a callback of c-ares, which must not be destroyed there
  // (CVE-2026-33630): whoever waits resumes later, and may do what it likes.
  enum class How : std::uint8_t { kAnswer, kTimeout, kGarbage, kTcpClosed };
  for (const auto how : {How::kAnswer, How::kTimeout, How::kGarbage, How::kTcpClosed}) {
    FakeDnsServer server([how](const DnsQuery& query) {
      if (how == How::kAnswer && query.name == "q0") {
        return DnsAction::send(consul_answer(query, 1));
      }
      DnsAction action;
      action.messages =
          how == How::kGarbage ? std::vector<Bytes>{Bytes(40, 0xc0)} : std::vector<Bytes>{};
      action.close = how == How::kTcpClosed;
      return action;
    });
    auto channel = std::make_unique<CaresChannel>(
        io.get_executor(), ChannelOptions{{server.endpoint()}, 50ms, how == How::kTcpClosed});
    int ended = 0;
    for (int index = 0; index < 8; ++index) {
      net::asio::co_spawn(
          io.get_executor(),
          channel->ask({"q" + std::to_string(index), RecordType::kSrv}, Clock::now() + 200ms),
          [&](const std::exception_ptr&, const AskResult&) {
            ++ended;
            channel.reset();
          });
    }
    EXPECT_TRUE(run_until([&ended] { return ended == 8; })) << static_cast<int>(how);
  }
}

TEST_F(Hostile, ALargeAnswerOfLongChainsCostsLittleAndHarmsNobody) {
  // 64 KiB over TCP; every target is a chain of 117 labels behind a pointer.
  FakeDnsServer server([](const DnsQuery& query) {
    if (!query.tcp) {
      return DnsAction::send(query.reply().truncated().opt().build());
    }
    auto reply = query.reply();
    reply.compress();
    Bytes data{0, 1, 0, 1, 0, 80};
    for (int label = 0; label < 117; ++label) {
      data.push_back(1);
      data.push_back('a');
    }
    data.push_back(0);
    reply.record(query.name, kSrvType, data);
    const auto at = static_cast<std::uint8_t>(12 + query.name.size() + 2 + 4 + 12 + 6);
    for (std::uint16_t port = 81; port < 81 + 3200; ++port) {
      reply.record(query.name, kSrvType,
                   {0, 1, 0, 1, static_cast<std::uint8_t>(port >> 8U),
                    static_cast<std::uint8_t>(port & 0xffU), 0xc0, at});
    }
    return DnsAction::send(reply.build());
  });
  lookup.timeout = 1s;
  const auto before = cpu_time();
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_LT(cpu_time() - before, 3s);          // some tens of milliseconds without sanitizers
  EXPECT_THAT(answer().instances, SizeIs(0));  // its one target has no address
  std::size_t addresses = 0;
  for (const auto& query : server.queries()) {
    addresses += query.type == kSrvType ? 0U : 1U;
  }
  EXPECT_LE(addresses, 8U) << "one name is looked up, however many records have it";
}

TEST_F(Hostile, BytesNoHostNameHasReachNeitherInstancesNorTheLog) {
  FakeDnsServer server([](const DnsQuery& query) {
    auto reply = query.reply();
    for (const auto& label :
         {std::string("a\r\nX: b"), std::string("a\0b", 3), std::string("\x1b[2J"),
          std::string("a.b"), std::string("\xff"), std::string("a b"), std::string("\"}\n")}) {
      reply.record(query.name, kSrvType, target_of({label, "evil", "test"}));
    }
    reply.srv(query.name, 1, 1, 0, "good.test");  // port 0
    reply.srv(query.name, 1, 1, 8000, "good.test");
    reply.additional();
    reply.record("good.test", kAType, {10, 9, 0, 1});
    reply.opt();
    return DnsAction::send(reply.build());
  });
  KeepingLogger kept;
  dns.emplace(io, ConsulDns{server.endpoint(), "consul"}, 1, kept, nullptr, 1);
  resolver.emplace(*dns, SrvSource{{"_web._tcp.local"}, {server.endpoint()}}, freshness, lookup,
                   hooks());
  resolver->start();
  ASSERT_TRUE(run_first_round());
  ASSERT_THAT(answer().instances, SizeIs(1));
  EXPECT_EQ(answer().instances[0].endpoint, Endpoint::parse("10.9.0.1:8000"));
  EXPECT_TRUE(is_printable(kept.text)) << kept.text;
  for (const auto& one : lookups) {
    EXPECT_TRUE(is_printable(one.note)) << one.note;
  }
  for (const auto& query : server.queries()) {
    EXPECT_TRUE(is_printable(query.name)) << "nobody is asked for such a name";
  }
  // A registry that says only such things has said nothing usable, which is no failure.
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
}

}  // namespace
}  // namespace pilotfish::resolver
