// port link and unlink, bind and unbind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;

// blue: vm1, blue-r1      r1: r1-blue
struct Bindings : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};

  Bindings() {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"bridge", "create", "blue"},
             {"router", "create", "r1"},
             {"port", "create", "vm1", "--bridge", "blue"},
             {"port", "create", "blue-r1", "--bridge", "blue"},
             {"port", "create", "r1-blue", "--router", "r1", "--address", "10.0.1.1/24"}})
      EXPECT_EQ(tool(arguments).code, 0);
  }
  Json port(const std::string& name) { return tool({"port", "show", name, "--json"}).json(); }
};

TEST_F(Bindings, LinkIsSeenFromBothEnds) {
  ASSERT_EQ(tool({"port", "link", "r1-blue", "blue-r1"}).code, 0);
  EXPECT_EQ(port("r1-blue")["peer_name"], "blue-r1");
  EXPECT_EQ(port("blue-r1")["peer_name"], "r1-blue");
  EXPECT_THAT(tool({"port", "link", "blue-r1", "r1-blue"}).out, HasSubstr("nothing changed"));
}

TEST_F(Bindings, UnlinkFromEitherEnd) {
  ASSERT_EQ(tool({"port", "link", "r1-blue", "blue-r1"}).code, 0);
  ASSERT_EQ(tool({"port", "unlink", "blue-r1"}).code, 0);
  EXPECT_TRUE(port("r1-blue")["peer"].is_null());
  EXPECT_TRUE(port("blue-r1")["peer"].is_null());
  EXPECT_THAT(tool({"port", "unlink", "blue-r1"}).out, HasSubstr("nothing changed"));
}

TEST_F(Bindings, ALinkIsNotTakenFromAThird) {
  ASSERT_EQ(tool({"port", "link", "r1-blue", "blue-r1"}).code, 0);
  Outcome third = tool({"port", "link", "vm1", "r1-blue"});
  EXPECT_EQ(third.code, 1);
  EXPECT_THAT(third.err, HasSubstr("port r1-blue is already linked to port blue-r1"));
  EXPECT_THAT(third.err, HasSubstr("viaduct port unlink r1-blue"));
  EXPECT_THAT(tool({"port", "link", "vm1", "vm1"}).err, HasSubstr("cannot be linked to itself"));
}

TEST_F(Bindings, BindTakesTheDaemonsHost) {
  ASSERT_EQ(tool({"bind", "vm1", "vt-vm1", "--wait"}).code, 0);
  EXPECT_EQ(port("vm1")["host"], FakeDaemon::kHostId);
  EXPECT_EQ(port("vm1")["host_name"], "node-1");
  EXPECT_EQ(port("vm1")["interface"], "vt-vm1");
  ASSERT_EQ(tool({"unbind", "vm1"}).code, 0);
  EXPECT_TRUE(port("vm1")["host"].is_null());
  EXPECT_EQ(port("vm1")["interface"], "");
}

TEST_F(Bindings, BindToANamedHost) {
  ASSERT_EQ(tool({"host", "create", "node-2"}).code, 0);
  ASSERT_EQ(tool({"bind", "vm1", "tap7", "--host", "node-2"}).code, 0);
  EXPECT_EQ(port("vm1")["host_name"], "node-2");
}

TEST_F(Bindings, BindWithoutAnAgentNeedsAHost) {
  daemon.answer(schema::AdminRequest::STATUS, [](auto, schema::AdminReply::Builder reply) { reply.initStatus(); });
  Outcome bound = tool({"bind", "vm1", "vt-vm1"});
  EXPECT_EQ(bound.code, 1);
  EXPECT_THAT(bound.err, HasSubstr("name one with --host"));
}

TEST_F(Bindings, ABoundPortIsNotLinked) {
  ASSERT_EQ(tool({"bind", "vm1", "vt-vm1"}).code, 0);
  Outcome link = tool({"port", "link", "vm1", "r1-blue"});
  EXPECT_EQ(link.code, 1);
  EXPECT_THAT(link.err, HasSubstr("port vm1 is bound to interface vt-vm1"));
}

TEST_F(Bindings, InterfaceNamesAreCheckedByTheDaemon) {
  Outcome bound = tool({"bind", "vm1", "an-interface-name-that-is-too-long"});
  EXPECT_EQ(bound.code, 1);
  EXPECT_THAT(bound.err, HasSubstr("interface_name_invalid"));
}

}  // namespace
}  // namespace viaduct::api::cli
