#include "resolver/dns_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "resolver/srv_instances.hpp"
#include "tests/support/dns_builder.hpp"

namespace pilotfish::resolver {
namespace {

using test::Bytes;
using test::DnsBuilder;
using testing::SizeIs;

const Question kQuestion{"web.service.consul", RecordType::kSrv};

DnsBuilder reply() {
  return {0x1234, kQuestion.name, 33};
}

Bytes good() {
  return reply()
      .compress()
      .ttl(30)
      .srv(kQuestion.name, 1, 10, 8080, "a.node.consul")
      .ttl(20)
      .srv(kQuestion.name, 1, 5, 8081, "b.node.consul")
      .additional()
      .ttl(25)
      .address("a.node.consul", IpAddress::v4({10, 0, 0, 1}))
      .address("b.node.consul", *IpAddress::parse("fd00::1"))
      .opt()
      .build();
}

DnsAnswer believed(const Bytes& bytes, const Question& question = kQuestion) {
  auto parsed = parse_answer(bytes, question);
  if (const auto* fault = std::get_if<DnsFault>(&parsed)) {
    ADD_FAILURE() << to_string(*fault);
    return {};
  }
  return std::get<DnsAnswer>(std::move(parsed));
}

DnsFault refused(const Bytes& bytes, const Question& question = kQuestion) {
  const auto parsed = parse_answer(bytes, question);
  const auto* fault = std::get_if<DnsFault>(&parsed);
  if (fault == nullptr) {
    ADD_FAILURE() << "was believed";
    return DnsFault::kShort;
  }
  return *fault;
}

/// One SRV record whose target is these raw bytes.
Bytes with_target(const Bytes& target, int length = -1) {
  Bytes data{0, 1, 0, 1, 0, 80};
  data.insert(data.end(), target.begin(), target.end());
  return reply().compress().record(kQuestion.name, 33, data, length).build();
}

/// Where the target's bytes of with_target() begin.
constexpr std::size_t kTargetAt = 12 + 20 + 4 + 12 + 6;

TEST(DnsMessage, ReadsRecordsAddressesAndTheLowestTtl) {
  const auto answer = believed(good());
  ASSERT_THAT(answer.srv, SizeIs(2));
  EXPECT_EQ(answer.srv[0].target, "a.node.consul");
  EXPECT_EQ(answer.srv[0].weight, 10);
  EXPECT_EQ(answer.srv[1].port, 8081);
  EXPECT_THAT(answer.addresses, SizeIs(2));
  EXPECT_EQ(answer.ttl, 20U);
  EXPECT_TRUE(answer.has_opt);
  EXPECT_FALSE(answer.truncated);
  EXPECT_EQ(answer.rcode, 0);
  EXPECT_EQ(answer.bytes, good().size());
}

TEST(DnsMessage, RefusesEveryCutOfAGoodAnswer) {
  const auto bytes = good();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    (void)refused(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
  }
}

TEST(DnsMessage, RefusesQuestionsOtherOpcodesAndOtherCounts) {
  auto bytes = good();
  bytes[2] &= 0x7fU;
  EXPECT_EQ(refused(bytes), DnsFault::kNotAnAnswer);
  bytes = good();
  bytes[2] |= 0x28U;
  EXPECT_EQ(refused(bytes), DnsFault::kNotAnAnswer);
  bytes = good();
  bytes[5] = 0;
  EXPECT_EQ(refused(bytes), DnsFault::kNotAnAnswer);
  bytes[5] = 2;
  EXPECT_EQ(refused(bytes), DnsFault::kNotAnAnswer);
}

TEST(DnsMessage, ComparesTheQuestionWithoutRegardToCase) {
  EXPECT_THAT(believed(good(), {"WEB.Service.CONSUL", RecordType::kSrv}).srv, SizeIs(2));
  EXPECT_EQ(refused(good(), {"web.service.consul", RecordType::kA}), DnsFault::kOtherQuestion);
  EXPECT_EQ(refused(good(), {"web2.service.consul", RecordType::kSrv}), DnsFault::kOtherQuestion);
  auto chaos = good();
  chaos[12 + 20 + 3] = 3;
  EXPECT_EQ(refused(chaos), DnsFault::kOtherQuestion);
}

TEST(DnsMessage, FoldsCaseOfLettersOnlyNeverOfLengths) {
  // A label of 65..90 letters would be damaged by folding its length byte; 63 is the longest.
  const std::string label(63, 'Q');
  const auto bytes = reply().srv("WEB.service.CONSUL", 1, 1, 80, label + ".Node").build();
  EXPECT_EQ(believed(bytes).srv.at(0).target, std::string(63, 'q') + ".node");
}

TEST(DnsMessage, RefusesRecordsOfAnotherOwner) {
  EXPECT_EQ(refused(reply().srv("evil.consul", 1, 1, 80, "x").build()), DnsFault::kForeignOwner);
  EXPECT_EQ(
      refused(reply().srv(kQuestion.name, 1, 1, 80, "x").srv("evil.consul", 1, 1, 80, "x").build()),
      DnsFault::kForeignOwner);
}

TEST(DnsMessage, RefusesOtherClasses) {
  EXPECT_EQ(refused(reply().klass(3).srv(kQuestion.name, 1, 1, 80, "x").build()),
            DnsFault::kWrongClass);
}

TEST(DnsMessage, FollowsAliasesOfTheOwnerUpToEight) {
  const auto chain = [](int length) {
    auto builder = reply();
    std::string name = kQuestion.name;
    for (int step = 0; step < length; ++step) {
      const auto next = "alias" + std::to_string(step) + ".consul";
      builder.cname(name, next);
      name = next;
    }
    return builder.srv(name, 1, 1, 80, "x").build();
  };
  EXPECT_THAT(believed(chain(8)).srv, SizeIs(1));
  EXPECT_EQ(refused(chain(9)), DnsFault::kAliasLoop);
  EXPECT_EQ(refused(reply().cname(kQuestion.name, "b").cname("b", kQuestion.name).build()),
            DnsFault::kAliasLoop);
  EXPECT_EQ(refused(reply().cname(kQuestion.name, kQuestion.name).build()), DnsFault::kAliasLoop);
  const auto alone = believed(reply().cname(kQuestion.name, "Other.Consul").build());
  EXPECT_EQ(alone.canonical, "other.consul");
  EXPECT_THAT(alone.srv, SizeIs(0));
}

TEST(DnsMessage, AliasesOfTheAdditionalSectionDoNotRedirectTheQuestion) {
  const auto bytes = reply()
                         .srv("evil.consul", 1, 1, 80, "x")
                         .additional()
                         .cname(kQuestion.name, "evil.consul")
                         .build();
  EXPECT_EQ(refused(bytes), DnsFault::kForeignOwner);
}

TEST(DnsMessage, RefusesPointersToThemselvesForwardAndOutOfTheMessage) {
  const auto at = static_cast<std::uint8_t>(kTargetAt);
  EXPECT_EQ(refused(with_target({0xc0, at})), DnsFault::kBadRecord);
  EXPECT_EQ(refused(with_target({0xc0, static_cast<std::uint8_t>(at + 2), 0})),
            DnsFault::kBadRecord);
  EXPECT_EQ(refused(with_target({0xff, 0xff})), DnsFault::kBadRecord);
  EXPECT_EQ(refused(with_target({1, 'a', 0xc0, at})), DnsFault::kBadRecord);  // a loop of labels
  EXPECT_EQ(refused(with_target({0xc0})), DnsFault::kBadRecord);
}

TEST(DnsMessage, ReadsALabelBeforeAPointer) {
  const auto answer = believed(with_target({1, 'a', 0xc0, 12}));
  EXPECT_EQ(answer.srv.at(0).target, "a.web.service.consul");
}

TEST(DnsMessage, ReadsALabelThatPointsToTheRoot) {
  // A label, then a pointer to a zero byte: the off-by-one of several resolvers.
  const auto answer = believed(with_target({1, 'a', 0xc0, 12 + 19}));
  EXPECT_EQ(answer.srv.at(0).target, "a");
}

TEST(DnsMessage, RefusesReservedLabelTypesAndLongNames) {
  EXPECT_EQ(refused(with_target({0x40, 'a', 0})), DnsFault::kBadRecord);
  EXPECT_EQ(refused(with_target({0x80, 'a', 0})), DnsFault::kBadRecord);
  Bytes name;
  for (int label = 0; label < 4; ++label) {
    name.push_back(63);
    name.insert(name.end(), 63, 'a');
  }
  name.push_back(0);
  EXPECT_EQ(refused(with_target(name)), DnsFault::kBadRecord);  // 257 bytes
  name[3 * 64] = 61;
  name.erase(name.begin() + 3 * 64 + 1, name.begin() + 3 * 64 + 3);
  EXPECT_EQ(believed(with_target(name)).srv.at(0).target.size(), 253U);  // exactly 255
}

TEST(DnsMessage, RefusesLengthsThatDoNotFit) {
  for (const int length : {0, 6, 8, 10, 48, 65535}) {
    (void)refused(with_target({1, 'a', 0}, length));
  }
  const auto address = [](std::size_t size) {
    return reply().additional().record("a", 1, Bytes(size, 1)).build();
  };
  EXPECT_EQ(refused(address(3)), DnsFault::kBadRecord);
  EXPECT_EQ(refused(address(5)), DnsFault::kBadRecord);
  EXPECT_THAT(believed(address(4)).addresses, SizeIs(1));
  EXPECT_EQ(refused(reply().additional().record("a", 28, Bytes(4, 1)).build()),
            DnsFault::kBadRecord);
}

TEST(DnsMessage, RefusesCountsThatLie) {
  auto bytes = good();
  bytes[6] = 0xff;
  bytes[7] = 0xff;
  (void)refused(bytes);
  bytes = good();
  bytes[7] = 0;
  bytes[11] = 0;
  EXPECT_EQ(refused(bytes), DnsFault::kTrailing);
  bytes = good();
  bytes[11] = 9;
  EXPECT_EQ(refused(bytes), DnsFault::kBadName);
}

TEST(DnsMessage, KeepsOddTargetsOutOfUse) {
  for (const auto& label : {Bytes{'a', 0, '.'}, Bytes{'a', '.', 'b'}, Bytes{'a', '\r', '\n'},
                            Bytes{' '}, Bytes{0x7f}, Bytes{0xe9}, Bytes{'\\'}}) {
    Bytes name{static_cast<std::uint8_t>(label.size())};
    name.insert(name.end(), label.begin(), label.end());
    name.push_back(0);
    EXPECT_FALSE(believed(with_target(name)).srv.at(0).usable);
  }
  EXPECT_TRUE(believed(with_target({3, 'a', '_', '-', 0})).srv.at(0).usable);
  EXPECT_TRUE(believed(with_target({0})).srv.at(0).target.empty());
}

TEST(DnsMessage, ReadsTheExtendedCodeFromOpt) {
  EXPECT_EQ(believed(reply().opt(4096, 1).build()).rcode, 16);
  EXPECT_EQ(believed(reply().rcode(3).build()).rcode, 3);
}

TEST(DnsMessage, ReadsTheWholePartOfATruncatedAnswer) {
  auto bytes = reply()
                   .truncated()
                   .srv(kQuestion.name, 1, 1, 80, "a")
                   .srv(kQuestion.name, 1, 1, 80, "b")
                   .build();
  bytes.resize(bytes.size() - 3);
  const auto answer = believed(bytes);
  EXPECT_TRUE(answer.truncated);
  EXPECT_THAT(answer.srv, SizeIs(1));
}

TEST(DnsMessage, TreatsTtlsAboveTheirRangeAsZero) {
  EXPECT_EQ(believed(reply().ttl(0xffffffff).srv(kQuestion.name, 1, 1, 80, "a").build()).ttl, 0U);
}

TEST(DnsMessage, ReadsALargeAnswerOfLongChainsQuickly) {
  // Every name is a chain of 127 one-byte labels behind a pointer: 255 bytes each time it is read.
  Bytes chain;
  for (int label = 0; label < 117; ++label) {
    chain.push_back(1);
    chain.push_back('a');
  }
  auto builder = reply();
  Bytes data{0, 1, 0, 1, 0, 80};
  data.insert(data.end(), chain.begin(), chain.end());
  data.push_back(0);
  builder.compress().record(kQuestion.name, 33, data);
  const Bytes pointing{0, 1, 0, 1, 0, 81, 0xc0, kTargetAt};
  for (int record = 0; record < 3200; ++record) {
    builder.record(kQuestion.name, 33, pointing);
  }
  const auto bytes = builder.build();
  ASSERT_LT(bytes.size(), 65536U);
  EXPECT_THAT(believed(bytes).srv, SizeIs(3201));
}

/// Damages valid answers at random; what is then believed still keeps every bound.
TEST(DnsMessage, KeepsItsBoundsUnderDamage) {
  Random random(20261121);
  const std::vector<Bytes> seeds{
      good(),
      reply().cname(kQuestion.name, "x.consul").srv("x.consul", 1, 1, 80, "y").opt().build(),
      with_target({1, 'a', 0xc0, 12}),
      reply().truncated().srv(kQuestion.name, 1, 1, 80, "a").build(),
  };
  std::size_t survived = 0;
  for (int round = 0; round < 200000; ++round) {
    auto bytes = seeds[random.below(seeds.size())];
    for (auto changes = random.below(4) + 1; changes != 0; --changes) {
      const auto at = random.below(bytes.size());
      switch (random.below(5)) {
        case 0: bytes[at] = static_cast<std::uint8_t>(random.below(256)); break;
        case 1: bytes[at] ^= static_cast<std::uint8_t>(1U << random.below(8)); break;
        case 2: bytes[at] = random.below(2) == 0 ? 0xc0 : 0xff; break;
        case 3: bytes.resize(at + 1); break;
        default: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), 0x01); break;
      }
    }
    const auto parsed = parse_answer(bytes, kQuestion);
    const auto* answer = std::get_if<DnsAnswer>(&parsed);
    if (answer == nullptr) {
      continue;
    }
    ++survived;
    ASSERT_LE(answer->srv.size() + answer->addresses.size(), bytes.size() / 11);
    for (const auto& record : answer->srv) {
      ASSERT_LE(record.target.size(), 253U);
    }
    const auto reading = read_srv(*answer, "consul");
    const auto& instances = reading.instances;
    ASSERT_LE(instances.size(),
              answer->srv.size() * std::max<std::size_t>(1, answer->addresses.size()));
    for (const auto& instance : instances) {
      ASSERT_NE(instance.endpoint.port, 0);
    }
  }
  EXPECT_GT(survived, 1000U);
}

}  // namespace
}  // namespace pilotfish::resolver
