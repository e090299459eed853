// create, show, list, set and delete against a daemon with the real rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kBlue = "00000000-0000-4000-8000-00000000b10e";
constexpr const char* kR1 = "00000000-0000-4000-8000-000000000001";

struct ObjectCommands : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};

  void make_blue_and_r1() {
    ASSERT_EQ(tool({"bridge", "create", "blue", "--id", kBlue}).code, 0);
    ASSERT_EQ(tool({"router", "create", "r1", "--id", kR1}).code, 0);
  }
};

TEST_F(ObjectCommands, CreateSaysWhatWasMade) {
  Outcome made = tool({"bridge", "create", "blue", "--id", kBlue});
  EXPECT_EQ(made.code, 0);
  EXPECT_EQ(made.out, "created: bridge blue " + std::string(kBlue) + "\nrevision 2\n");
  EXPECT_EQ(made.err, "");
  EXPECT_EQ(daemon.snapshot().find(BridgeId(*Uuid::parse(kBlue)))->name, "blue");
}

TEST_F(ObjectCommands, CreateInJsonIsStable) {
  Outcome made = tool({"--json", "bridge", "create", "blue", "--id", kBlue, "--wait"});
  EXPECT_EQ(made.out, R"({
  "revision": 2,
  "changes": [
    {
      "action": "created",
      "object": {
        "kind": "bridge",
        "id": "00000000-0000-4000-8000-00000000b10e"
      },
      "name": "blue",
      "cause": ""
    }
  ],
  "applied": true,
  "ids": [
    "00000000-0000-4000-8000-00000000b10e"
  ]
}
)");
}

TEST_F(ObjectCommands, RequestsCarryEveryField) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"port", "create", "r1-blue", "--router", "r1", "--address", "10.0.1.1/24", "--address",
                  "fd00:1::1/64", "--mtu", "1400", "--mac", "02:00:00:00:01:01", "--admin-up", "false"})
                .code,
            0);
  std::string request = daemon.requests().back();
  EXPECT_THAT(request, HasSubstr("major = 1"));
  EXPECT_THAT(request, HasSubstr("name = \"r1-blue\""));
  EXPECT_THAT(request, HasSubstr("adminUp = false"));
  EXPECT_THAT(request, HasSubstr("mac = 2199023255809"));
  EXPECT_THAT(request, HasSubstr("mtu = 1400"));
  EXPECT_THAT(request, HasSubstr("length = 24"));
  EXPECT_THAT(request, HasSubstr("length = 64"));
  EXPECT_THAT(request, HasSubstr("router = (high = 16384, low = 9223372036854775809)"));
}

TEST_F(ObjectCommands, ListIsATableWithNames) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"port", "create", "blue-r1", "--bridge", "blue"}).code, 0);
  ASSERT_EQ(tool({"port", "create", "r1-blue", "--router", "r1", "--address", "10.0.1.1/24,fd00:1::1/64"}).code, 0);
  Outcome list = tool({"port", "list"});
  EXPECT_THAT(list.out, StartsWith("NAME     BRIDGE  ROUTER  ADMIN UP  MAC"));
  EXPECT_THAT(list.out, HasSubstr("blue-r1  blue            true"));
  EXPECT_THAT(list.out, HasSubstr("10.0.1.1/24, fd00:1::1/64"));
  EXPECT_THAT(tool({"port", "list", "--router", "r1"}).out, Not(HasSubstr("blue-r1 ")));
  EXPECT_EQ(tool({"port", "list", "--router", "r1", "--json"}).json().size(), 1U);
  EXPECT_EQ(tool({"route", "list"}).out, "");
  EXPECT_EQ(tool({"route", "list", "--json"}).out, "[]\n");
}

TEST_F(ObjectCommands, ShowInJsonIsStable) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"route", "create", "--router", "r1", "--to", "10.9.0.0/16", "--blackhole", "--id",
                  "00000000-0000-4000-8000-000000000002"})
                .code,
            0);
  EXPECT_EQ(tool({"route", "show", "00000000-0000-4000-8000-000000000002", "--json"}).out, R"({
  "kind": "route",
  "id": "00000000-0000-4000-8000-000000000002",
  "revision": 4,
  "router": "00000000-0000-4000-8000-000000000001",
  "router_name": "r1",
  "destination": "10.9.0.0/16",
  "source": "0.0.0.0/0",
  "next_hop": "blackhole",
  "next_hop_port": null,
  "next_hop_port_name": null,
  "gateway": null,
  "weight": 100,
  "attributes": ""
}
)");
}

TEST_F(ObjectCommands, ShowForPeople) {
  make_blue_and_r1();
  Outcome show = tool({"bridge", "show", "blue"});
  EXPECT_EQ(show.out, "bridge blue\n  id              " + std::string(kBlue) +
                          "\n  revision        2\n  name            blue\n  tenant          -\n  admin_up        "
                          "true\n  inbound_filter  -\n  outbound_filter -\n");
}

TEST_F(ObjectCommands, SetIsReadModifyWrite) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"bridge", "set", "blue", "--tenant", "acme"}).code, 0);
  ASSERT_EQ(tool({"bridge", "set", "blue", "--admin-up", "false"}).code, 0);
  const auto* bridge = daemon.snapshot().find(BridgeId(*Uuid::parse(kBlue)));
  EXPECT_EQ(bridge->tenant, "acme");
  EXPECT_FALSE(bridge->admin_up);
  EXPECT_THAT(daemon.requests().back(), HasSubstr("revision = 4"));
  EXPECT_EQ(tool({"bridge", "set", "blue", "--tenant", ""}).code, 0);
  EXPECT_EQ(daemon.snapshot().find(BridgeId(*Uuid::parse(kBlue)))->tenant, "");
}

TEST_F(ObjectCommands, SetWithoutFieldsIsWrongUsage) {
  make_blue_and_r1();
  Outcome nothing = tool({"bridge", "set", "blue"});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("nothing to set"));
}

TEST_F(ObjectCommands, SetRetriesAfterAConflict) {
  make_blue_and_r1();
  daemon.before_transaction([](FakeDaemon& self) {
    auto bridge = *self.snapshot().find(BridgeId(*Uuid::parse(kBlue)));
    bridge.tenant = "other";
    self.commit(bridge);
  });
  ASSERT_EQ(tool({"bridge", "set", "blue", "--admin-up", "false"}).code, 0);
  const auto* bridge = daemon.snapshot().find(BridgeId(*Uuid::parse(kBlue)));
  EXPECT_EQ(bridge->tenant, "other") << "the other's change is not overwritten";
  EXPECT_FALSE(bridge->admin_up);
}

TEST_F(ObjectCommands, ConflictsAreNotRetriedForEver) {
  make_blue_and_r1();
  daemon.answer(schema::AdminRequest::TRANSACT, [](auto, schema::AdminReply::Builder reply) {
    reply.initError().setCode(schema::ErrorCode::CONFLICT);
  });
  Outcome set = tool({"bridge", "set", "blue", "--admin-up", "false"});
  EXPECT_EQ(set.code, 1);
  EXPECT_THAT(set.err, HasSubstr("somebody else changed it"));
}

TEST_F(ObjectCommands, DryRunChangesNothing) {
  Outcome dry = tool({"bridge", "create", "blue", "--dry-run"});
  EXPECT_EQ(dry.code, 0);
  EXPECT_THAT(dry.out, StartsWith("would be created: bridge blue "));
  EXPECT_THAT(dry.out, HasSubstr("dry run: nothing was committed"));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bridge), 0U);
}

TEST_F(ObjectCommands, DeleteTellsWhatGoesWithIt) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"port", "create", "vm1", "--bridge", "blue"}).code, 0);
  Outcome gone = tool({"bridge", "delete", "blue"});
  EXPECT_EQ(gone.code, 0);
  EXPECT_THAT(gone.out, HasSubstr("deleted: bridge blue"));
  EXPECT_THAT(gone.out, HasSubstr("deleted: port vm1"));
  EXPECT_THAT(gone.out, HasSubstr("(cascade from bridge blue)"));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::port), 0U);
}

TEST_F(ObjectCommands, DeleteIsAllOrNone) {
  make_blue_and_r1();
  EXPECT_EQ(tool({"bridge", "delete", "blue", "green"}).code, 1);
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bridge), 1U);
  EXPECT_EQ(tool({"bridge", "delete", "blue", kBlue}).code, 0) << "named twice is deleted once";
}

TEST_F(ObjectCommands, AmbiguousNamesListTheIds) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"bridge", "create", "blue", "--id", "00000000-0000-4000-8000-00000000b20e"}).code, 0);
  Outcome show = tool({"bridge", "show", "blue"});
  EXPECT_EQ(show.code, 1);
  EXPECT_THAT(show.err, HasSubstr(kBlue));
  EXPECT_THAT(show.err, HasSubstr("00000000-0000-4000-8000-00000000b20e"));
  EXPECT_THAT(show.err, HasSubstr("use the id"));
  EXPECT_EQ(tool({"bridge", "show", kBlue}).code, 0);
}

TEST_F(ObjectCommands, TheBeginningOfAnIdIsEnough) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"bridge", "create", "green", "--id", "abcdef01-0000-4000-8000-000000000003"}).code, 0);
  EXPECT_THAT(tool({"bridge", "show", "abcdef01"}).out, StartsWith("bridge green"));
}

TEST_F(ObjectCommands, WhatDoesNotExistIsNamed) {
  Outcome show = tool({"port", "show", "nope"});
  EXPECT_EQ(show.code, 1);
  EXPECT_EQ(show.err, "viaduct: there is no port 'nope'\n  cure: viaduct port list shows what there is\n");
  EXPECT_THAT(tool({"route", "show", "nope"}).err, HasSubstr("refer to it by its id"));
  EXPECT_THAT(tool({"port", "create", "p", "--bridge", "nope"}).err, HasSubstr("there is no bridge 'nope'"));
}

TEST_F(ObjectCommands, BrokenRulesNameObjectRuleAndCure) {
  Outcome refused = tool({"port", "create", "p1"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("port p1: "));
  EXPECT_THAT(refused.err, HasSubstr("[no_device"));
  EXPECT_THAT(refused.err, HasSubstr("cure: "));
  Json error = Json::parse(tool({"port", "create", "p1", "--json"}).err)["error"];
  EXPECT_EQ(error["code"], "invalid");
  EXPECT_EQ(error["exit_code"], 1);
  EXPECT_EQ(error["violations"][0]["rule"], "no_device");
  EXPECT_EQ(error["violations"][0]["name"], "p1");
}

TEST_F(ObjectCommands, ValuesAreCheckedBeforeTheDaemonIsBothered) {
  make_blue_and_r1();
  size_t before = daemon.requests().size();
  Outcome bad = tool({"port", "create", "p", "--mtu", "70000"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.err, HasSubstr("--mtu: '70000' is not a number from 0 to 65535"));
  EXPECT_THAT(tool({"port", "create", "p", "--mac", "xyz"}).err, HasSubstr("--mac: 'xyz' is not a MAC address"));
  EXPECT_THAT(tool({"port", "create", "p", "--address", "10.0.0.1"}).err, HasSubstr("with its prefix length"));
  EXPECT_THAT(tool({"bridge", "create", "b", "--admin-up", "maybe"}).err, HasSubstr("true or false"));
  EXPECT_EQ(daemon.requests().size(), before);
}

TEST_F(ObjectCommands, StaticEntriesRoundTrip) {
  make_blue_and_r1();
  ASSERT_EQ(tool({"port", "create", "vm1", "--bridge", "blue"}).code, 0);
  ASSERT_EQ(tool({"static-mac", "create", "--bridge", "blue", "--mac", "02:00:00:00:00:01", "--port", "vm1"}).code, 0);
  ASSERT_EQ(
      tool({"static-neighbour", "create", "--bridge", "blue", "--ip", "fd00::5", "--mac", "02:00:00:00:00:01"}).code,
      0);
  Json macs = tool({"static-mac", "list", "--json"}).json();
  EXPECT_EQ(macs[0]["mac"], "02:00:00:00:00:01");
  EXPECT_EQ(macs[0]["port_name"], "vm1");
  Json neighbours = tool({"static-neighbour", "list", "--json"}).json();
  EXPECT_EQ(neighbours[0]["address"], "fd00::5");
  EXPECT_EQ(tool({"static-mac", "delete", macs[0]["id"].get<std::string>()}).code, 0);
}

TEST_F(ObjectCommands, WaitThatRunsOutIsATimeout) {
  daemon.answer(schema::AdminRequest::TRANSACT,
                [](auto, schema::AdminReply::Builder reply) { reply.initCommitted().setRevision(7); });
  Outcome late = tool({"bridge", "create", "blue", "--wait"});
  EXPECT_EQ(late.code, 4);
  EXPECT_THAT(late.err, HasSubstr("revision 7 is committed, but was not applied in time"));
}

TEST_F(ObjectCommands, WrongUsage) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"bridge"},
                                             {"bridge", "crate"},
                                             {"nonsense"},
                                             {"bridge", "create"},
                                             {"bridge", "create", "a", "b"},
                                             {"bridge", "create", "a", "--colour", "red"},
                                             {"bridge", "create", "a", "--wait", "--dry-run"},
                                             {"route", "create", "--router", "r1"},
                                             {"--timeout", "0", "status"},
                                             {"--timeout", "soon", "status"}}) {
    Outcome wrong = tool(arguments);
    EXPECT_EQ(wrong.code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(wrong.err, StartsWith("viaduct: "));
    EXPECT_THAT(wrong.err, HasSubstr("--help"));
    EXPECT_EQ(wrong.out, "");
  }
  EXPECT_THAT(tool({"bridge", "crate"}).err,
              HasSubstr("there is no command 'bridge crate': choose one of create show list set delete"));
}

TEST_F(ObjectCommands, ObjectsMayBeCalledLikeCommands) {
  ASSERT_EQ(tool({"bridge", "create", "status"}).code, 0);
  EXPECT_EQ(tool({"bridge", "show", "status"}).code, 0);
  EXPECT_EQ(tool({"bridge", "delete", "status"}).code, 0);
}

}  // namespace
}  // namespace viaduct::api::cli
