// What `viaduct why` answers: drops of a running agent (over the fake datapath), its network, and how causes are ordered.
#include "actors/admin/why_run.hpp"
#include "agent_bench.hpp"

namespace viaduct::actors {
namespace {

using flows::DropReason;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const HostId kHere = HostId(Uuid::from_words(9, 1));

Cause named(const char* name, Certainty certainty, uint64_t packets = 0, double last = 0) {
  Cause out{name};
  out.certainty = certainty;
  out.packets = packets;
  out.last_seconds = last;
  return out;
}

std::vector<std::string> names_of(const std::vector<Cause>& causes) {
  std::vector<std::string> out;
  for (const Cause& cause : causes) out.push_back(cause.name);
  return out;
}

TEST(WhyRank, TheSurestFirstThenTheLatestAndNoiseLast) {
  std::vector<Cause> causes{named("past", Certainty::earlier, 1000), named("maybe", Certainty::likely),
                            named("old", Certainty::now, 90, 40),    named("new", Certainty::now, 2, 1),
                            named("noise", Certainty::now, 500),     named("traced", Certainty::traced)};
  causes[4].noise = true;
  rank(causes);
  EXPECT_THAT(names_of(causes), ElementsAre("traced", "new", "old", "maybe", "past", "noise"));
}

TEST(WhyRank, OneCauseIsToldOnceWithAllItsPackets) {
  std::vector<Cause> causes{named("no_route", Certainty::now, 5, 2), named("no_route", Certainty::traced),
                            named("no_route", Certainty::earlier, 7, 60)};
  causes[0].first_seconds = 9;
  causes[2].first_seconds = 100;
  causes[2].device = causes[0].device;
  rank(causes);
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].certainty, Certainty::traced);
  EXPECT_EQ(causes[0].packets, 12U);
  EXPECT_EQ(causes[0].first_seconds, 100);
  EXPECT_EQ(causes[0].last_seconds, 2);
}

TEST(WhyRank, TheSameAtAnotherDeviceIsAnother) {
  std::vector<Cause> causes{named("port_down", Certainty::likely), named("port_down", Certainty::likely)};
  causes[0].device = {topology::Kind::port, Uuid::from_words(1, 1)};
  causes[1].device = {topology::Kind::port, Uuid::from_words(1, 2)};
  causes[0].distance = 3;
  rank(causes);
  ASSERT_EQ(causes.size(), 2U);
  EXPECT_EQ(causes[0].device.id, Uuid::from_words(1, 2)) << "the nearer one";
}

TEST(WhyWords, EachReasonHasSome) {
  for (size_t reason = 1; reason < flows::kDropReasons; ++reason) {
    const auto words = words_of(static_cast<DropReason>(reason));
    EXPECT_NE(words.what, "dropped") << flows::to_string(static_cast<DropReason>(reason));
  }
}

struct Why : testing::Test {
  Why() { bench.announce({1, 2, 3, 4}); }

  WhyResult ask(const std::string& port, std::optional<PacketDescription> packet = std::nullopt) {
    bench.advance(std::chrono::milliseconds(30));  // the worker tells a little later
    bench.work();
    const auto network = bench.state.network.load();
    WhyFacts facts;
    const auto* known = network->port(bench.net.port(port));
    facts.host = {known == nullptr ? kHere : known->host, 0, "h1"};
    facts.now = *bench.now;
    facts.drops = bench.keeper->drops(bench.net.port(port));
    return run_why({bench.net.port(port), std::move(packet)}, network->snapshot(), bench.state, facts);
  }
  static PacketDescription icmp_to(const std::string& address) {
    PacketDescription packet;
    packet.ip_dst = IpAddress::parse(address);
    return packet;
  }
  AgentBench bench;
};

TEST_F(Why, ADropIsRememberedWithItsPlace) {
  bench.send("p1", udp(1, *MacAddress::parse(kGreenMac), *IpAddress::parse("192.0.2.1")));
  const auto why = ask("p1");
  ASSERT_THAT(names_of(why.causes), ElementsAre("no_route"));
  EXPECT_EQ(why.causes[0].certainty, Certainty::now);
  EXPECT_EQ(why.causes[0].packets, 1U);
  EXPECT_EQ(why.causes[0].device.id, bench.net.id("r1"));
  EXPECT_THAT(why.causes[0].text, HasSubstr("192.0.2.1"));
}

TEST_F(Why, WhatIsMendedIsOfThePast) {
  bench.send("p1", udp(1, *MacAddress::parse(kGreenMac), *IpAddress::parse("192.0.2.1")));
  auto mended = bench.net;
  mended.route("all", "r1", "0.0.0.0/0", "r1-blue", "10.0.2.3");
  bench.apply(mended);
  const auto why = ask("p1");
  ASSERT_THAT(names_of(why.causes), ElementsAre("no_route"));
  EXPECT_EQ(why.causes[0].certainty, Certainty::earlier);
}

TEST_F(Why, PacketsOfADropFlowAreCountedInTheKernel) {
  auto net = bench.net;
  net.special_route("hole", "r1", "192.0.2.0/24", topology::NextHop::blackhole);
  bench.apply(net);
  const Frame frame = udp(1, *MacAddress::parse(kGreenMac), *IpAddress::parse("192.0.2.1"));
  bench.send("p1", frame);
  bench.keeper->take_news();
  for (int i = 0; i < 9; ++i) bench.inject("p1", frame);
  bench.keeper->statistics();
  const auto why = ask("p1");
  ASSERT_THAT(names_of(why.causes), ElementsAre("blackhole_route"));
  EXPECT_EQ(why.causes[0].packets, 10U);
}

TEST_F(Why, APacketInWordsIsTraced) {
  const auto why = ask("p1", icmp_to("192.0.2.1"));
  ASSERT_THAT(names_of(why.causes), ElementsAre("no_route"));
  EXPECT_EQ(why.causes[0].certainty, Certainty::traced);
  ASSERT_TRUE(why.trace);
  EXPECT_EQ(why.trace->drop_reason, "no_route");
}

TEST_F(Why, AWellNetworkHasNoCause) { EXPECT_THAT(names_of(ask("p1", icmp_to("10.0.2.3")).causes), IsEmpty()); }

TEST_F(Why, APortThatIsNotKnownIsNamed) {
  WhyFacts facts;
  facts.host = {kHere, 0, "h1"};
  const auto network = bench.state.network.load();
  const auto why = run_why({PortId(Uuid::from_words(7, 7)), std::nullopt}, network->snapshot(), bench.state, facts);
  EXPECT_THAT(why.error, HasSubstr("no port"));
  EXPECT_THAT(why.error, HasSubstr("h1"));
}

}  // namespace
}  // namespace viaduct::actors
