// Tunnel ports: made, found again, removed; packets from user space, and to it.
#include <algorithm>

#include "flows/packet/checksum.hpp"
#include "tunnel_words.hpp"

namespace viaduct::flows {

TEST_P(TunnelConformance, AddingATunnelPortTwiceGivesTheSameNumber) {
  open_host();
  for (const Underlay& way : ways_) {
    std::error_code error;
    DatapathPort first = datapath_->add_tunnel_port({.kind = way.kind}, error);
    EXPECT_FALSE(error) << error.message();
    EXPECT_TRUE(first.present);
    EXPECT_EQ(first.tunnel, way.kind);
    EXPECT_TRUE(harness_->has_interface(first.interface));
    EXPECT_EQ(datapath_->add_tunnel_port({.kind = way.kind}, error).number, first.number);
    EXPECT_FALSE(error) << error.message();
  }
  Guest a = guest();
  for (const DatapathPort& port : datapath_->ports()) EXPECT_EQ(port.tunnel.has_value(), port.number != a.port);
}

TEST_P(TunnelConformance, AKindThatTheKernelDoesNotHaveIsNotSupported) {
  open_host();
  Capabilities can = datapath_->capabilities();
  for (TunnelKind kind : {TunnelKind::vxlan, TunnelKind::gre}) {
    std::error_code error;
    PortNumber port = datapath_->add_tunnel_port({.kind = kind}, error).number;
    bool has = kind == TunnelKind::vxlan ? can.vxlan : can.gre;
    EXPECT_EQ(error == std::errc::not_supported, !has);
    EXPECT_EQ(static_cast<bool>(port), has);
    EXPECT_EQ(datapath_->ports().size(), has ? 1U : 0U);
    datapath_->remove_port(port);
  }
}

TEST_P(TunnelConformance, AnotherUdpPortKeepsTheNumber) {
  open_host();
  if (!datapath_->capabilities().vxlan) GTEST_SKIP() << "no VXLAN";
  PortNumber port = tunnel_port(TunnelKind::vxlan);
  std::error_code error;
  EXPECT_EQ(datapath_->add_tunnel_port({.udp_port = 4789}, error).number, port);
  ASSERT_FALSE(error) << error.message();
  Underlay way{TunnelKind::vxlan, IpFamily::v4};
  frames::Bytes frame = frames::udp4({frames::Host::number(1), frames::Host::number(2)});
  EXPECT_EQ(execute(frame, {TunnelOutput{port, way.to(2, 5)}}), 0U);
  std::optional<Tunneled> sent = next_tunneled();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->udp_port, 4789);
  Tunneled arriving = way.packet(2, 6, frame);
  arriving.udp_port = 4789;
  harness_->send_tunneled(arriving);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->in_port, port);
}

TEST_P(TunnelConformance, ExecutedPacketsReachTheOtherHost) {
  open_host();
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    frames::Bytes frame = frames::udp4({frames::Host::number(1), frames::Host::number(2)});
    for (uint32_t key : {1U, 0x123456U, Tunnel::kMaxKey}) {
      EXPECT_EQ(execute(frame, {TunnelOutput{port, way.to(2, key), 0xb8}}), 0U);
      std::optional<Tunneled> sent = next_tunneled();
      ASSERT_TRUE(sent);
      EXPECT_EQ(sent->frame, frame);
      EXPECT_EQ(sent->kind, way.kind);
      EXPECT_EQ(sent->tunnel, way.to(2, key));
      EXPECT_EQ(sent->tos, 0xb8);
      EXPECT_EQ(sent->ttl, 64);
      EXPECT_EQ(sent->dont_fragment, way.family == IpFamily::v4);
      EXPECT_FALSE(sent->checksum) << "RFC 7348, 4.1";
      EXPECT_EQ(sent->udp_port, TunnelPortSpec::kVxlanPort);
    }
  }
}

// More hosts than one system call takes packets, and all of their keys different.
TEST_P(TunnelConformance, ManyPacketsGoEachToTheirOwn) {
  open_host();
  for (const Underlay& way : ways_) {
    PortNumber port = tunnel_port(way.kind);
    frames::Bytes frame = frames::udp4({frames::Host::number(1), frames::Host::number(2)});
    ActionList actions;
    for (uint32_t key = 1; key <= 150; ++key) {
      actions.push_back(TunnelOutput{port, way.to(static_cast<uint8_t>(2 + key % 3), key)});
    }
    EXPECT_EQ(execute(frame, actions), 0U);
    for (uint32_t key = 1; key <= 150; ++key) {
      std::optional<Tunneled> sent = next_tunneled();
      ASSERT_TRUE(sent) << key;
      EXPECT_EQ(sent->tunnel, way.to(static_cast<uint8_t>(2 + key % 3), key));
      EXPECT_EQ(sent->frame, frame);
    }
  }
}

// Whole or in segments: as many bytes arrive as were sent, in order, and each segment of Open vSwitch's is finished.
TEST_P(TunnelConformance, SuperPacketsAreExecutedIntoTunnels) {
  open_host();
  constexpr size_t kSegment = 1300, kHeaders = 14 + 20 + 20;
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    for (size_t payload : {500, 3000, 40000}) {
      frames::Bytes frame = frames::tcp_super4(frames::Host::number(1), frames::Host::number(2), payload);
      Offload offload{.partial_checksum = true};
      if (payload > kSegment) offload = {kSegment, Offload::Gso::tcp_v4, true};
      EXPECT_EQ(execute(frame, {TunnelOutput{port, way.to(2, 5)}}, offload), 0U);
      frames::Bytes arrived;
      while (arrived.size() < payload) {
        std::optional<Tunneled> sent = next_tunneled();
        ASSERT_TRUE(sent) << "after " << arrived.size() << " of " << payload;
        EXPECT_EQ(sent->tunnel, way.to(2, 5));
        ASSERT_GT(sent->frame.size(), kHeaders);
        arrived.insert(arrived.end(), sent->frame.begin() + kHeaders, sent->frame.end());
        if (datapath_->kind() == "ovs") {
          EXPECT_TRUE(verify_l4_checksum(frames::parsed(sent->frame)));
        }
      }
      EXPECT_EQ(arrived, frames::Bytes(frame.begin() + kHeaders, frame.end()));
    }
  }
}

TEST_P(TunnelConformance, AnUpcallSaysByWhichTunnelItCame) {
  open_host();
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    frames::Bytes frame = frames::udp6({frames::Host::number(1), frames::Host::number(2)});
    for (uint8_t host : {2, 3}) {
      harness_->send_tunneled(way.packet(host, 0x00cafe, frame));
      std::optional<Seen> upcall = next_upcall();
      ASSERT_TRUE(upcall);
      EXPECT_EQ(upcall->in_port, port);
      EXPECT_EQ(upcall->reason, UpcallReason::miss);
      EXPECT_EQ(upcall->tunnel, way.from(host, 0x00cafe));
      EXPECT_EQ(upcall->bytes, frame);
    }
  }
  Guest a = guest();
  send(a, frames::arp_request(a.host, a.host));
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_FALSE(upcall->tunnel.present());
}

TEST_P(TunnelConformance, APacketWithoutAKeyIsDroppedAndCounted) {
  open_host();
  for (const Underlay& way : ways_) {
    tunnel_port(way.kind);
    frames::Bytes frame = frames::udp4({frames::Host::number(1), frames::Host::number(2)});
    harness_->send_tunneled(way.packet(2, 0, frame));
    harness_->send_tunneled(way.packet(2, 5, frame));
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->tunnel, way.from(2, 5));
  }
  auto counts = datapath_->error_counts();
  auto at = std::find_if(counts.begin(), counts.end(), [](const auto& one) { return one.first == "no_tunnel"; });
  EXPECT_EQ(at == counts.end() ? 0 : at->second, ways_.size());
}

TEST_P(TunnelConformance, TrafficIsCounted) {
  open_host();
  for (const Underlay& way : ways_) {
    if (way.family == IpFamily::v6) continue;
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    frames::Bytes frame = frames::udp4(udp(a, a));
    ASSERT_EQ(install(flow_for(port, way.from(2, 5), frame, tunnel_and_ethernet(), {Output{a.port}})),
              InstallResult::installed);
    ASSERT_EQ(install(a, frame, FieldSet::ethernet(), {TunnelOutput{port, way.to(2, 5)}}), InstallResult::installed);
    harness_->send_tunneled(way.packet(2, 5, frame));
    ASSERT_TRUE(next_frame(a));
    send(a, frame);
    ASSERT_TRUE(next_tunneled());
    EXPECT_EQ(execute(frame, {TunnelOutput{port, way.to(2, 5)}}), 0U);
    ASSERT_TRUE(next_tunneled());
    std::optional<PortStats> stats = datapath_->port_stats(port);
    ASSERT_TRUE(stats);
    EXPECT_EQ(stats->rx_packets, 1U);
    EXPECT_EQ(stats->tx_packets, 2U);
    // Open vSwitch has the device's own count, which is of what is inside of the Ethernet frame.
    if (datapath_->kind() != "ovs") {
      EXPECT_EQ(stats->tx_bytes, 2 * frame.size());
    }
  }
}

TEST_P(TunnelConformance, ARestartKeepsNumbersAndFlows) {
  open_host();
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    frames::Bytes frame = frames::udp4(udp(a, a));
    std::vector<FlowInstall> installed{
        flow_for(port, way.from(2, 5), frame, tunnel_and_ethernet(), {Output{a.port}}),
        flow_for(a, frame, FieldSet::all(), {TunnelOutput{port, way.to(2, 6), 4}, TunnelOutput{port, way.to(3, 7)}})};
    for (const FlowInstall& one : installed) ASSERT_EQ(install(one), InstallResult::installed);
    kill();
    harness_->send_tunneled(way.packet(2, 5, frame));
    EXPECT_EQ(next_frame(a), frame);
    open();
    EXPECT_EQ(tunnel_port(way.kind), port);
    std::vector<Flow> found = flows();
    ASSERT_EQ(found.size(), installed.size());
    for (const FlowInstall& one : installed) {
      auto at = std::find_if(found.begin(), found.end(), [&](const Flow& flow) { return flow.id == one.flow.id; });
      ASSERT_NE(at, found.end()) << one.flow.to_string();
      EXPECT_EQ(at->key, one.flow.key);
      EXPECT_EQ(at->mask, one.flow.mask);
      EXPECT_EQ(at->actions, one.flow.actions);
    }
    for (const DatapathPort& one : datapath_->ports()) EXPECT_EQ(one.tunnel.has_value(), one.interface != a.interface);
    harness_->send_tunneled(way.packet(2, 9, frame));
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->tunnel, way.from(2, 9));
    datapath_->flush_flows();
    datapath_->remove_port(a.port);
    datapath_->remove_port(port);
  }
}

TEST_P(TunnelConformance, RemovingAPortRemovesItsInterfaceAndItsFlows) {
  open_host();
  for (const Underlay& way : ways_) {
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    std::string interface = tunnel_interface_of(port);
    frames::Bytes frame = frames::udp4(udp(a, a));
    ASSERT_EQ(install(flow_for(port, way.from(2, 5), frame, tunnel_and_ethernet(), {Output{a.port}})),
              InstallResult::installed);
    EXPECT_FALSE(datapath_->remove_port(port));
    EXPECT_FALSE(harness_->has_interface(interface));
    EXPECT_TRUE(flows().empty());
    datapath_->remove_port(a.port);
  }
}

TEST_P(TunnelConformance, DestroyRemovesTheInterfaces) {
  open_host();
  std::vector<std::string> interfaces;
  for (const Underlay& way : ways_) interfaces.push_back(tunnel_interface_of(tunnel_port(way.kind)));
  channels_.clear();
  datapath_->destroy();
  for (const std::string& interface : interfaces) EXPECT_FALSE(harness_->has_interface(interface)) << interface;
}

}  // namespace viaduct::flows
