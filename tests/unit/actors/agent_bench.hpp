// An agent without actors: packet workers, flow keeper and tables over the fake datapath, run step by step in the test's
// own thread. The test plays the guests, the clock, and the actors (who ask for neighbours and publish networks).
//
//   vm1 ── p1 ─┐                                  ┌─ p3 ── vm3      vmN: 02:00:00:00:00:0N, 10.0.1.N or 10.0.2.N
//              green ── r1-green [r1] r1-blue ── blue               r1:  10.0.1.254, 10.0.2.254
//   vm2 ── p2 ─┘                                  └─ p4 ── vm4
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/agent/flow_keeper.hpp"
#include "actors/agent/worker_pool.hpp"
#include "flows/datapath/fake.hpp"
#include "flows/packet/packet_builder.hpp"
#include "observability/metrics.hpp"
#include "tests/scenario/driver.hpp"
#include "tests/scenario/scenario_network.hpp"

namespace viaduct::actors {

using scenario::Frame;
using scenario::ScenarioNetwork;

inline constexpr const char* kGreenMac = "02:00:00:00:01:fe";
inline constexpr const char* kBlueMac = "02:00:00:00:02:fe";

ScenarioNetwork two_subnets();
MacAddress mac_of(int vm);
IpAddress ip_of(int vm);
std::string port_of(int vm);
// From `vm` to the address; the MAC says whether by the bridge or by the router.
Frame udp(int vm, const MacAddress& to_mac, const IpAddress& to, uint16_t source_port = 5000);
Frame udp(int from, int to);
Frame announcement(int vm);

// The value of a counter or gauge; of all its series without a label value.
double metric(const observability::Registry& registry, std::string_view name, std::string_view label_value = {});

class AgentBench {
 public:
  explicit AgentBench(ScenarioNetwork network = two_subnets(), unsigned workers = 1,
                      const FlowControllerOptions& options = {}, const std::optional<FlowLogSettings>& flow_log = {});

  // --- guests ------------------------------------------------------------------------------------
  // Into the datapath; nothing is done about it before work().
  bool inject(const std::string& port, const Frame& frame) { return kernel->inject("if-" + port, frame); }
  // Everything that waits, with all its consequences.
  void work();
  void send(const std::string& port, const Frame& frame);
  std::vector<Frame> output(const std::string& port);
  // The ports where frames came out since the last call, as "p2 p3"; what came out is forgotten.
  std::string where();
  // The guests make themselves known, to the router too.
  void announce(std::initializer_list<int> vms);

  // --- actors ------------------------------------------------------------------------------------
  // As the mirror: publishes, bumps epochs, removes flows. Returns how many went.
  size_t apply(const ScenarioNetwork& network, const std::vector<PortId>& rebound = {});
  // A new flow keeper, as after a restart.
  void restart_keeper();

  double dropped(flows::DropReason reason) const;
  double metric(std::string_view name, std::string_view label = {}) const {
    return actors::metric(registry, name, label);
  }
  size_t flows() const { return datapath->stats().flows; }
  std::vector<flows::Flow> dump();
  void advance(std::chrono::milliseconds time) { *now += time; }
  // What the flow log was told since the last time.
  std::vector<FlowLogTap::Record> logged();
  std::vector<observability::flow_log::Ended> ended();

  ScenarioNetwork net;
  std::shared_ptr<flows::Time> now = std::make_shared<flows::Time>(std::chrono::steady_clock::now());
  std::shared_ptr<flows::FakeKernel> kernel;
  std::unique_ptr<flows::Datapath> datapath;
  observability::Registry registry;
  observability::FlowControllerProbe flow_probe{registry};
  AgentState state;
  std::unique_ptr<WorkerPool> pool;
  FlowControllerOptions options;
  std::unique_ptr<FlowKeeper> keeper;
};

}  // namespace viaduct::actors
