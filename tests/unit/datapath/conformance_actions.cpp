#include "conformance.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

constexpr FieldSet kAddresses{Field::in_port, Field::eth_src, Field::eth_dst, Field::eth_type,
                              Field::vlan,    Field::ip_src,  Field::ip_dst};

}  // namespace

TEST_P(DatapathConformance, RoutedPacketsAreRewritten) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (bool v6 : {false, true}) {
    frames::Bytes frame = v6 ? frames::udp6(udp(a, b)) : frames::udp4(udp(a, b));
    ActionList actions{SetEthernet{frames::Host::number(99).mac, b.host.mac}, DecrementTtl{}, CheckMtu{1500},
                       Output{b.port}};
    ASSERT_EQ(install(a, frame, kAddresses, actions), InstallResult::installed);
    send(a, frame);
    std::optional<frames::Bytes> got = next_frame(b);
    ASSERT_TRUE(got);
    Packet packet = frames::parsed(*got);
    EXPECT_EQ(packet.error, DropReason::none);
    EXPECT_EQ(packet.key.eth_src, frames::Host::number(99).mac);
    EXPECT_EQ(packet.key.eth_dst, b.host.mac);
    EXPECT_EQ(packet.key.ip_ttl, 63);
    EXPECT_TRUE(verify_l4_checksum(packet));
    EXPECT_TRUE(v6 || verify_ipv4_header(std::span(*got).subspan(packet.l3_offset)));
  }
}

// Every value of the TTL: the incremental checksum has a carry for some.
TEST_P(DatapathConformance, TheIpv4ChecksumIsRightForEveryTtl) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  ASSERT_EQ(install(a, frames::udp4(spec), kAddresses, {DecrementTtl{}, Output{b.port}}), InstallResult::installed);
  for (int ttl = 2; ttl < 256; ++ttl) {
    spec.ttl = static_cast<uint8_t>(ttl);
    send(a, frames::udp4(spec));
    std::optional<frames::Bytes> got = next_frame(b);
    ASSERT_TRUE(got) << ttl;
    EXPECT_EQ((*got)[wire::eth::kBytes + wire::ipv4::kTtl], ttl - 1);
    EXPECT_TRUE(verify_ipv4_header(std::span(*got).subspan(wire::eth::kBytes))) << ttl;
  }
}

TEST_P(DatapathConformance, SeveralHopsDecrementSeveralTimes) {
  open();
  if (datapath_->capabilities().max_dec_ttl < 2) GTEST_SKIP() << "one hop at most";
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  ActionList actions{DecrementTtl{}, SetEthernet{a.host.mac, b.host.mac}, DecrementTtl{}, Output{b.port}};
  ASSERT_EQ(install(a, frames::udp4(spec), kAddresses, actions), InstallResult::installed);
  spec.ttl = 3;
  send(a, frames::udp4(spec));
  std::optional<frames::Bytes> got = next_frame(b);
  ASSERT_TRUE(got);
  EXPECT_EQ(frames::parsed(*got).key.ip_ttl, 1);
  spec.ttl = 2;
  frames::Bytes expired = frames::udp4(spec);
  send(a, expired);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->reason, UpcallReason::ttl_expired);
}

TEST_P(DatapathConformance, AnExpiredTtlComesToUserSpaceUnchanged) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (bool v6 : {false, true}) {
    frames::Udp spec = udp(a, b);
    frames::Bytes frame = v6 ? frames::udp6(spec) : frames::udp4(spec);
    ActionList actions{SetEthernet{a.host.mac, b.host.mac}, DecrementTtl{}, Output{b.port}};
    ASSERT_EQ(install(a, frame, kAddresses, actions), InstallResult::installed);
    for (uint8_t ttl : {1, 0}) {
      spec.ttl = ttl;
      frames::Bytes expired = v6 ? frames::udp6(spec) : frames::udp4(spec);
      send(a, expired);
      std::optional<Seen> upcall = next_upcall();
      ASSERT_TRUE(upcall);
      EXPECT_EQ(upcall->reason, UpcallReason::ttl_expired);
      EXPECT_EQ(upcall->in_port, a.port);
      EXPECT_EQ(upcall->bytes, expired);
    }
  }
}

TEST_P(DatapathConformance, ATooBigPacketComesToUserSpace) {
  open();
  if (!datapath_->capabilities().check_mtu) GTEST_SKIP() << "the kernel cannot";
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  ActionList actions{CheckMtu{1400}, Output{b.port}};
  ASSERT_EQ(install(a, frames::udp4(spec), kAddresses, actions), InstallResult::installed);
  constexpr size_t kHeaders = wire::ipv4::kBytes + wire::udp::kBytes;
  spec.payload = 1400 - kHeaders;
  send(a, frames::udp4(spec));
  EXPECT_EQ(next_frame(b), frames::udp4(spec));
  spec.payload = 1401 - kHeaders;
  send(a, frames::udp4(spec));
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->reason, UpcallReason::too_big);
  EXPECT_EQ(upcall->bytes, frames::udp4(spec));
}

TEST_P(DatapathConformance, AFloodReachesAllPorts) {
  open();
  Guest a = guest();
  std::vector<Guest> others{guest(), guest(), guest(), guest()};
  frames::Bytes frame = frames::arp_request(a.host, others[0].host);
  ActionList actions;
  for (const Guest& other : others) actions.push_back(Output{other.port});
  FlowInstall flow = flow_for(a, frame, FieldSet::ethernet(), actions);
  ASSERT_EQ(install(flow), InstallResult::installed);
  for (int i = 0; i < 2; ++i) {
    send(a, frame);
    for (const Guest& other : others) EXPECT_EQ(next_frame(other), frame);
  }
  EXPECT_EQ(flow_stats().at(0).second.packets, 2U);
  EXPECT_EQ(flows().at(0).actions, actions);
}

TEST_P(DatapathConformance, AFloodMayBeRewrittenBeforeItIsSent) {
  open();
  Guest a = guest();
  Guest b = guest();
  Guest c = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ActionList actions{SetEthernet{a.host.mac, MacAddress::broadcast()}, DecrementTtl{}, Output{b.port}, Output{c.port}};
  ASSERT_EQ(install(a, frame, kAddresses, actions), InstallResult::installed);
  send(a, frame);
  for (const Guest& other : {b, c}) {
    std::optional<frames::Bytes> got = next_frame(other);
    ASSERT_TRUE(got);
    EXPECT_TRUE(frames::parsed(*got).key.eth_dst.is_broadcast());
    EXPECT_EQ(frames::parsed(*got).key.ip_ttl, 63);
  }
}

// A datapath executes it or says that it cannot; it never does something else.
TEST_P(DatapathConformance, RewritesBetweenOutputsAreDoneOrRefused) {
  open();
  Guest a = guest();
  Guest b = guest();
  Guest c = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ActionList actions{Output{b.port}, SetEthernet{b.host.mac, c.host.mac}, Output{c.port}};
  InstallResult result = install(a, frame, kAddresses, actions);
  if (result == InstallResult::unsupported) {
    EXPECT_TRUE(flows().empty());
    return;
  }
  ASSERT_EQ(result, InstallResult::installed);
  send(a, frame);
  EXPECT_EQ(next_frame(b), frame);
  std::optional<frames::Bytes> got = next_frame(c);
  ASSERT_TRUE(got);
  EXPECT_EQ(frames::parsed(*got).key.eth_dst, c.host.mac);
}

TEST_P(DatapathConformance, APacketMayLeaveWhereItCameIn) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, kAddresses, {Output{a.port}}), InstallResult::installed);
  send(a, frame);
  EXPECT_EQ(next_frame(a), frame);
}

TEST_P(DatapathConformance, AnOutputThatVanishedLosesPacketsAndNothingElse) {
  open();
  Guest a = guest();
  Guest b = guest();
  Guest c = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, kAddresses, {Output{b.port}, Output{c.port}}), InstallResult::installed);
  EXPECT_FALSE(datapath_->remove_port(b.port));
  send(a, frame);
  EXPECT_EQ(next_frame(c), frame);
  EXPECT_FALSE(datapath_->error_counts().empty());
}

}  // namespace viaduct::flows
