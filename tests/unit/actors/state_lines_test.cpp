#include "actors/admin/state_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using flows::simulation::Network;
using testing::ElementsAre;
using testing::FieldsAre;
using topology::CheckResult;
using topology::Kind;

TEST(StateLines, HealthOfAPoolsMembers) {
  const auto snapshot = snapshot_of(pool(31, 30, 50), health_monitor(50), host(2), pool_member(41, 31, "10.0.0.1", 80),
                                    pool_member(42, 31, "2001:db8::1", 8080), pool_member(43, 31, "10.0.0.3", 80));
  flows::simulation::Locations locations;
  const PoolId id31 = id<PoolId>(31);
  locations.health.put(id31, std::make_shared<const topology::HealthReport>(topology::HealthReport{
                                 id31,
                                 {{id<PoolMemberId>(41), false, CheckResult::wrong_status, 503, 990},
                                  {id<PoolMemberId>(42), true, CheckResult::healthy, 0, 900},
                                  {id<PoolMemberId>(43)}}}));
  locations.checkers.put(id31, kThere);
  AgentState state;
  state.network.publish(std::make_shared<const Network>(Network::compile(snapshot, locations)));
  const topology::ObjectRef pool{Kind::pool, id31.uuid()};
  const WallTime wall(std::chrono::seconds(1'000));
  EXPECT_THAT(state_lines(id31.uuid(), snapshot, state, {}, wall),
              ElementsAre(FieldsAre(pool, "checker", "host2", "", "checks", 0),
                          FieldsAre(pool, "member", "10.0.0.1:80", "HTTP status 503", "down", 10),
                          FieldsAre(pool, "member", "10.0.0.3:80", "not checked yet", "unchecked", 0),
                          FieldsAre(pool, "member", "[2001:db8::1]:8080", "healthy", "up", 100)));
  locations.checkers.remove(id31);
  state.network.publish(std::make_shared<const Network>(Network::compile(snapshot, locations)));
  EXPECT_THAT(state_lines({}, snapshot, state, {}, wall).front(), FieldsAre(pool, "checker", "nobody", "", "away", 0));
  EXPECT_TRUE(state_lines(id<PoolId>(99).uuid(), snapshot, state, {}, wall).empty());
}

}  // namespace
}  // namespace viaduct::actors
