// Kinds of packets: each comes up whole, gets a flow with every field matched, and then stays in the kernel.
#include "conformance.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

struct Kind {
  const char* name;
  frames::Bytes frame;
};

}  // namespace

TEST_P(DatapathConformance, EveryKindOfPacketIsMatchedInFull) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  frames::Udp large = spec;
  large.payload = 1472;
  large.src_port = 1001;
  frames::Udp extended = spec;
  extended.src_port = 1002;
  std::vector<Kind> kinds{
      {"udp4", frames::udp4(spec)},
      {"udp6", frames::udp6(spec)},
      {"largest udp4", frames::udp4(large)},
      {"udp6 with extension headers", frames::udp6_with_extensions(extended)},
      {"arp", frames::arp_request(a.host, b.host)},
      {"vlan", frames::tagged(frames::udp4(spec), 0x6005)},
      {"vlan with DEI", frames::tagged(frames::udp4(spec), 0x3007)},
      {"two tags", frames::tagged(frames::tagged(frames::udp6(spec), 7), 8, ethertype::kQinQ)},
      {"first fragment", frames::fragment4(spec, Fragment::first)},
      {"later fragment", frames::fragment4(spec, Fragment::later)},
  };
  for (const Kind& kind : kinds) {
    SCOPED_TRACE(kind.name);
    send(a, kind.frame);
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->bytes, kind.frame);
    FlowInstall flow = flow_for(a, upcall->bytes, FieldSet::all(), {Output{b.port}});
    ASSERT_EQ(install(flow), InstallResult::installed);
    send(a, kind.frame);
    EXPECT_EQ(next_frame(b), kind.frame);
  }
  expect_no_upcall(a);
  EXPECT_EQ(flows().size(), kinds.size());
}

TEST_P(DatapathConformance, AVlanFlowDoesNotServeUntaggedPackets) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes plain = frames::udp4(udp(a, b));
  frames::Bytes tagged = frames::tagged(plain, 5);
  ASSERT_EQ(install(a, tagged, FieldSet::ethernet(), {Output{b.port}}), InstallResult::installed);
  send(a, plain);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->bytes, plain);
  frames::Bytes other_tag = frames::tagged(plain, 6);
  send(a, other_tag);
  upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->bytes, other_tag);
  send(a, tagged);
  EXPECT_EQ(next_frame(b), tagged);
}

TEST_P(DatapathConformance, FragmentsHaveFlowsOfTheirOwn) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  FieldSet mask = FieldSet::ethernet();
  mask.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::fragment});
  ASSERT_EQ(install(a, frames::udp4(spec), mask, {Output{b.port}}), InstallResult::installed);
  for (Fragment which : {Fragment::first, Fragment::later}) {
    frames::Bytes frame = frames::fragment4(spec, which);
    send(a, frame);
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->bytes, frame);
  }
}

TEST_P(DatapathConformance, JumboFramesPassBothWays) {
  open();
  Guest a = guest();
  Guest b = guest();
  harness_->set_mtu(a.interface, 9000);
  harness_->set_mtu(b.interface, 9000);
  ASSERT_TRUE(eventually([&] {
    std::vector<DatapathPort> ports = datapath_->ports();
    return ports.at(0).mtu == 9000 && ports.at(1).mtu == 9000;
  }));
  frames::Udp spec = udp(a, b);
  spec.payload = 8972;
  frames::Bytes frame = frames::udp4(spec);
  send(a, frame);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->bytes, frame);
  EXPECT_EQ(execute(frame, {Output{b.port}}), 0U);
  EXPECT_EQ(next_frame(b), frame);
  ASSERT_EQ(install(a, frame, FieldSet::ethernet(), {Output{b.port}}), InstallResult::installed);
  send(a, frame);
  EXPECT_EQ(next_frame(b), frame);
}

// Every prefix of a packet, from a bare Ethernet header on, comes up as it is; none is taken for the whole packet. Open
// vSwitch compares headers only: there one whose headers are whole goes where the whole packet goes.
TEST_P(DatapathConformance, TruncatedPacketsComeUpAsTheyAre) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  spec.payload = 4;
  std::vector<frames::Bytes> packets{frames::udp4(spec), frames::udp6_with_extensions(spec),
                                     frames::arp_request(a.host, b.host)};
  for (frames::Bytes& whole : packets) {
    ASSERT_EQ(install(a, whole, FieldSet::all(), {Output{b.port}}), InstallResult::installed);
    bool headers_only = datapath_->kind() == "ovs" && frames::parsed(whole).key.is_ip();
    size_t end = whole.size() - (headers_only ? spec.payload : 0);
    for (size_t length = wire::eth::kBytes; length < end; ++length) {
      frames::Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
      send(a, cut);
      std::optional<Seen> upcall = next_upcall();
      ASSERT_TRUE(upcall) << length;
      EXPECT_EQ(upcall->bytes, cut);
    }
    send(a, whole);
    EXPECT_EQ(next_frame(b), whole);
  }
}

TEST_P(DatapathConformance, GarbageComesUpAsItIs) {
  open();
  Guest a = guest();
  uint32_t random = 12345;  // a fixed sequence
  for (uint16_t type : {ethertype::kIpv4, ethertype::kIpv6, ethertype::kArp, uint16_t{0x88cc}, uint16_t{20}}) {
    for (size_t length : {14, 15, 34, 60, 200, 1514}) {
      frames::Bytes frame(length);
      for (uint8_t& byte : frame) byte = static_cast<uint8_t>((random = random * 1664525 + 1013904223) >> 24);
      frame[0] &= 0xfe;
      wire::store16(&frame[wire::eth::kType], type);
      send(a, frame);
      std::optional<Seen> upcall = next_upcall();
      ASSERT_TRUE(upcall) << type << " " << length;
      EXPECT_EQ(upcall->bytes, frame);
    }
  }
}

TEST_P(DatapathConformance, SuperPacketsComeUpAndPassWhole) {
  open();
  Guest a = guest();
  Guest b = guest();
  Offload offload{.gso_size = 1400, .gso = Offload::Gso::tcp_v4, .partial_checksum = true};
  for (size_t payload : {3000, 40000, 65000}) {
    SCOPED_TRACE(payload);
    datapath_->flush_flows();
    frames::Bytes frame = frames::tcp_super4(a.host, b.host, payload);
    send(a, frame, offload);
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall);
    // Open vSwitch brings up the segments instead.
    if (datapath_->kind() != "ovs") {
      EXPECT_EQ(upcall->bytes, frame);
      EXPECT_EQ(upcall->offload, offload);
    }
    ActionList actions{CheckMtu{1440}, DecrementTtl{}, Output{b.port}};
    ASSERT_EQ(install(a, frame, FieldSet::ethernet(), actions), InstallResult::installed);
    send(a, frame, offload);
    std::optional<WireFrame> got = harness_->receive(b.interface, kSoon);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->bytes.size(), frame.size());
    EXPECT_EQ(got->offload, offload);
  }
}

// The MTU is compared with what a segment will be: 20 + 20 + 1400 bytes behind the Ethernet header.
TEST_P(DatapathConformance, TheSegmentsOfASuperPacketAreComparedWithTheMtu) {
  open();
  if (!datapath_->capabilities().check_mtu) GTEST_SKIP() << "the kernel cannot";
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::tcp_super4(a.host, b.host, 5000);
  Offload offload{.gso_size = 1400, .gso = Offload::Gso::tcp_v4, .partial_checksum = true};
  ASSERT_EQ(install(a, frame, FieldSet::ethernet(), {CheckMtu{1439}, Output{b.port}}), InstallResult::installed);
  send(a, frame, offload);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->reason, UpcallReason::too_big);
  EXPECT_EQ(upcall->offload, datapath_->kind() == "ovs" ? Offload{} : offload);
}

TEST_P(DatapathConformance, AFlowWithTheTtlMatchesItOnly) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  FieldSet mask = FieldSet::ethernet();
  mask.add(Field::ip_ttl);
  ASSERT_EQ(install(a, frames::udp4(spec), mask, {Output{b.port}}), InstallResult::installed);
  send(a, frames::udp4(spec));
  EXPECT_EQ(next_frame(b), frames::udp4(spec));
  spec.ttl = 63;
  send(a, frames::udp4(spec));
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->bytes, frames::udp4(spec));
}

}  // namespace viaduct::flows
