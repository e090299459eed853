// What survives a daemon that died, and what destroy() leaves.
#include <algorithm>

#include "conformance.hpp"

namespace viaduct::flows {

namespace {

FieldSet five_tuple() {
  FieldSet mask = FieldSet::ethernet();
  mask.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::l4_src, Field::l4_dst});
  return mask;
}

}  // namespace

TEST_P(DatapathConformance, KnownFlowsLoseNothingWhileTheDaemonIsAway) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  frames::Bytes routed = frames::udp6(udp(a, b));
  ASSERT_EQ(install(a, frame, five_tuple(), {Output{b.port}}), InstallResult::installed);
  ActionList route{SetEthernet{a.host.mac, b.host.mac}, DecrementTtl{}, CheckMtu{1500}, Output{b.port}};
  ASSERT_EQ(install(a, routed, FieldSet::ethernet(), route), InstallResult::installed);
  kill();
  constexpr int kPackets = 50;
  for (int i = 0; i < kPackets; ++i) {
    send(a, frame);
    ASSERT_EQ(next_frame(b), frame) << i;
  }
  send(a, routed);
  ASSERT_TRUE(next_frame(b));
  open();
  auto stats = flow_stats();
  ASSERT_EQ(stats.size(), 2U);
  EXPECT_EQ(stats[0].second.packets + stats[1].second.packets, kPackets + 1);
}

TEST_P(DatapathConformance, PortsAndFlowsAreFoundAgain) {
  open();
  Guest a = guest();
  Guest b = guest();
  std::vector<FlowInstall> installed{
      flow_for(a, frames::udp4(udp(a, b)), five_tuple(), {Output{b.port}}),
      flow_for(a, frames::udp6(udp(a, b)), FieldSet::all(), {DecrementTtl{}, CheckMtu{1300}, Output{b.port}}),
      flow_for(b, frames::arp_request(b.host, a.host), FieldSet::ethernet(), {Output{a.port}, Output{b.port}}),
      flow_for(b, frames::tagged(frames::udp4(udp(b, a)), 9), FieldSet::ethernet(), {}),
  };
  for (const FlowInstall& one : installed) ASSERT_EQ(install(one), InstallResult::installed);
  kill();
  open();
  std::vector<DatapathPort> ports = datapath_->ports();
  ASSERT_EQ(ports.size(), 2U);
  for (const Guest& guest : {a, b}) {
    auto at = std::find_if(ports.begin(), ports.end(), [&](const auto& port) { return port.number == guest.port; });
    ASSERT_NE(at, ports.end());
    EXPECT_EQ(at->interface, guest.interface);
    EXPECT_TRUE(at->present);
  }
  std::vector<Flow> found = flows();
  ASSERT_EQ(found.size(), installed.size());
  for (const FlowInstall& one : installed) {
    auto at = std::find_if(found.begin(), found.end(), [&](const Flow& flow) { return flow.id == one.flow.id; });
    ASSERT_NE(at, found.end()) << one.flow.to_string();
    EXPECT_EQ(at->key, one.flow.key);
    EXPECT_EQ(at->mask, one.flow.mask);
    EXPECT_EQ(at->actions, one.flow.actions);
  }
}

TEST_P(DatapathConformance, AdoptedFlowsCanBeReplacedAndRemoved) {
  open();
  Guest a = guest();
  Guest b = guest();
  Guest c = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  FlowInstall flow = flow_for(a, frame, five_tuple(), {Output{b.port}});
  ASSERT_EQ(install(flow), InstallResult::installed);
  kill();
  open();
  std::error_code error;
  EXPECT_EQ(datapath_->add_port(a.interface, error).number, a.port);
  flow.flow.actions = {Output{c.port}};
  EXPECT_EQ(install(flow), InstallResult::replaced);
  send(a, frame);
  EXPECT_EQ(next_frame(c), frame);
  EXPECT_EQ(datapath_->remove_flows(std::span(&flow.flow.id, 1), {}), 1U);
  EXPECT_EQ(datapath_->stats().flows, 0U);
  send(a, frame);
  EXPECT_TRUE(next_upcall());
}

TEST_P(DatapathConformance, MissesAreServedAfterARestart) {
  open();
  Guest a = guest();
  Guest b = guest();
  kill();
  frames::Bytes frame = frames::udp4(udp(a, b));
  send(a, frame);
  open();
  send(a, frames::udp6(udp(a, b)));
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  // Open vSwitch has no queue without a listener: there the first packet is lost.
  if (datapath_->kind() != "ovs") {
    EXPECT_EQ(upcall->bytes, frame);
    upcall = next_upcall();
    ASSERT_TRUE(upcall);
  }
  EXPECT_EQ(upcall->bytes, frames::udp6(udp(a, b)));
}

TEST_P(DatapathConformance, AnInterfaceThatVanishedMeanwhileIsAbsent) {
  open();
  Guest a = guest();
  Guest b = guest();
  kill();
  harness_->remove_interface(a.interface);
  open();
  for (const DatapathPort& port : datapath_->ports()) EXPECT_EQ(port.present, port.number == b.port);
  EXPECT_EQ(datapath_->ports().size(), 2U);
  harness_->restore_interface(a.interface);
  std::error_code error;
  EXPECT_EQ(datapath_->add_port(a.interface, error).number, a.port);
  send(a, frames::udp4(udp(a, b)));
  EXPECT_TRUE(next_upcall());
}

TEST_P(DatapathConformance, NumbersGoOnWhereTheyWere) {
  open();
  Guest a = guest();
  kill();
  open();
  Guest b = guest();
  EXPECT_NE(a.port, b.port);
}

TEST_P(DatapathConformance, DestroyLeavesNothing) {
  open();
  Guest a = guest();
  Guest b = guest();
  ASSERT_EQ(install(a, frames::udp4(udp(a, b)), five_tuple(), {Output{b.port}}), InstallResult::installed);
  channels_.clear();
  datapath_->destroy();
  kill();
  open();
  EXPECT_TRUE(datapath_->ports().empty());
  EXPECT_TRUE(flows().empty());
  EXPECT_EQ(datapath_->stats().flows, 0U);
}

}  // namespace viaduct::flows
