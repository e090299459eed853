// What a host writes, as a transaction.
#include <gtest/gtest.h>

#include "actors/cluster/host_states.hpp"
#include "tests/unit/topology/literals.hpp"
#include "topology/builder.hpp"
#include "topology/store/memory_store.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;  // NOLINT: the literals

// An agent that joins again writes everything, and names also what it has withdrawn.
TEST(StateWrites, ACompleteWriteMayNameWhatItDeletes) {
  auto nsdb = topology::store::make_memory_store();
  HostStates states(*nsdb, "node", std::chrono::seconds(10));
  auto built = topology::build({}, {topology::Create{bridge(10)}}, 1);
  ASSERT_TRUE(built.ok());
  states.follow({std::make_shared<const topology::Snapshot>(built.next), {}, true});
  const auto begun = states.begin({id<HostId>(1), "host1", "instance"}, {});
  ASSERT_EQ(begun.refused, "");

  const topology::StateEntry flood{id<HostId>(1), {}, 0, topology::FloodKey{id<BridgeId>(10), 7}};
  topology::StateWrite first, second;
  first.puts.push_back({flood, topology::StateWrite::Mode::restore});
  second.deletes.push_back(topology::state_key(flood));
  second.complete = true;
  auto write = [&](const topology::StateWrite& what) {
    return states.write({id<HostId>(1), begun.epoch, std::make_shared<const topology::StateWrite>(what)});
  };
  EXPECT_EQ(write(first).error, "");
  ASSERT_NE(states.states().find(topology::state_key(flood)), nullptr);
  EXPECT_EQ(write(second).error, "");
  EXPECT_EQ(states.states().find(topology::state_key(flood)), nullptr);
}

}  // namespace
}  // namespace viaduct::actors
