#include "app/state_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::app {
namespace {

using ::testing::HasSubstr;

Instance instance(const char* address, std::uint32_t weight = 1, std::uint32_t priority = 0,
                  std::vector<std::string> tags = {}) {
  return {*Endpoint::parse(address), weight, priority, std::move(tags)};
}

KeptAnswers empty_answers() {
  return {"app", "consul app: v4, any in consul", {{"v4", {}, {}}, {"any", {}, {}}}};
}

KeptAnswers full_answers() {
  auto answers = empty_answers();
  answers.tiers[0].asked = WallTime(std::chrono::milliseconds(1'800'000'000'123));
  answers.tiers[0].instances = InstanceList{instance("10.0.0.1:80", 7, 3, {"read", "v4"}),
                                            instance("[2001:db8::1]:8080", 0, 65535, {"v4"})};
  return answers;
}

/// The same with other tags of the first instance.
KeptAnswers tagged_answers(std::vector<std::string> tags) {
  auto answers = full_answers();
  auto list = answers.tiers[0].instances.list();
  list[0].tags = std::move(tags);
  answers.tiers[0].instances = std::move(list);
  return answers;
}

/// The text of full_answers() with one part replaced.
std::string changed(const std::string& from, const std::string& to) {
  auto text = encode_state(full_answers());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " is not in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// What decoding says; a refused text must leave no trace.
std::string refusal(const std::string& text) {
  auto into = empty_answers();
  auto problem = decode_state(text, into);
  if (!problem.empty()) {
    EXPECT_EQ(into, empty_answers());
  }
  return problem;
}

TEST(StateCodec, ReadsWhatItWrote) {
  auto into = empty_answers();
  EXPECT_EQ(decode_state(encode_state(full_answers()), into), "");
  EXPECT_EQ(into, full_answers());
}

TEST(StateCodec, WritesOneLine) {
  const auto text = encode_state(full_answers());
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(StateCodec, KeepsTagsThatNeedEscapes) {
  const auto answers = tagged_answers({"a\"b\\c\n", "\xc3\xa4"});
  auto into = empty_answers();
  EXPECT_EQ(decode_state(encode_state(answers), into), "");
  EXPECT_EQ(into, answers);
}

TEST(StateCodec, NormalisesWhatAnEditorLeft) {
  auto into = empty_answers();
  const auto twice = changed("[2001:db8::1]:8080", "10.0.0.1:80");
  EXPECT_EQ(decode_state(twice, into), "");
  ASSERT_EQ(into.tiers[0].instances.size(), 1U);
  EXPECT_EQ(into.tiers[0].instances[0].weight, 7U);
}

TEST(StateCodec, RefusesAnswersOfSomebodyElse) {
  EXPECT_THAT(refusal(changed("\"app\"", "\"other\"")), HasSubstr("another source"));
  EXPECT_THAT(refusal(changed("in consul", "in staging")), HasSubstr("another source"));
  EXPECT_THAT(refusal(changed("\"any\"", "\"v5\"")), HasSubstr("tiers are other ones"));
  auto fewer = full_answers();
  fewer.tiers.pop_back();
  EXPECT_THAT(refusal(encode_state(fewer)), HasSubstr("tiers are other ones"));
  auto more = full_answers();
  more.tiers.push_back({"x", {}, {}});
  EXPECT_THAT(refusal(encode_state(more)), HasSubstr("tiers are other ones"));
}

TEST(StateCodec, RefusesAnotherVersion) {
  EXPECT_THAT(refusal(changed("\"version\":1", "\"version\":2")), HasSubstr("version"));
  EXPECT_THAT(refusal(changed("\"version\":1", "\"version\":\"1\"")), HasSubstr("version"));
  EXPECT_THAT(refusal("{}"), HasSubstr("version"));
  EXPECT_THAT(refusal("[]"), HasSubstr("version"));
}

TEST(StateCodec, RefusesEveryCutOfAFile) {
  const auto text = encode_state(full_answers());
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_NE(refusal(text.substr(0, size)), "") << size;
  }
}

TEST(StateCodec, SurvivesEveryByteGoneWrong) {
  const auto text = encode_state(full_answers());
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char wrong : {'\0', '"', '[', '}', '9', '\xff'}) {
      auto damaged = text;
      damaged[at] = wrong;
      auto into = empty_answers();
      if (decode_state(damaged, into).empty()) {
        for (const auto& each : into.tiers[0].instances) {
          EXPECT_NE(each.endpoint.port, 0);
          EXPECT_LE(each.weight, 65535U);
        }
      }
    }
  }
}

TEST(StateCodec, RefusesAddressesThatCannotBeReached) {
  for (const char* address :
       {"10.0.0.1:0", "0.0.0.0:80", "[::]:80", "10.0.0.1", "10.0.0.256:80", "localhost:80", ""}) {
    EXPECT_THAT(refusal(changed("10.0.0.1:80", address)), HasSubstr("damaged")) << address;
  }
}

TEST(StateCodec, RefusesNumbersOutOfRange) {
  for (const char* number : {"-1", "65536", "1.5", "\"7\"", "null", "99999999999999999999"}) {
    EXPECT_THAT(refusal(changed("\"weight\":7", "\"weight\":" + std::string(number))),
                HasSubstr("damaged"))
        << number;
  }
  for (const char* time : {"-5", "9223372036854775807", "true"}) {
    EXPECT_THAT(refusal(changed("1800000000123", time)), HasSubstr("damaged")) << time;
  }
}

TEST(StateCodec, RefusesMoreThanItWouldEverKeep) {
  EXPECT_THAT(refusal(std::string(kMaxStateSize + 1, ' ')), HasSubstr("too large"));
  const auto tagged = tagged_answers(std::vector<std::string>(kMaxStateTags + 1, "t"));
  EXPECT_THAT(refusal(encode_state(tagged)), HasSubstr("damaged"));
  std::string many = "null";
  for (std::size_t i = 0; i < kMaxStateInstances; ++i) {
    many += ",null";
  }
  EXPECT_THAT(refusal(changed("\"instances\":[]", "\"instances\":[" + many + "]")),
              HasSubstr("damaged"));
  EXPECT_THAT(refusal(std::string(100'000, '[')), HasSubstr("no JSON"));
}

}  // namespace
}  // namespace pilotfish::app
