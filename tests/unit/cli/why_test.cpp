// why and top, with canned answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/cli/output.hpp"
#include "api/cli/top_table.hpp"
#include "api/client/value.hpp"
#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

struct WhyCommand : testing::Test {
  WhyCommand() {
    tool({"bridge", "create", "blue"});
    tool({"port", "create", "vm1", "--bridge", "blue"});
  }
  // Answers with one cause, as `fill` makes it.
  void answer(std::function<void(schema::WhyCause::Builder)> fill) {
    daemon.answer(schema::AdminRequest::WHY, [=](auto, schema::AdminReply::Builder reply) {
      auto why = reply.initWhy();
      why.setPort("vm1");
      why.setHost("h1");
      auto cause = why.initCauses(1)[0];
      cause.setCause("no_route");
      cause.setCertainty("traced");
      cause.setText("router r1: there is no route");
      cause.setCure("add one");
      cause.setHost("h1");
      fill(cause);
    });
  }
  FakeDaemon daemon;
  Tool tool{daemon};
};

TEST_F(WhyCommand, TellsACauseWithPlaceTimeAndCure) {
  answer([](auto cause) {
    cause.setDeviceName("r1");
    cause.initDevice().setKind(schema::Kind::ROUTER);
    cause.setChainName("web");
    cause.setRulePosition(2);
    cause.setPackets(3);
    cause.setFirstSeconds(60);
    cause.setLastSeconds(0.5);
    cause.setExample("10.0.1.10 > 10.9.9.9");
  });
  const Outcome why = tool({"why", "vm1", "icmp", "to", "10.9.9.9"});
  EXPECT_EQ(why.code, 0);
  EXPECT_EQ(why.out,
            "1. no_route (traced)\n"
            "   what     router r1: there is no route\n"
            "   where    router r1, chain web rule 2, host h1\n"
            "   dropped  3 packets, the last 0.5s ago, the first 1m 0s ago\n"
            "   example  10.0.1.10 > 10.9.9.9\n"
            "   cure     add one\n"
            "answered by host h1\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("why"));
  EXPECT_EQ(tool({"why", "vm1", "--json"}).json()["causes"][0]["cause"], "no_route");
}

TEST_F(WhyCommand, NothingWrongHasAnExitCodeOfItsOwn) {
  daemon.answer(schema::AdminRequest::WHY,
                [](auto, schema::AdminReply::Builder reply) { reply.initWhy().setPort("vm1"); });
  const Outcome why = tool({"why", "vm1"});
  EXPECT_EQ(why.code, 6);
  EXPECT_THAT(why.out, HasSubstr("nothing was found that keeps traffic of port vm1"));
  answer([](auto cause) { cause.setCertainty("earlier"); });
  EXPECT_EQ(tool({"why", "vm1"}).code, 6) << "it is over";
  answer([](auto cause) {
    cause.setCertainty("now");
    cause.setOrdinary(true);
  });
  EXPECT_EQ(tool({"why", "vm1"}).code, 6) << "healthy networks drop such packets, too";
}

TEST_F(WhyCommand, WrongWordsAndUnknownPortsAreNamed) {
  const Outcome unknown = tool({"why", "vm9"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("vm9"));
  EXPECT_EQ(tool({"why", "blue"}).code, 1) << "a bridge is no port";
  EXPECT_EQ(tool({"why", "vm1", "tcp", "to"}).code, 2);
  EXPECT_EQ(tool({"why"}).code, 2);
}

TEST_F(WhyCommand, ControlCharactersDoNotReachTheTerminal) {
  answer([](auto cause) {
    cause.setText("router \x1b[2J\x07 evil\n1. fake (traced)");
    cause.setExample(
        "\xc2\x9b"
        "31m");
  });
  const Outcome why = tool({"why", "vm1"});
  EXPECT_THAT(why.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(why.out, Not(HasSubstr("\x07")));
  EXPECT_THAT(why.out, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(why.out, Not(HasSubstr("\n1. fake")));
  EXPECT_THAT(why.out, HasSubstr("router \\x1b[2J\\x07 evil\\x0a1. fake"));
}

TEST(Printable, KeepsTextAsItIs) {
  EXPECT_EQ(printable("Größe → 10.0.0.1"), "Größe → 10.0.0.1");
  EXPECT_EQ(printable("\x7f\r"), "\\x7f\\x0d");
  EXPECT_EQ(printable("\xc2"), "\xc2") << "what is not UTF-8 is not this one's";
}

// --- top -------------------------------------------------------------------------------------------

Json port(const char* name, uint64_t rx, uint64_t bytes) {
  return {{"port", std::string("id-") + name},
          {"name", name},
          {"interface", "if"},
          {"rx_packets", rx},
          {"rx_bytes", bytes},
          {"tx_packets", 0},
          {"tx_bytes", 0},
          {"upcalls", 0},
          {"upcalls_lost", 0}};
}
Look look(double at, Json ports, Json drops) {
  return {{{"ports", std::move(ports)}, {"drops", std::move(drops)}}, {}, {}, at};
}

TEST(TopTable, RatesAreOfTheTimeBetweenAndSorted) {
  const Look before = look(10, {port("a", 100, 1000), port("b", 0, 0)}, {{{"reason", "no_route"}, {"count", 5}}});
  const Look after = look(12, {port("a", 110, 3000), port("b", 500, 0), port("c", 4, 0)},
                          {{{"reason", "no_route"}, {"count", 25}}, {{"reason", "hairpin"}, {"count", 0}}});
  const TopTable table = top_table(TopBy::port, before, after, {});
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0].names[0], "b");
  EXPECT_EQ(table.rows[0].rates[0], 250);
  EXPECT_EQ(table.rows[1].names[0], "a");
  EXPECT_EQ(table.rows[1].rates[0], 5);
  EXPECT_EQ(table.rows[1].rates[2], 8000) << "bits";
  EXPECT_EQ(table.rows[2].rates[0], 2) << "new since";
  const TopTable reasons = drop_reasons(before, after);
  ASSERT_EQ(reasons.rows.size(), 1U);
  EXPECT_EQ(reasons.rows[0].rates[0], 10);
}

TEST(TopTable, ACounterThatBeginsAnewIsNotNegative) {
  const TopTable table = top_table(TopBy::port, look(0, {port("a", 1000, 0)}, Json::array()),
                                   look(1, {port("a", 10, 0)}, Json::array()), {});
  EXPECT_EQ(table.rows[0].rates[0], 10);
}

TEST(TopTable, PortsAddUpToTheirDevice) {
  const TopTable table = top_table(TopBy::device, look(0, Json::array(), Json::array()),
                                   look(1, {port("a", 10, 0), port("b", 5, 0), port("x", 1, 0)}, Json::array()),
                                   {{"id-a", "bridge blue"}, {"id-b", "bridge blue"}});
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].names[0], "bridge blue");
  EXPECT_EQ(table.rows[0].rates[0], 15);
}

TEST(TopTable, RatesAreShort) {
  EXPECT_EQ(rate_text(0), "0");
  EXPECT_EQ(rate_text(2.5), "2.5");
  EXPECT_EQ(rate_text(999), "999");
  EXPECT_EQ(rate_text(1234), "1.2k");
  EXPECT_EQ(rate_text(12'345'678), "12.3M");
  EXPECT_EQ(rate_text(9e15), "9000.0T");
}

TEST(TopCommand, OnceIsOneTable) {
  FakeDaemon daemon;
  Tool tool{daemon};
  uint64_t asked = 0;
  daemon.answer(schema::AdminRequest::STATUS, [&](auto, schema::AdminReply::Builder reply) {
    auto port = reply.initStatus().initPorts(1)[0];
    set_uuid(port.initPort(), *Uuid::parse(FakeDaemon::kHostId));
    port.setName("vm\x1b[1");
    port.setRxPackets(1000 * asked++);
  });
  const Outcome top = tool({"top", "--once", "--interval", "0.02"});
  EXPECT_EQ(top.code, 0);
  EXPECT_THAT(top.out, HasSubstr("RX PKT/S"));
  EXPECT_THAT(top.out, HasSubstr("vm\\x1b[1"));
  EXPECT_EQ(asked, 2U);
  const Json json = tool({"top", "--once", "--interval", "0.02", "--json"}).json();
  EXPECT_GT(json["rows"][0]["rx_pkt_s"].get<double>(), 0);
  EXPECT_EQ(tool({"top", "--by", "colour"}).code, 2);
}

}  // namespace
}  // namespace viaduct::api::cli
