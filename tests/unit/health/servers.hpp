// Servers for checks to talk to, frame by frame: what a member's kernel and program would say.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "flows/health/answer.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/icmp_error.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows::health {

inline const RouterId kRouter{Uuid::from_words(7, 1)};
inline const MacAddress kRouterMac = MacAddress::parse("02:00:00:00:00:fe").value();
inline const MacAddress kMemberMac = MacAddress::parse("02:00:00:00:00:01").value();

struct Family {
  IpAddress router, member;
};
inline Family family_v4() { return {IpAddress::parse("10.0.0.254").value(), IpAddress::parse("10.0.0.1").value()}; }
inline Family family_v6() {
  return {IpAddress::parse("2001:db8::fe").value(), IpAddress::parse("2001:db8::1").value()};
}

// The frame that the router would send.
inline FrameBytes sent(const Probe& probe, const Family& family) {
  Probe whole = probe;
  if (!whole.from) whole.from = family.router;
  return make_frame(whole, kRouterMac);
}

enum class Behaviour : uint8_t { silent, accepts, refuses, unreachable, serves, echoes };

// Answers one probe at a time.
struct Server {
  Family family;
  Behaviour behaviour = Behaviour::accepts;
  std::string page = "HTTP/1.1 200 OK\r\n\r\n";
  size_t segment = 536;       // bytes of page a segment
  bool closes_first = false;  // without an answer
  uint32_t isn = 9'000;
  std::string request = {};
  int resets = 0, syns = 0;
  MacAddress mac = kMemberMac, router_mac = kRouterMac;

  PacketBuilder to_router() const {
    PacketBuilder out;
    out.eth(mac, router_mac).ip(family.member, family.router);
    return out;
  }
  std::vector<FrameBytes> hear(const Probe& probe) { return hear(sent(probe, family)); }
  std::vector<FrameBytes> hear(FrameBytes frame) {
    const Packet packet = parse(frame, {});
    EXPECT_EQ(packet.error, DropReason::none);
    EXPECT_TRUE(verify_checksum(packet));
    if (behaviour == Behaviour::silent) return {};
    if (behaviour == Behaviour::unreachable) return {unreachable(packet)};
    if (packet.key.ip_proto == ip_proto::kTcp) return hear_segment(packet);
    if (packet.key.ip_proto == ip_proto::kUdp) return {to_router().udp(packet.key.l4_dst, packet.key.l4_src).build()};
    const uint32_t rest = wire::load32(packet.bytes.data() + packet.l4_offset + wire::icmp::kRest);
    return {to_router().icmp_echo_reply(static_cast<uint16_t>(rest >> 16), static_cast<uint16_t>(rest)).build()};
  }

 private:
  static bool verify_checksum(const Packet& packet);
  FrameBytes unreachable(const Packet& packet) const {
    const auto quoted = packet.bytes.subspan(packet.l3_offset, std::min<size_t>(packet.l3_length, 64));
    const bool v4 = family.router.is_v4();
    return to_router()
        .icmp(v4 ? wire::icmp::kUnreachable : wire::icmpv6::kUnreachable, v4 ? 3 : 4, 0)
        .payload(quoted)
        .build();
  }
  FrameBytes segment_of(const Packet& to, uint8_t flags, uint32_t sequence, uint32_t ack, std::string_view data = {}) {
    auto out = to_router();
    out.tcp(to.key.l4_dst, to.key.l4_src, flags, sequence, ack);
    return out.payload({reinterpret_cast<const uint8_t*>(data.data()), data.size()}).build();
  }
  std::vector<FrameBytes> hear_segment(const Packet& packet) {
    const uint8_t* tcp = packet.bytes.data() + packet.l4_offset;
    const uint32_t sequence = wire::load32(tcp + wire::tcp::kSequence);
    const uint8_t flags = tcp[wire::tcp::kFlags];
    if ((flags & wire::tcp::kRst) != 0) return ++resets, std::vector<FrameBytes>{};
    if ((flags & wire::tcp::kSyn) != 0) {
      ++syns;
      constexpr uint8_t kRefuse = wire::tcp::kRst | wire::tcp::kAckFlag, kTake = wire::tcp::kSyn | wire::tcp::kAckFlag;
      const bool refuses = behaviour == Behaviour::refuses;
      return {segment_of(packet, refuses ? kRefuse : kTake, refuses ? 0 : isn, sequence + 1)};
    }
    const auto data = packet.bytes.subspan(packet.l4_offset + wire::tcp::kBytes);
    if (data.empty()) return {};
    request.assign(data.begin(), data.end());
    const auto ack = static_cast<uint32_t>(sequence + data.size());
    if (closes_first) return {segment_of(packet, wire::tcp::kFin | wire::tcp::kAckFlag, isn + 1, ack)};
    std::vector<FrameBytes> out;
    for (size_t at = 0; at < page.size(); at += segment) {
      out.push_back(segment_of(packet, wire::tcp::kAckFlag, static_cast<uint32_t>(isn + 1 + at), ack,
                               std::string_view(page).substr(at, segment)));
    }
    return out;
  }
};

}  // namespace viaduct::flows::health

#include "flows/packet/checksum.hpp"

inline bool viaduct::flows::health::Server::verify_checksum(const Packet& packet) { return verify_l4_checksum(packet); }
