#include "api/midonet_cli/aliases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::api::midonet_cli {
namespace {

using ::testing::ElementsAre;
using Mode = Aliases::Mode;

TEST(MidonetAliases, AreCountedBelowTheObjectAbove) {
  Aliases aliases(Mode::given);
  EXPECT_EQ(aliases.give("", "router", "r0"), "router0");
  EXPECT_EQ(aliases.give("", "router", "r1"), "router1");
  EXPECT_EQ(aliases.give("r1", "port", "p0"), "port0");
  EXPECT_EQ(aliases.give("r0", "port", "p1"), "port0");
  EXPECT_EQ(aliases.give("", "router", "r0"), "router0");
  EXPECT_EQ(aliases.find("", "router1:port0"), "p0");
  EXPECT_EQ(aliases.find("r0", "port0"), "p1");
  EXPECT_EQ(aliases.find("", "port0"), std::nullopt);
  EXPECT_EQ(aliases.find("", "router0:port7"), std::nullopt);
  EXPECT_EQ(aliases.find("", ""), std::nullopt);
  EXPECT_THAT(aliases.all(), ElementsAre("router0", "router0:port0", "router1", "router1:port0"));
}

TEST(MidonetAliases, ANumberIsGivenOnce) {
  Aliases aliases(Mode::given);
  aliases.give("", "bridge", "b0");
  aliases.give("b0", "port", "p");
  aliases.forget("b0");
  EXPECT_EQ(aliases.find("", "bridge0"), std::nullopt);
  EXPECT_EQ(aliases.find("b0", "port0"), std::nullopt);
  EXPECT_EQ(aliases.give("", "bridge", "b1"), "bridge1");
}

TEST(MidonetAliases, TheFileKeepsThoseOfOtherTopologies) {
  const std::string other = "http://elsewhere/midonet-api - router0 x\nno line of ours\n";
  Aliases first(Mode::given);
  first.load(other, "here");
  first.give("", "router", "r0");
  first.give("r0", "port", "p0");
  const std::string text = first.save(other, "here");
  EXPECT_EQ(text, other + "here - router0 r0\nhere r0 port0 p0\n");

  Aliases second(Mode::given);
  second.load(text, "here");
  EXPECT_FALSE(second.changed());
  EXPECT_EQ(second.find("", "router0:port0"), "p0");
  EXPECT_EQ(second.give("", "router", "r1"), "router1");
  EXPECT_TRUE(second.changed());
  EXPECT_EQ(second.save(text, "here"), other + "here - router0 r0\nhere - router1 r1\nhere r0 port0 p0\n");
}

TEST(MidonetAliases, ScriptsUnderstandAndDoNotGive) {
  Aliases known(Mode::known);
  known.load("here - bridge0 b0\nhere - a:b x\nhere - 7 y\nhere - bridge z", "here");
  EXPECT_EQ(known.find("", "bridge0"), "b0");
  EXPECT_THAT(known.all(), ElementsAre("bridge0"));
  EXPECT_FALSE(known.gives());
  Aliases off(Mode::off);
  off.load("here - bridge0 b0", "here");
  EXPECT_EQ(off.find("", "bridge0"), std::nullopt);
}

}  // namespace
}  // namespace viaduct::api::midonet_cli
