// Addresses and ports rewritten by flows. What comes out is compared with a packet built with the new ones, so every
// checksum is that of computing anew.
#include <algorithm>

#include "conformance.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/fragment.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows {

namespace {

constexpr IpFamily kFamilies[] = {IpFamily::v4, IpFamily::v6};
constexpr uint16_t kNewSrcPort = 40000, kNewDstPort = 8080;
const SetPorts kNewPorts{kNewSrcPort, kNewDstPort};

SetIp new_addresses(IpFamily family) {
  return family == IpFamily::v4 ? SetIp{*IpAddress::parse("203.0.113.7"), *IpAddress::parse("198.51.100.255")}
                                : SetIp{*IpAddress::parse("2001:db8:7::7"), *IpAddress::parse("fd00:ff::ffff:1")};
}

FieldSet connection() {
  FieldSet mask = FieldSet::ethernet();
  mask.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::fragment, Field::l4_src, Field::l4_dst});
  return mask;
}
// Open vSwitch does not know the protocol of a later IPv6 fragment.
FieldSet later_fragments() {
  FieldSet mask = FieldSet::ethernet();
  mask.add({Field::ip_src, Field::ip_dst, Field::fragment});
  return mask;
}

PacketBuilder from_to(const frames::Host& from, const frames::Host& to, IpFamily family) {
  return PacketBuilder{}.eth(from.mac, to.mac).ip(from.address(family), to.address(family));
}
// The same as flows make it: new addresses, and a hop less.
PacketBuilder translated(const frames::Host& from, const frames::Host& to, IpFamily family) {
  SetIp set = new_addresses(family);
  return PacketBuilder{}.eth(from.mac, to.mac).ip(set.src, set.dst).ttl(63);
}

size_t checksum_at(frames::Bytes& frame) {
  return frames::parsed(frame).l4_offset + (frames::parsed(frame).key.ip_proto == ip_proto::kUdp ? 6 : 16);
}

}  // namespace

TEST_P(DatapathConformance, AddressesAndPortsAreRewritten) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    ActionList actions{SetEthernet{a.host.mac, b.host.mac},
                       new_addresses(family),
                       kNewPorts,
                       DecrementTtl{},
                       CheckMtu{1500},
                       Output{b.port}};
    for (size_t payload = 0; payload < 40; ++payload) {
      PacketBuilder before = from_to(a.host, b.host, family), after = translated(a.host, b.host, family);
      before.payload(payload);
      after.payload(payload);
      auto port = static_cast<uint16_t>(1000 + 997 * payload);
      expect_rewritten(a, PacketBuilder(before).udp(port, 53).build(), connection(), actions, b,
                       PacketBuilder(after).udp(kNewSrcPort, kNewDstPort).build());
      expect_rewritten(a, PacketBuilder(before).tcp(port, 80).build(), connection(), actions, b,
                       PacketBuilder(after).tcp(kNewSrcPort, kNewDstPort).build());
    }
    EXPECT_EQ(flows().front().actions, actions);
    datapath_->flush_flows();
  }
}

TEST_P(DatapathConformance, AddressesAloneAndPortsAloneAreRewritten) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    PacketBuilder start = from_to(a.host, b.host, family).payload(9), moved = start;
    SetIp set = new_addresses(family);
    moved.ip(set.src, set.dst);
    ActionList addresses{set, Output{b.port}}, ports{kNewPorts, Output{b.port}};
    auto both = [&](auto with) {
      expect_rewritten(a, with(start).build(), connection(), addresses, b, with(moved).build());
    };
    both([](PacketBuilder x) { return x.tcp(1, 2); });
    both([](PacketBuilder x) { return x.udp(1, 2); });
    both([](PacketBuilder x) { return x.icmp_echo_request(7, 1); });  // ICMPv6 has a pseudo-header
    both([](PacketBuilder x) { return x.protocol(47); });
    both([](PacketBuilder x) { return x.vlan(5).udp(3, 4); });
    expect_rewritten(a, PacketBuilder(start).udp(5, 6).build(), connection(), ports, b,
                     PacketBuilder(start).udp(kNewSrcPort, kNewDstPort).build());
    expect_rewritten(a, PacketBuilder(start).tcp(5, 6).build(), connection(), ports, b,
                     PacketBuilder(start).tcp(kNewSrcPort, kNewDstPort).build());
  }
}

TEST_P(DatapathConformance, HeadersInFrontOfLayer4AreSkipped) {
  static constexpr uint8_t kOptions[] = {0x94, 4, 0, 0};
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    auto finish = [family](PacketBuilder x, uint16_t src, uint16_t dst) {
      x.udp(src, dst).payload(50);
      return family == IpFamily::v4 ? x.ip_options(kOptions).build() : x.extension(0).extension(60).build();
    };
    ActionList actions{new_addresses(family), kNewPorts, DecrementTtl{}, Output{b.port}};
    expect_rewritten(a, finish(from_to(a.host, b.host, family), 1, 2), connection(), actions, b,
                     finish(translated(a.host, b.host, family), kNewSrcPort, kNewDstPort));
  }
}

TEST_P(DatapathConformance, AUdpChecksumThatIsNoneStaysNone) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    frames::Bytes before = from_to(a.host, b.host, family).udp(1, 2).payload(30).build();
    frames::Bytes after = translated(a.host, b.host, family).udp(kNewSrcPort, kNewDstPort).payload(30).build();
    for (frames::Bytes* frame : {&before, &after}) wire::store16(&(*frame)[checksum_at(*frame)], 0);
    ActionList actions{new_addresses(family), kNewPorts, DecrementTtl{}, Output{b.port}};
    expect_rewritten(a, before, connection(), actions, b, after);
  }
}

// Two bytes of payload decide about the checksum.
TEST_P(DatapathConformance, AUdpChecksumThatBecomesZeroIsAllOnes) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    PacketBuilder after = translated(a.host, b.host, family).udp(kNewSrcPort, kNewDstPort);
    uint8_t payload[2] = {};
    frames::Bytes expected = PacketBuilder(after).payload(payload).build();
    uint16_t checksum = wire::load16(&expected[checksum_at(expected)]);
    wire::store16(payload, checksum);  // the sum is then all ones
    expected = after.payload(payload).build();
    ASSERT_EQ(wire::load16(&expected[checksum_at(expected)]), 0xffff);
    ActionList actions{new_addresses(family), kNewPorts, DecrementTtl{}, Output{b.port}};
    expect_rewritten(a, from_to(a.host, b.host, family).udp(1, 2).payload(payload).build(), connection(), actions, b,
                     expected);
  }
}

TEST_P(DatapathConformance, PartialChecksumsAndSuperPacketsAreTranslated) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    Offload partial{.partial_checksum = true}, super = partial;
    super.gso = family == IpFamily::v4 ? Offload::Gso::tcp_v4 : Offload::Gso::tcp_v6;
    super.gso_size = 1400;
    ActionList actions{new_addresses(family), kNewPorts, DecrementTtl{}, CheckMtu{1500}, Output{b.port}};
    PacketBuilder before = from_to(a.host, b.host, family).partial_checksum();
    PacketBuilder after = translated(a.host, b.host, family).partial_checksum();
    for (size_t payload : {100, 30000}) {
      before.payload(payload);
      after.payload(payload);
      expect_rewritten(a, PacketBuilder(before).tcp(1, 2).build(), connection(), actions, b,
                       PacketBuilder(after).tcp(kNewSrcPort, kNewDstPort).build(), payload < 1400 ? partial : super);
    }
    before.payload(100).udp(1, 2);
    after.payload(100).udp(kNewSrcPort, kNewDstPort);
    expect_rewritten(a, before.build(), connection(), actions, b, after.build(), partial);
  }
}

TEST_P(DatapathConformance, FragmentsAreTranslatedWithTheirDatagram) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes datagram = from_to(a.host, b.host, IpFamily::v4).udp(1, 2).payload(2500).build();
  std::vector<frames::Bytes> parts;
  fragment_ipv4(frames::parsed(datagram), 1500,
                [&](std::span<uint8_t> part) { parts.emplace_back(part.begin(), part.end()); });
  ASSERT_EQ(parts.size(), 2U);
  SetIp set = new_addresses(IpFamily::v4);
  ASSERT_EQ(install(a, parts[0], connection(), {set, kNewPorts, Output{b.port}}), InstallResult::installed);
  ASSERT_EQ(install(a, parts[1], later_fragments(), {set, Output{b.port}}), InstallResult::installed);
  frames::Bytes got;
  for (const frames::Bytes& part : parts) {
    send(a, part);
    std::optional<frames::Bytes> one = next_frame(b);
    ASSERT_TRUE(one);
    EXPECT_TRUE(verify_ipv4_header(std::span(*one).subspan(wire::eth::kBytes)));
    EXPECT_EQ(frames::parsed(*one).key.ip_src, set.src);
    got.insert(got.end(), one->begin() + wire::eth::kBytes + wire::ipv4::kBytes, one->end());
  }
  frames::Bytes whole = PacketBuilder{}.ip(set.src, set.dst).udp(kNewSrcPort, kNewDstPort).payload(2500).build();
  EXPECT_TRUE(std::equal(got.begin(), got.end(), whole.end() - static_cast<ptrdiff_t>(got.size()), whole.end()));
}

TEST_P(DatapathConformance, Ipv6FragmentsAreTranslated) {
  open();
  Guest a = guest();
  Guest b = guest();
  SetIp set = new_addresses(IpFamily::v6);
  PacketBuilder before = from_to(a.host, b.host, IpFamily::v6).payload(64).udp(1, 2);
  PacketBuilder after = from_to(a.host, b.host, IpFamily::v6).ip(set.src, set.dst).payload(64);
  expect_rewritten(a, PacketBuilder(before).fragment(0, true).build(), connection(), {set, kNewPorts, Output{b.port}},
                   b, PacketBuilder(after).udp(kNewSrcPort, kNewDstPort).fragment(0, true).build());
  expect_rewritten(a, before.fragment(64, false).build(), later_fragments(), {set, Output{b.port}}, b,
                   after.udp(1, 2).fragment(64, false).build());
}

// A datapath makes the CRC or says that it cannot.
TEST_P(DatapathConformance, SctpPortsAreRewrittenOrRefused) {
  open();
  Guest a = guest();
  Guest b = guest();
  auto sctp = [&](PacketBuilder start, uint16_t src, uint16_t dst) {
    frames::Bytes bytes(60, 0x35);
    wire::store16(&bytes[0], src);
    wire::store16(&bytes[2], dst);
    uint32_t crc = sctp_checksum(bytes);
    for (size_t i = 0; i < 4; ++i) bytes[wire::sctp::kChecksum + i] = static_cast<uint8_t>(crc >> 8 * i);
    return start.protocol(ip_proto::kSctp).payload(bytes).build();
  };
  for (IpFamily family : kFamilies) {
    PacketBuilder start = from_to(a.host, b.host, family), moved = translated(a.host, b.host, family);
    SetIp set = new_addresses(family);
    ActionList ports{set, kNewPorts, DecrementTtl{}, Output{b.port}};
    frames::Bytes frame = sctp(start, 1, 2);
    if (install(a, frame, connection(), ports) != InstallResult::unsupported) {
      expect_rewritten(a, frame, connection(), ports, b, sctp(moved, kNewSrcPort, kNewDstPort));
    }
    expect_rewritten(a, frame, connection(), {set, DecrementTtl{}, Output{b.port}}, b, sctp(moved, 1, 2));
    EXPECT_EQ(execute(frame, ports), 0U);
    EXPECT_EQ(next_frame(b), sctp(moved, kNewSrcPort, kNewDstPort));
  }
}

TEST_P(DatapathConformance, WhatAPacketCannotTakeIsUnsupported) {
  open();
  Guest a = guest();
  Guest b = guest();
  SetIp v4 = new_addresses(IpFamily::v4), v6 = new_addresses(IpFamily::v6);
  PacketBuilder start = from_to(a.host, b.host, IpFamily::v4).payload(8);
  frames::Bytes udp = PacketBuilder(start).udp(1, 2).build(),
                echo = PacketBuilder(start).icmp_echo_request(1, 2).build(),
                later = PacketBuilder(start).udp(1, 2).fragment(8, true).build();
  auto refused = [&](const frames::Bytes& frame, FieldSet mask, const Action& action) {
    EXPECT_EQ(install(a, frame, mask, {action, Output{b.port}}), InstallResult::unsupported) << to_string(action);
  };
  refused(udp, connection(), v6);
  refused(udp, connection(), SetIp{v4.src, v6.dst});
  refused(frames::arp_request(a.host, b.host), FieldSet::ethernet(), v4);
  refused(echo, connection(), kNewPorts);
  refused(later, later_fragments(), kNewPorts);
  EXPECT_TRUE(flows().empty());
}

// Checks come before rewrites.
TEST_P(DatapathConformance, APacketThatIsNotForwardedComesUpUntranslated) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    PacketBuilder start = from_to(a.host, b.host, family).udp(1, 2).ttl(1);
    ActionList actions{SetEthernet{b.host.mac, a.host.mac}, new_addresses(family), kNewPorts, DecrementTtl{},
                       Output{b.port}};
    frames::Bytes expired = start.build();
    ASSERT_EQ(install(a, expired, connection(), actions), InstallResult::installed);
    send(a, expired);
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->reason, UpcallReason::ttl_expired);
    EXPECT_EQ(upcall->bytes, expired);
    if (!datapath_->capabilities().check_mtu) continue;
    actions = {new_addresses(family), kNewPorts, CheckMtu{1300}, Output{b.port}};
    frames::Bytes large = start.ttl(9).payload(1350).build();
    ASSERT_EQ(install(a, large, connection(), actions), InstallResult::replaced);
    send(a, large);
    upcall = next_upcall();
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->reason, UpcallReason::too_big);
    EXPECT_EQ(upcall->bytes, large);
  }
}

TEST_P(DatapathConformance, TranslationsAreFoundAgain) {
  open();
  Guest a = guest();
  Guest b = guest();
  for (IpFamily family : kFamilies) {
    PacketBuilder start = from_to(a.host, b.host, family);
    ActionList actions{SetEthernet{a.host.mac, b.host.mac},
                       new_addresses(family),
                       kNewPorts,
                       DecrementTtl{},
                       CheckMtu{1500},
                       Output{b.port}};
    ASSERT_EQ(install(a, PacketBuilder(start).udp(1, 2).build(), connection(), actions), InstallResult::installed);
    ASSERT_EQ(install(a, PacketBuilder(start).tcp(1, 2).build(), connection(), actions), InstallResult::installed);
  }
  std::vector<Flow> before = flows();
  kill();
  open();
  std::vector<Flow> after = flows();
  ASSERT_EQ(after.size(), 4U);
  for (const Flow& flow : before) {
    auto same = std::find_if(after.begin(), after.end(), [&](const Flow& other) { return other.id == flow.id; });
    ASSERT_NE(same, after.end());
    EXPECT_EQ(same->actions, flow.actions);
  }
  for (IpFamily family : kFamilies) {
    send(a, from_to(a.host, b.host, family).udp(1, 2).build());
    EXPECT_EQ(next_frame(b), translated(a.host, b.host, family).udp(kNewSrcPort, kNewDstPort).build());
  }
}

// From then on they are others, in the kernel too.
TEST_P(DatapathConformance, ATranslationIsReplaced) {
  open();
  Guest a = guest();
  Guest b = guest();
  PacketBuilder start = from_to(a.host, b.host, IpFamily::v4);
  frames::Bytes frame = PacketBuilder(start).udp(1, 2).build();
  for (const SetPorts& ports : {kNewPorts, SetPorts{3, 4}}) {
    expect_rewritten(a, frame, connection(), {ports, Output{b.port}}, b,
                     PacketBuilder(start).udp(ports.src, ports.dst).build());
  }
  SetIp other{a.host.v4, a.host.v4};
  for (const SetIp& set : {new_addresses(IpFamily::v4), other}) {
    expect_rewritten(a, frame, connection(), {set, Output{b.port}}, b,
                     PacketBuilder(start).ip(set.src, set.dst).udp(1, 2).build());
  }
  expect_rewritten(a, frame, connection(), {Output{b.port}}, b, frame);
}

}  // namespace viaduct::flows
