// conntrack list, show, flush and stats, with canned answers and golden output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/client/value.hpp"
#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;

struct Conntrack : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};
};

void fill_pair(schema::AdminRequest::Reader, schema::AdminReply::Builder reply) {
  auto list = reply.initConnections();
  list.setTotal(7);
  auto lines = list.initConnections(2);
  for (auto line : lines) {
    line.setProtocol("tcp");
    line.setState("established");
    line.setOwner("here");
    line.initDevice().setKind(schema::Kind::ROUTER);
    line.setDeviceName("r1");
    line.setIdleSeconds(1.5);
    line.setSeenForward("SYN ACK");
  }
  lines[0].setKind("snat");
  lines[0].setSource("10.0.1.1");
  lines[0].setSourcePort(1000);
  lines[0].setDestination("198.51.100.7");
  lines[0].setDestinationPort(443);
  lines[0].setAddress("203.0.113.9");
  lines[0].setPort(40'000);
  lines[1].setKind("snat_reverse");
  lines[1].setSource("198.51.100.7");
  lines[1].setSourcePort(443);
  lines[1].setDestination("203.0.113.9");
  lines[1].setDestinationPort(40'000);
  lines[1].setAddress("2001:db8::1");
  lines[1].setPort(1000);
}

TEST_F(Conntrack, List) {
  daemon.answer(schema::AdminRequest::CONNECTIONS, fill_pair);
  EXPECT_EQ(
      tool({"conntrack", "list"}).out,
      "KIND          PROTO  SOURCE            DESTINATION        BECOMES             STATE        IDLE  OWNER  DEVICE\n"
      "snat          tcp    10.0.1.1:1000     198.51.100.7:443   203.0.113.9:40000   established  1.5s  here   router "
      "r1\n"
      "snat_reverse  tcp    198.51.100.7:443  203.0.113.9:40000  [2001:db8::1]:1000  established  1.5s  here   router "
      "r1\n"
      "2 of 7 entries\n");
  EXPECT_EQ(tool({"conntrack", "list", "--json"}).json()["connections"][0]["source_port"], 1000);
}

TEST_F(Conntrack, ShowPutsPairsTogether) {
  daemon.answer(schema::AdminRequest::CONNECTIONS, fill_pair);
  EXPECT_THAT(tool({"conntrack", "show"}).out, HasSubstr("source        10.0.1.1:1000\n"
                                                         "destination   198.51.100.7:443\n"
                                                         "becomes       203.0.113.9:40000\n"
                                                         "state         established\n"
                                                         "idle          1.5s\n"
                                                         "seen forward  SYN ACK\n"
                                                         "owner         here\n"
                                                         "device        router r1\n"
                                                         "  and its other half\n"
                                                         "kind          snat_reverse\n"));
  EXPECT_THAT(daemon.requests().back(), HasSubstr("pairs = true"));
}

TEST_F(Conntrack, FiltersReachTheDaemon) {
  ASSERT_EQ(tool({"router", "create", "r1"}).code, 0);
  daemon.answer(schema::AdminRequest::CONNECTIONS, fill_pair);
  ASSERT_EQ(tool({"conntrack", "list", "--kind", "snat", "--proto", "tcp", "--src", "10.0.1.0/24", "--dst",
                  "2001:db8::1", "--port", "443", "--state", "established", "--device", "r1", "--limit", "5"})
                .code,
            0);
  const std::string asked = daemon.requests().back();
  for (const char* part : {"kind = \"snat\"", "proto = 6", "length = 24", "length = 128", "port = 443",
                           "state = \"established\"", "device = (", "limit = 5"}) {
    EXPECT_THAT(asked, HasSubstr(part));
  }
}

TEST_F(Conntrack, WhatIsNoFilterIsRefusedBeforeTheDaemonIsAsked) {
  EXPECT_EQ(tool({"conntrack", "list", "--kind", "nat"}).code, 2);
  EXPECT_EQ(tool({"conntrack", "list", "--state", "open"}).code, 2);
  EXPECT_EQ(tool({"conntrack", "list", "--proto", "300"}).code, 2);
  EXPECT_EQ(tool({"conntrack", "list", "--proto", "0"}).code, 2);
  EXPECT_EQ(tool({"conntrack", "list", "--src", "10.0.0.0/33"}).code, 2);
  EXPECT_EQ(tool({"conntrack", "list", "--port", "0"}).code, 2);
  EXPECT_EQ(tool({"conntrack", "list", "--device", "nope"}).code, 1);
}

TEST_F(Conntrack, FlushNeedsAFilterOrAll) {
  daemon.answer(schema::AdminRequest::FLUSH_CONNECTIONS,
                [](auto, schema::AdminReply::Builder reply) { reply.setFlushedConnections(12); });
  const Outcome careless = tool({"conntrack", "flush"});
  EXPECT_EQ(careless.code, 2);
  EXPECT_THAT(careless.err, HasSubstr("--all"));
  EXPECT_EQ(tool({"conntrack", "flush", "--all", "--proto", "udp"}).code, 2);
  EXPECT_EQ(tool({"conntrack", "flush", "--proto", "udp"}).out, "12 entries are flushed\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("flushConnections = (kind = \"\", proto = 17"));
  EXPECT_EQ(tool({"conntrack", "flush", "--all", "--json"}).json()["flushed"], 12);
}

TEST_F(Conntrack, Stats) {
  daemon.answer(schema::AdminRequest::CONNECTION_STATS, [](auto, schema::AdminReply::Builder reply) {
    auto stats = reply.initConnectionStats();
    stats.setEntries(3);
    stats.setCapacity(262'144);
    stats.setRefusedPortShare(4);
    auto kind = stats.initKinds(1)[0];
    kind.setName("snat");
    kind.setCount(3);
    auto port = stats.initPorts(1)[0];
    port.setName("vm1");
    port.setCount(3);
  });
  EXPECT_EQ(tool({"conntrack", "stats"}).out,
            "entries               3 of 262144\n"
            "refused, table full   0\n"
            "refused, port share   4\n"
            "refused, tenant share 0\n"
            "\n"
            "KIND  ENTRIES\n"
            "snat        3\n"
            "\n"
            "FULLEST PORTS  ENTRIES\n"
            "vm1                  3\n");
  EXPECT_EQ(tool({"conntrack", "stats", "--json"}).json()["refused_port_share"], 4);
}

}  // namespace
}  // namespace viaduct::api::cli
