// Flows from and to other hosts.
#include "tunnel_words.hpp"

namespace viaduct::flows {

TEST_P(TunnelConformance, AGuestsPacketsGoToAnotherHost) {
  open_host();
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    for (const frames::Bytes& frame :
         {frames::udp4(udp(a, a)), frames::udp6(udp(a, a)), frames::tagged(frames::udp4(udp(a, a)), 9),
          frames::arp_request(a.host, a.host)}) {
      ASSERT_EQ(install(a, frame, FieldSet::all(), {TunnelOutput{port, way.to(2, 77), 8}}), InstallResult::installed);
      send(a, frame);
      std::optional<Tunneled> sent = next_tunneled();
      ASSERT_TRUE(sent);
      EXPECT_EQ(sent->frame, frame);
      EXPECT_EQ(sent->tunnel, way.to(2, 77));
      EXPECT_EQ(sent->tos, 8);
      EXPECT_EQ(sent->ttl, 64);
      EXPECT_EQ(sent->dont_fragment, way.family == IpFamily::v4);
    }
    expect_no_upcall(a);
  }
}

TEST_P(TunnelConformance, TranslatedPacketsGoToAnotherHostAndComeFromOne) {
  open_host();
  const IpAddress src = IpAddress::v4(0xcb00'7107), dst = IpAddress::v4(0xc633'64ff);
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    frames::Udp spec = udp(a, a);
    frames::Bytes frame = frames::udp4(spec);
    spec.from.v4 = src;
    spec.to.v4 = dst;
    spec.src_port = 7;
    spec.dst_port = 53;
    frames::Bytes expected = frames::udp4(spec);
    ActionList actions{SetIp{src, dst}, SetPorts{7, 53}, TunnelOutput{port, way.to(2, 77), 0}};
    ASSERT_EQ(install(a, frame, FieldSet::all(), actions), InstallResult::installed);
    send(a, frame);
    std::optional<Tunneled> sent = next_tunneled();
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->frame, expected);
    actions = {SetIp{src, dst}, SetPorts{7, 53}, Output{a.port}};
    ASSERT_EQ(install(flow_for(port, way.from(2, 5), frame, FieldSet::all(), actions)), InstallResult::installed);
    harness_->send_tunneled(way.packet(2, 5, frame));
    EXPECT_EQ(next_frame(a), expected);
  }
}

TEST_P(TunnelConformance, TheWholeTunnelIsMatched) {
  open_host();
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    Guest b = guest();
    frames::Bytes frame = frames::udp4(udp(a, b));
    ASSERT_EQ(install(flow_for(port, way.from(2, 5), frame, tunnel_and_ethernet(), {Output{a.port}})),
              InstallResult::installed);
    ASSERT_EQ(install(flow_for(port, way.from(3, 5), frame, tunnel_and_ethernet(), {Output{b.port}})),
              InstallResult::installed);
    harness_->send_tunneled(way.packet(2, 5, frame));
    EXPECT_EQ(next_frame(a), frame);
    harness_->send_tunneled(way.packet(3, 5, frame));
    EXPECT_EQ(next_frame(b), frame);
    for (const Tunneled& other : {way.packet(2, 6, frame), way.packet(4, 5, frame)}) {
      harness_->send_tunneled(other);
      std::optional<Seen> upcall = next_upcall();
      ASSERT_TRUE(upcall);
      EXPECT_EQ(upcall->tunnel, other.tunnel);
    }
  }
}

TEST_P(TunnelConformance, EveryWidthOfMaskMatches) {
  open_host();
  std::vector<FieldSet> masks{tunnel_and_ethernet()};
  for (FieldSet more : {FieldSet{Field::ip_src, Field::ip_dst, Field::ip_proto}, FieldSet{Field::l4_src, Field::l4_dst},
                        FieldSet{Field::ip_ttl}}) {
    masks.push_back(masks.back());
    masks.back().add(more);
  }
  for (const Underlay& way : ways_) {
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    frames::Bytes frame = frames::udp4(udp(a, a));
    for (const FieldSet& mask : masks) {
      datapath_->flush_flows();
      ASSERT_EQ(install(flow_for(port, way.from(2, 5), frame, mask, {Output{a.port}})), InstallResult::installed);
      harness_->send_tunneled(way.packet(2, 5, frame));
      EXPECT_EQ(next_frame(a), frame) << mask.to_string();
    }
  }
}

TEST_P(TunnelConformance, OneFlowFloodsToPortsAndHosts) {
  open_host();
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    Guest b = guest();
    Guest c = guest();
    frames::Bytes frame = frames::arp_request(a.host, b.host);
    ActionList flood{TunnelOutput{port, way.to(2, 50)}, Output{b.port}, TunnelOutput{port, way.to(3, 60)},
                     Output{c.port}, TunnelOutput{port, way.to(4, 70)}};
    auto reaches_all = [&] {
      EXPECT_EQ(next_frame(b), frame);
      EXPECT_EQ(next_frame(c), frame);
      for (uint8_t host : {2, 3, 4}) {
        std::optional<Tunneled> sent = next_tunneled();
        ASSERT_TRUE(sent);
        EXPECT_EQ(sent->tunnel, way.to(host, 30 + 10U * host));
        EXPECT_EQ(sent->frame, frame);
      }
    };
    ASSERT_EQ(install(a, frame, FieldSet::all(), flood), InstallResult::installed);
    send(a, frame);
    reaches_all();
    EXPECT_EQ(execute(frame, flood), 0U);
    reaches_all();
  }
}

// Rewrites and checks are the same for what comes from another host; what fails a check still says where it came from.
TEST_P(TunnelConformance, RoutedPacketsKeepTheirTunnelInUpcalls) {
  open_host();
  Capabilities can = datapath_->capabilities();
  if (can.max_dec_ttl == 0 || !can.check_mtu) GTEST_SKIP() << "the kernel cannot route";
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    frames::Udp spec = udp(a, a);
    frames::Udp large = spec, expiring = spec;
    large.payload = 1000;
    expiring.ttl = 1;
    frames::Host router = frames::Host::number(99);
    ActionList actions{SetEthernet{router.mac, a.host.mac}, DecrementTtl{}, CheckMtu{900}, Output{a.port}};
    ASSERT_EQ(install(flow_for(port, way.from(2, 5), frames::udp4(spec), tunnel_and_ethernet(), actions)),
              InstallResult::installed);
    harness_->send_tunneled(way.packet(2, 5, frames::udp4(spec)));
    std::optional<frames::Bytes> routed = next_frame(a);
    ASSERT_TRUE(routed);
    EXPECT_EQ(frames::parsed(*routed).key.ip_ttl, spec.ttl - 1);
    for (const auto& [udp, reason] :
         {std::pair(large, UpcallReason::too_big), std::pair(expiring, UpcallReason::ttl_expired)}) {
      harness_->send_tunneled(way.packet(2, 5, frames::udp4(udp)));
      std::optional<Seen> upcall = next_upcall();
      ASSERT_TRUE(upcall);
      EXPECT_EQ(upcall->reason, reason);
      EXPECT_EQ(upcall->tunnel, way.from(2, 5));
      EXPECT_EQ(upcall->bytes, frames::udp4(udp));
    }
  }
}

// To be decapsulated here and encapsulated again: what came with the packet does not go out with it.
TEST_P(TunnelConformance, APacketFromOneHostCanGoToAnother) {
  open_host();
  for (const Underlay& way : ways_) {
    SCOPED_TRACE(testing::PrintToString(way));
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    frames::Bytes frame = frames::udp4(udp(a, a));
    ASSERT_EQ(install(flow_for(port, way.from(2, 5), frame, tunnel_and_ethernet(), {TunnelOutput{port, way.to(3, 6)}})),
              InstallResult::installed);
    harness_->send_tunneled(way.packet(2, 5, frame));
    std::optional<Tunneled> sent = next_tunneled();
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->tunnel, way.to(3, 6));
    EXPECT_EQ(sent->frame, frame);
  }
}

TEST_P(TunnelConformance, ReplacedActionsGoToTheNewHost) {
  open_host();
  for (const Underlay& way : ways_) {
    PortNumber port = tunnel_port(way.kind);
    Guest a = guest();
    frames::Bytes frame = frames::udp4(udp(a, a));
    for (uint8_t host : {2, 3, 4, 2}) {
      InstallResult result = install(a, frame, FieldSet::ethernet(), {TunnelOutput{port, way.to(host, 5)}});
      EXPECT_TRUE(result == InstallResult::installed || result == InstallResult::replaced);
      send(a, frame);
      std::optional<Tunneled> sent = next_tunneled();
      ASSERT_TRUE(sent);
      EXPECT_EQ(sent->tunnel, way.to(host, 5));
      EXPECT_EQ(flows().at(0).actions, (ActionList{TunnelOutput{port, way.to(host, 5)}}));
    }
    datapath_->flush_flows();
  }
}

}  // namespace viaduct::flows
