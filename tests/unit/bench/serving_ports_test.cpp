#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/scenarios/change_watch.hpp"

namespace pilotfish::bench {
namespace {

TEST(ServingPorts, AreTheHealthyOnesOfTheTierThatServes) {
  const auto ports = serving_ports(R"({"upstreams":[{"name":"bench","tier":1,"instances":[
      {"address":"127.0.0.1:1","tier":0,"state":"healthy"},
      {"address":"127.0.0.1:2","tier":1,"state":"healthy"},
      {"address":"127.0.0.1:3","tier":1,"state":"ejected"},
      {"address":"127.0.0.1:4","tier":1,"state":"absent"},
      {"address":"127.0.0.1:5","tier":1,"state":"healthy"}]}]})");
  ASSERT_TRUE(ports);
  EXPECT_THAT(*ports, testing::ElementsAre(2, 5));
}

TEST(ServingPorts, AreUnknownWhereTheTextIsSomethingElse) {
  EXPECT_FALSE(serving_ports("503 draining"));
  EXPECT_FALSE(serving_ports(R"({"upstreams":[]})"));
}

}  // namespace
}  // namespace pilotfish::bench
