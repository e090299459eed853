#include "actors/admin/route_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using topology::LearnedRoutes;
using topology::testing::id;
using topology::testing::ip;
using topology::testing::prefix;

// edge (12) ── up1 (22) on host 1, number 7 ── 10.9.1.2
//          └── up2 (23) on host 2, active there ── 10.9.2.2
class RouteLinesTest : public testing::Test {
 protected:
  RouteLinesTest() {
    snapshot_.put(topology::testing::share(topology::testing::bgp_router(12)));
    for (uint64_t port : {22, 23}) {
      auto uplink = topology::testing::router_port(port, 12, port == 22 ? "10.9.1.1/24" : "10.9.2.1/24");
      uplink.host = id<HostId>(port - 21);
      uplink.interface = "eth7";
      snapshot_.put(topology::testing::share(uplink));
    }
    locations_.bindings = locations_.bindings.insert(id<PortId>(22), flows::PortNumber{7});
    locations_.remote = locations_.remote.insert(id<PortId>(23), {id<HostId>(2), 99});
    locations_.paths = locations_.paths.insert(id<HostId>(2), {});
    learn(22, "10.9.1.2", {"0.0.0.0/0", "198.51.100.0/24"});
    learn(23, "10.9.2.2", {"0.0.0.0/0"});
  }
  void learn(uint64_t port, const char* gateway, const std::vector<const char*>& prefixes) {
    LearnedRoutes routes{id<PortId>(port), ip(gateway), 3};
    for (const char* one : prefixes) routes.prefixes.push_back(prefix(one));
    auto& at = learned_[port];
    at.parts.put({routes.gateway, 3}, std::make_shared<const LearnedRoutes>(routes));
  }
  LearnedRouteLines ask(const RoutesRequest& request = {}) {
    for (const auto& [port, at] : learned_) {
      locations_.learned.put(id<PortId>(port),
                             {{id<HostId>(port - 21), std::make_shared<const flows::simulation::LearnedAtPort>(at)}});
    }
    return learned_routes(flows::simulation::Network::compile(snapshot_, locations_), request);
  }
  static std::string text(const LearnedRouteLines& all) {
    std::string out;
    for (const auto& line : all.lines)
      out += line.prefix.to_string() + " " + line.gateway.to_string() + " " + line.state + "\n";
    return out;
  }

  topology::Snapshot snapshot_;
  flows::simulation::Locations locations_;
  std::map<uint64_t, flows::simulation::LearnedAtPort> learned_;
};

TEST_F(RouteLinesTest, AllOfThemInOrderWithHowTheyStand) {
  learned_[22].lost = {ip("10.9.1.2")};
  EXPECT_EQ(text(ask()), "0.0.0.0/0 10.9.1.2 lost\n0.0.0.0/0 10.9.2.2 used\n198.51.100.0/24 10.9.1.2 lost\n");
  locations_.bindings = locations_.bindings.erase(id<PortId>(22));
  learned_[22].lost = {};
  EXPECT_EQ(text(ask()), "0.0.0.0/0 10.9.1.2 port_down\n0.0.0.0/0 10.9.2.2 used\n198.51.100.0/24 10.9.1.2 port_down\n");
}

TEST_F(RouteLinesTest, OfOneRouterToOneDestinationAndSoMany) {
  RoutesRequest request;
  request.destination = ip("198.51.100.7");
  EXPECT_EQ(ask(request).total, 3U);
  request.destination = ip("203.0.113.7");
  EXPECT_EQ(ask(request).total, 2U);
  request.limit = 1;
  EXPECT_EQ(text(ask(request)), "0.0.0.0/0 10.9.1.2 used\n");
  EXPECT_EQ(ask(request).total, 2U) << "it says how many there are";
  request.router = id<RouterId>(13);
  EXPECT_EQ(ask(request).total, 0U);
}

TEST_F(RouteLinesTest, TheFirstOfMany) {
  std::vector<std::string> texts;
  for (int i = 0; i < 250; ++i) texts.push_back("10." + std::to_string(249 - i) + ".0.0/16");
  std::vector<const char*> prefixes;
  for (const auto& one : texts) prefixes.push_back(one.c_str());
  learn(22, "10.9.1.2", prefixes);
  RoutesRequest request;
  request.limit = 3;
  EXPECT_EQ(ask(request).total, 251U);
  EXPECT_EQ(text(ask(request)), "0.0.0.0/0 10.9.2.2 used\n10.0.0.0/16 10.9.1.2 used\n10.1.0.0/16 10.9.1.2 used\n");
}

}  // namespace
}  // namespace viaduct::actors
