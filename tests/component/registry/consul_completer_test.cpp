#include "registry/consul_completer.hpp"

#include "tests/component/registry/fixture.hpp"
#include "tests/support/fake_consul.hpp"

namespace pilotfish::test {
namespace {

class Completer : public RegistryTest {
 protected:
  std::optional<InstanceList> complete(const std::vector<std::string>& tags, Duration limit = 2s) {
    registry::ConsulHttp options;
    options.url = consul.http.url();
    options.token = "t";
    registry::ConsulCompleter completer(io.get_executor(), options, log);
    resolver::ConsulSource source;
    source.service = "billing a";
    source.datacenter = "dc2";
    return await(completer.complete(source, tags, Clock::now() + limit))
        .value_or(std::optional<InstanceList>{});
  }
  static std::string listing(int count) {
    std::string out = "[";
    for (int i = 0; i < count; ++i) {
      out += (i > 0 ? "," : "") + std::string(R"({"Node":{"Address":"10.0.0.1"},"Service":{)") +
             R"("Tags":["V4","read"],"Port":)" + std::to_string(1000 + i) + "},\"Checks\":[]}";
    }
    return out + "]";
  }

  FakeConsul consul{io};
};

TEST_F(Completer, ListsEveryInstanceWithAllTagsInAnyCase) {
  consul.health = listing(2000);
  const auto found = complete({"v4", "read"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 2000U);
  EXPECT_TRUE(found->front().tags.empty()) << "as from DNS: the tier puts its own";
  const auto& request = consul.requests.back();
  EXPECT_EQ(request.target, "/v1/health/service/billing%20a?stale&dc=dc2&tag=read&tag=v4");
  EXPECT_EQ(request.header("X-Consul-Token"), "t");
}

TEST_F(Completer, DropsWhatAnAgentThatIgnoresTagsListsTooMuch) {
  consul.health = listing(3);
  const auto found = complete({"v5"});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
}

TEST_F(Completer, EveryFailureIsNothingAndNeverAnEmptyList) {
  consul.always = FakeReply{.status = 500, .body = "No cluster leader"};
  EXPECT_FALSE(complete({}));
  consul.always = FakeReply{.body = "<html>"};
  EXPECT_FALSE(complete({}));
  consul.always = FakeReply{.hang = true};
  EXPECT_FALSE(complete({}, 100ms));
  consul.http.down();
  EXPECT_FALSE(complete({}));
  EXPECT_EQ(log.count("No cluster leader"), 1U);
}

}  // namespace
}  // namespace pilotfish::test
