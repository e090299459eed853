#include "frames.hpp"

#include <algorithm>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::frames {

namespace {

Bytes ethernet(const Host& from, const Host& to, uint16_t type, size_t payload) {
  Bytes frame(wire::eth::kBytes + payload);
  wire::store_mac(frame.data() + wire::eth::kDst, to.mac);
  wire::store_mac(frame.data() + wire::eth::kSrc, from.mac);
  wire::store16(frame.data() + wire::eth::kType, type);
  return frame;
}

void put_ipv4(Bytes& frame, const IpAddress& src, const IpAddress& dst, uint8_t protocol, uint8_t ttl,
              uint16_t fragment = 0) {
  std::span<uint8_t> ip = std::span(frame).subspan(wire::eth::kBytes);
  ip[0] = 0x45;
  wire::store16(&ip[wire::ipv4::kTotalLength], static_cast<uint16_t>(ip.size()));
  wire::store16(&ip[wire::ipv4::kId], 0x1234);
  wire::store16(&ip[wire::ipv4::kFragment], fragment);
  ip[wire::ipv4::kTtl] = ttl;
  ip[wire::ipv4::kProtocol] = protocol;
  wire::store_ip(&ip[wire::ipv4::kSrc], src);
  wire::store_ip(&ip[wire::ipv4::kDst], dst);
  fix_ipv4_header(ip);
}

// `at` is where the UDP header goes; the payload counts up from 0.
void put_udp(Bytes& frame, size_t at, const Udp& udp) {
  wire::store16(&frame[at + wire::udp::kSrc], udp.src_port);
  wire::store16(&frame[at + wire::udp::kDst], udp.dst_port);
  wire::store16(&frame[at + wire::udp::kLength], static_cast<uint16_t>(frame.size() - at));
  for (size_t i = at + wire::udp::kBytes; i < frame.size(); ++i) frame[i] = static_cast<uint8_t>(i - at);
  Packet packet = parsed(frame);
  fix_l4_checksum(packet);
}

void put_ipv6(Bytes& frame, const Udp& udp, uint8_t next) {
  uint8_t* ip = frame.data() + wire::eth::kBytes;
  ip[0] = 0x60;
  wire::store16(ip + wire::ipv6::kPayloadLength,
                static_cast<uint16_t>(frame.size() - wire::eth::kBytes - wire::ipv6::kBytes));
  ip[wire::ipv6::kNextHeader] = next;
  ip[wire::ipv6::kHopLimit] = udp.ttl;
  wire::store_ip(ip + wire::ipv6::kSrc, udp.from.v6);
  wire::store_ip(ip + wire::ipv6::kDst, udp.to.v6);
}

}  // namespace

Host Host::number(uint8_t n) {
  IpAddress::Bytes v6{0xfd};
  v6[15] = n;
  return {MacAddress::from_uint64(0x0200'0000'0000 + n), IpAddress::v4(0x0a00'0000U + n), IpAddress::v6(v6)};
}

Host Host::outer(uint8_t n) {
  IpAddress::Bytes v6{0x20, 0x01, 0x0d, 0xb8};
  v6[15] = n;
  return {MacAddress::from_uint64(0x0200'0000'0100 + n), IpAddress::v4(0xc000'0200U + n), IpAddress::v6(v6)};
}

Bytes udp4(const Udp& udp) {
  Bytes frame = ethernet(udp.from, udp.to, ethertype::kIpv4, wire::ipv4::kBytes + wire::udp::kBytes + udp.payload);
  put_ipv4(frame, udp.from.v4, udp.to.v4, ip_proto::kUdp, udp.ttl);
  put_udp(frame, wire::eth::kBytes + wire::ipv4::kBytes, udp);
  return frame;
}

Bytes udp6(const Udp& udp) {
  Bytes frame = ethernet(udp.from, udp.to, ethertype::kIpv6, wire::ipv6::kBytes + wire::udp::kBytes + udp.payload);
  put_ipv6(frame, udp, ip_proto::kUdp);
  put_udp(frame, wire::eth::kBytes + wire::ipv6::kBytes, udp);
  return frame;
}

Bytes udp6_with_extensions(const Udp& udp) {
  constexpr size_t kExtension = 8;
  Bytes frame = ethernet(udp.from, udp.to, ethertype::kIpv6,
                         wire::ipv6::kBytes + 2 * kExtension + wire::udp::kBytes + udp.payload);
  put_ipv6(frame, udp, wire::ipv6::kHopByHop);
  size_t at = wire::eth::kBytes + wire::ipv6::kBytes;
  for (uint8_t next : {wire::ipv6::kDestination, ip_proto::kUdp}) {
    frame[at] = next;
    frame[at + 2] = 1;  // PadN
    frame[at + 3] = 4;
    at += kExtension;
  }
  put_udp(frame, at, udp);
  return frame;
}

Bytes fragment4(const Udp& udp, Fragment which) {
  Bytes frame = udp4(udp);
  constexpr uint16_t kOffset = 185;  // 1480 bytes
  put_ipv4(frame, udp.from.v4, udp.to.v4, ip_proto::kUdp, udp.ttl,
           which == Fragment::first ? wire::ipv4::kMoreFragments : kOffset);
  return frame;
}

Bytes arp_request(const Host& from, const Host& to) {
  Host broadcast{MacAddress::broadcast(), {}, {}};
  Bytes frame = ethernet(from, broadcast, ethertype::kArp, wire::arp::kBytes);
  uint8_t* arp = frame.data() + wire::eth::kBytes;
  wire::store16(arp + wire::arp::kHardware, wire::arp::kHardwareEthernet);
  wire::store16(arp + wire::arp::kProtocol, ethertype::kIpv4);
  arp[wire::arp::kHardwareBytes] = 6;
  arp[wire::arp::kProtocolBytes] = 4;
  wire::store16(arp + wire::arp::kOperation, Arp::request);
  wire::store_mac(arp + wire::arp::kSenderMac, from.mac);
  wire::store_ip(arp + wire::arp::kSenderIp, from.v4);
  wire::store_ip(arp + wire::arp::kTargetIp, to.v4);
  return frame;
}

Bytes tagged(const Bytes& frame, uint16_t tci, uint16_t protocol) {
  Bytes out(frame.begin(), frame.begin() + wire::eth::kType);
  out.resize(wire::eth::kType + wire::eth::kVlanBytes);
  wire::store16(&out[wire::eth::kType], protocol);
  wire::store16(&out[wire::eth::kType + 2], tci);
  out.insert(out.end(), frame.begin() + wire::eth::kType, frame.end());
  return out;
}

Bytes tcp_super4(const Host& from, const Host& to, size_t payload) {
  Bytes frame = ethernet(from, to, ethertype::kIpv4, wire::ipv4::kBytes + wire::tcp::kBytes + payload);
  put_ipv4(frame, from.v4, to.v4, ip_proto::kTcp, 64);
  uint8_t* tcp = frame.data() + wire::eth::kBytes + wire::ipv4::kBytes;
  wire::store16(tcp + wire::tcp::kSrc, 40000);
  wire::store16(tcp + wire::tcp::kDst, 80);
  wire::store32(tcp + wire::tcp::kSequence, 1);
  tcp[wire::tcp::kDataOffset] = 5 << 4;
  tcp[wire::tcp::kFlags] = wire::tcp::kAckFlag;
  for (size_t i = 0; i < payload; ++i) tcp[wire::tcp::kBytes + i] = static_cast<uint8_t>(i * 7);
  uint16_t sum = pseudo_header_sum(from.v4, to.v4, ip_proto::kTcp, static_cast<uint32_t>(wire::tcp::kBytes + payload));
  wire::store16(tcp + wire::tcp::kChecksum, sum);
  return frame;
}

Bytes vxlan(const Udp& outer, IpFamily family, uint32_t key, const Bytes& inner) {
  constexpr size_t kVxlan = 8;  // RFC 7348, 5
  Udp udp = outer;
  udp.payload = kVxlan + inner.size();
  Bytes frame = family == IpFamily::v4 ? udp4(udp) : udp6(udp);
  uint8_t* at = frame.data() + frame.size() - udp.payload;
  wire::store16(at - wire::udp::kBytes + wire::udp::kChecksum, 0);
  wire::store32(at, 0x0800'0000);
  wire::store32(at + 4, key << 8);
  std::copy(inner.begin(), inner.end(), at + kVxlan);
  return frame;
}

Bytes gre(const Udp& outer, uint32_t key, const Bytes& inner) {
  constexpr size_t kGre = 8;  // with a key: RFC 2890, 2
  constexpr uint8_t kProtocol = 47;
  Bytes frame = ethernet(outer.from, outer.to, ethertype::kIpv4, wire::ipv4::kBytes + kGre + inner.size());
  put_ipv4(frame, outer.from.v4, outer.to.v4, kProtocol, outer.ttl);
  uint8_t* at = frame.data() + wire::eth::kBytes + wire::ipv4::kBytes;
  wire::store32(at, 0x2000'6558);
  wire::store32(at + 4, key);
  std::copy(inner.begin(), inner.end(), at + kGre);
  return frame;
}

Packet parsed(Bytes& frame, PortNumber port, Offload offload) { return parse(frame, port, offload); }

}  // namespace viaduct::flows::frames
