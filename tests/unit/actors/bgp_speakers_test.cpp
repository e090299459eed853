// The keeper of BGP speakers in a real actor system: a test that plays mirror and publisher, on a host without FRR. With FRR:
// tests/system/bgp_test.py.
#include "actors/agent/bgp_speakers.hpp"

#include <filesystem>

#include "actor_bench.hpp"
#include "actors/agent/bgp_status.hpp"
#include "actors/agent/learned_parts.hpp"
#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using testing::HasSubstr;
using topology::GatewayLost;
using topology::LearnedRoutes;
using topology::testing::id;
using topology::testing::ip;
using topology::testing::prefix;

const HostId kHost = id<HostId>(1);
const PortId kUplink = id<PortId>(22);

// A base, so that it outlives the actor system.
struct SpeakersBench {
  observability::Registry registry;
  observability::BgpProbe probe{registry};
  Journal<RoutesLearned> told, published;
  Journal<SpeakersChanged> wishes;
  Journal<std::string> restarts;
};

// edge (12) AS 65000 ── uplink (22) 10.9.0.1/24 on this host, with a peer 10.9.0.2
class BgpSpeakersTest : protected SpeakersBench, public ActorTest {
 protected:
  BgpSpeakersTest() {
    topology_.put(topology::testing::share(topology::testing::bgp_router(12)));
    auto uplink = topology::testing::router_port(22, 12, "10.9.0.1/24");
    uplink.host = kHost;
    uplink.interface = "none";
    topology_.put(topology::testing::share(uplink));
    topology_.put(topology::testing::share(topology::testing::bgp_peer(31, 12, "10.9.0.2")));
    publisher = system.spawn([this](caf::event_based_actor*) {
      return caf::behavior{[this](const RoutesLearned& news) { published.add(news); }};
    });
    mirror = system.spawn([this](caf::event_based_actor*) {
      return caf::behavior{[this](const RoutesLearned& news) { told.add(news); },
                           [this](const SpeakersChanged& news) { wishes.add(news); }};
    });
    speakers = spawn_bgp_speakers(system,
                                  {kHost, std::filesystem::temp_directory_path() / "viaduct-no-speakers",
                                   caf::actor_cast<StatePublisherActor>(publisher), probe,
                                   [this](std::string_view kind) { restarts.add(std::string(kind)); }, "/nonexistent"});
  }
  ~BgpSpeakersTest() override {
    self->send(speakers, Shutdown{});
    self->wait_for(speakers);
    for (const auto& actor : {publisher, mirror}) self->send_exit(actor, caf::exit_reason::kill);
    for (const auto& actor : {publisher, mirror}) self->wait_for(actor);
  }
  void announce(std::vector<topology::HostFact> restored = {}) {
    caf::send_as(mirror, speakers,
                 UplinksChanged{std::make_shared<const topology::Snapshot>(topology_), std::move(restored)});
  }
  // The report, once it holds so many problems.
  std::vector<std::string> problems(size_t count) {
    BgpReport report;
    EXPECT_TRUE(eventually([&] {
      report = ask<BgpReport>(speakers, ReportBgp{});
      return report.problems.size() == count;
    }));
    return report.problems;
  }

  topology::Snapshot topology_;
  caf::actor publisher, mirror;
  BgpSpeakersActor speakers;
};

TEST_F(BgpSpeakersTest, WithoutFrrItSaysWhatHelps) {
  announce();
  const auto wish = wishes.wait_for(1).at(0).speakers.at(kUplink);
  EXPECT_EQ(wish.peers, std::vector{ip("10.9.0.2")});
  EXPECT_THAT(problems(1).at(0),
              AllOf(HasSubstr("router router12, port port22"), HasSubstr("install the package frr")));
  const auto report = ask<BgpReport>(speakers, ReportBgp{});
  ASSERT_EQ(report.peers.size(), 1U);
  EXPECT_EQ(report.peers[0].peer, "10.9.0.2");
  EXPECT_EQ(report.peers[0].state, "Unknown");
  const auto actors = ask<NodeReport>(speakers, ReportNode{}).actors;
  ASSERT_EQ(actors.size(), 1U);
  EXPECT_EQ(actors[0].name, "router12/port22");
}

TEST_F(BgpSpeakersTest, APortThatSpeaksNoLongerTakesBackWhatItHadLearned) {
  LearnedParts earlier(kUplink);
  earlier.learn(prefix("192.0.2.0/24"), {ip("10.9.0.2")});
  const auto known = earlier.take().said;
  announce(known);
  wishes.wait_for(1);
  EXPECT_EQ(told.size(), 0U) << "an earlier life's routes count";
  topology_.erase({topology::Kind::bgp_peer, id<BgpPeerId>(31).uuid()});
  announce();
  EXPECT_TRUE(wishes.wait_for(2).at(1).speakers.empty());
  const auto news = told.wait_for(1).at(0);
  EXPECT_TRUE(news.said.empty());
  ASSERT_EQ(news.ended.size(), 1U);
  EXPECT_EQ(std::get<LearnedRoutes>(news.ended[0]).part, std::get<LearnedRoutes>(known.at(0)).part);
  EXPECT_EQ(published.wait_for(1).at(0).ended, news.ended);
  EXPECT_TRUE(problems(0).empty());
}

TEST_F(BgpSpeakersTest, WhatNobodySpeaksForEndsAtOnce) {
  const topology::HostFact lost = GatewayLost{id<PortId>(99), ip("10.8.0.2")};
  const topology::HostFact routes = LearnedRoutes{id<PortId>(99), ip("10.8.0.2"), 7, {prefix("192.0.2.0/24")}};
  announce({lost, routes});
  EXPECT_EQ(told.wait_for(1).at(0).ended, (std::vector{lost, routes}));
}

TEST_F(BgpSpeakersTest, OneThatDiesBeginsAgain) {
  announce();
  problems(1);
  SpeakerSaid last{kUplink, 1};
  last.routes.ended = {GatewayLost{kUplink, ip("10.9.0.2")}};
  last.died = "out of words";
  self->send(speakers, last);
  EXPECT_EQ(told.wait_for(1).at(0).ended, last.routes.ended) << "its last words count";
  EXPECT_EQ(restarts.wait_for(1).at(0), "bgp_speaker");
  EXPECT_TRUE(eventually([&] {
    const auto actor = ask<NodeReport>(speakers, ReportNode{}).actors.at(0);
    return actor.restarts == 1 && actor.state == observability::ActorState::running;
  }));
  self->send(speakers, last);  // of the life before: nothing more happens to this one
  EXPECT_EQ(ask<NodeReport>(speakers, ReportNode{}).actors.at(0).restarts, 1U);
}

}  // namespace
}  // namespace viaduct::actors
