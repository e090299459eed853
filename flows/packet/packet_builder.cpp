#include "flows/packet/packet_builder.hpp"

#include <stdexcept>
#include <string>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

MacAddress mac_of(std::string_view text) {
  auto mac = MacAddress::parse(text);
  if (!mac) throw std::invalid_argument("no MAC address: " + std::string(text));
  return *mac;
}

IpAddress ip_of(std::string_view text) {
  auto ip = IpAddress::parse(text);
  if (!ip) throw std::invalid_argument("no IP address: " + std::string(text));
  return *ip;
}

std::vector<uint8_t> padded(std::span<const uint8_t> bytes, size_t unit) {
  std::vector<uint8_t> out(bytes.begin(), bytes.end());
  out.resize((out.size() + unit - 1) / unit * unit);
  return out;
}

// `count` zero bytes at the end of `out`; valid until it grows again.
uint8_t* grow(std::vector<uint8_t>& out, size_t count) {
  out.resize(out.size() + count);
  return out.data() + out.size() - count;
}

}  // namespace

PacketBuilder& PacketBuilder::eth(const MacAddress& src, const MacAddress& dst) {
  eth_src_ = src;
  eth_dst_ = dst;
  return *this;
}
PacketBuilder& PacketBuilder::eth(std::string_view src, std::string_view dst) { return eth(mac_of(src), mac_of(dst)); }

PacketBuilder& PacketBuilder::vlan(uint16_t id, uint8_t priority, uint16_t tpid) {
  tags_.push_back({tpid, static_cast<uint16_t>(priority << 13 | (id & 0x0fff))});
  return *this;
}

PacketBuilder& PacketBuilder::ethertype(uint16_t type) {
  ethertype_ = type;
  return *this;
}

PacketBuilder& PacketBuilder::ip(const IpAddress& src, const IpAddress& dst) {
  if (src.family() != dst.family()) throw std::invalid_argument("addresses of two families");
  src_ = src;
  dst_ = dst;
  return *this;
}
PacketBuilder& PacketBuilder::ip(std::string_view src, std::string_view dst) { return ip(ip_of(src), ip_of(dst)); }

PacketBuilder& PacketBuilder::ttl(uint8_t ttl) {
  ttl_ = ttl;
  return *this;
}
PacketBuilder& PacketBuilder::tos(uint8_t tos) {
  tos_ = tos;
  return *this;
}
PacketBuilder& PacketBuilder::identification(uint32_t id) {
  id_ = id;
  return *this;
}
PacketBuilder& PacketBuilder::dont_fragment() {
  dont_fragment_ = true;
  return *this;
}
PacketBuilder& PacketBuilder::fragment(size_t offset_bytes, bool more) {
  is_fragment_ = true;
  fragment_offset_ = offset_bytes;
  more_fragments_ = more;
  return *this;
}
PacketBuilder& PacketBuilder::ip_options(std::span<const uint8_t> options) {
  if (options.size() > wire::ipv4::kMaxBytes - wire::ipv4::kBytes) throw std::invalid_argument("too many IP options");
  options_ = padded(options, 4);
  return *this;
}

PacketBuilder& PacketBuilder::extension(uint8_t type, std::span<const uint8_t> body) {
  std::vector<uint8_t> bytes(2);
  bytes.insert(bytes.end(), body.begin(), body.end());
  bytes = padded(bytes, 8);
  bool authentication = type == wire::ipv6::kAuthentication;
  bytes[1] = static_cast<uint8_t>(authentication ? bytes.size() / 4 - 2 : bytes.size() / 8 - 1);
  extensions_.push_back({type, std::move(bytes)});
  return *this;
}

PacketBuilder& PacketBuilder::tcp(uint16_t src, uint16_t dst, uint8_t flags, uint32_t sequence, uint32_t ack) {
  protocol_ = ip_proto::kTcp;
  l4_.assign(wire::tcp::kBytes, 0);
  wire::store16(l4_.data() + wire::tcp::kSrc, src);
  wire::store16(l4_.data() + wire::tcp::kDst, dst);
  wire::store32(l4_.data() + wire::tcp::kSequence, sequence);
  wire::store32(l4_.data() + wire::tcp::kAck, ack);
  l4_[wire::tcp::kDataOffset] = 5 << 4;
  l4_[wire::tcp::kFlags] = flags;
  wire::store16(l4_.data() + wire::tcp::kWindow, 0xffff);
  return *this;
}

PacketBuilder& PacketBuilder::tcp_options(std::span<const uint8_t> options) {
  if (protocol_ != ip_proto::kTcp || options.size() > 40) throw std::invalid_argument("no place for TCP options");
  l4_.resize(wire::tcp::kBytes);
  std::vector<uint8_t> words = padded(options, 4);
  l4_.insert(l4_.end(), words.begin(), words.end());
  l4_[wire::tcp::kDataOffset] = static_cast<uint8_t>(l4_.size() / 4 << 4);
  return *this;
}

PacketBuilder& PacketBuilder::udp(uint16_t src, uint16_t dst) {
  protocol_ = ip_proto::kUdp;
  l4_.assign(wire::udp::kBytes, 0);
  wire::store16(l4_.data() + wire::udp::kSrc, src);
  wire::store16(l4_.data() + wire::udp::kDst, dst);
  return *this;
}

PacketBuilder& PacketBuilder::icmp(uint8_t type, uint8_t code, uint32_t rest) {
  if (!src_) throw std::invalid_argument("ICMP needs the addresses first: they say which ICMP");
  protocol_ = src_->is_v4() ? ip_proto::kIcmp : ip_proto::kIcmpv6;
  l4_ = {type, code, 0, 0, 0, 0, 0, 0};
  wire::store32(l4_.data() + wire::icmp::kRest, rest);
  return *this;
}
PacketBuilder& PacketBuilder::icmp_echo_request(uint16_t id, uint16_t sequence) {
  bool v6 = src_ && src_->is_v6();
  return icmp(v6 ? wire::icmpv6::kEchoRequest : wire::icmp::kEchoRequest, 0, uint32_t{id} << 16 | sequence);
}
PacketBuilder& PacketBuilder::icmp_echo_reply(uint16_t id, uint16_t sequence) {
  bool v6 = src_ && src_->is_v6();
  return icmp(v6 ? wire::icmpv6::kEchoReply : wire::icmp::kEchoReply, 0, uint32_t{id} << 16 | sequence);
}
PacketBuilder& PacketBuilder::protocol(uint8_t number) {
  protocol_ = number;
  l4_.clear();
  return *this;
}

PacketBuilder& PacketBuilder::payload(size_t bytes) {
  payload_.resize(bytes);
  for (size_t i = 0; i < bytes; ++i) payload_[i] = static_cast<uint8_t>(i % 251);
  return *this;
}
PacketBuilder& PacketBuilder::payload(std::span<const uint8_t> bytes) {
  payload_.assign(bytes.begin(), bytes.end());
  return *this;
}
PacketBuilder& PacketBuilder::partial_checksum() {
  partial_checksum_ = true;
  return *this;
}
PacketBuilder& PacketBuilder::pad_to(size_t frame_bytes) {
  pad_to_ = frame_bytes;
  return *this;
}

uint16_t PacketBuilder::inner_type() const {
  if (ethertype_) return *ethertype_;
  if (src_) return src_->is_v4() ? ethertype::kIpv4 : ethertype::kIpv6;
  return 0xffff;  // reserved: a packet of nothing known
}

uint8_t PacketBuilder::inner_protocol() const {
  if (protocol_) return *protocol_;
  return src_->is_v4() ? 255 : wire::ipv6::kNoNext;  // 255: reserved (IANA)
}

void PacketBuilder::append_ethernet(std::vector<uint8_t>& out) const {
  uint8_t* at = grow(out, wire::eth::kBytes + tags_.size() * wire::eth::kVlanBytes);
  wire::store_mac(at + wire::eth::kDst, eth_dst_);
  wire::store_mac(at + wire::eth::kSrc, eth_src_);
  at += wire::eth::kType;
  for (const Tag& tag : tags_) {
    wire::store16(at, tag.tpid);
    wire::store16(at + 2, tag.tci);
    at += wire::eth::kVlanBytes;
  }
  wire::store16(at, inner_type());
}

void PacketBuilder::append_ipv4(std::vector<uint8_t>& out, size_t l4_bytes) const {
  size_t header = wire::ipv4::kBytes + options_.size();
  if (header + l4_bytes > 0xffff) throw std::invalid_argument("longer than an IPv4 packet can be");
  uint8_t* ip = grow(out, header);
  ip[0] = static_cast<uint8_t>(4 << 4 | header / 4);
  ip[wire::ipv4::kTos] = tos_;
  wire::store16(ip + wire::ipv4::kTotalLength, static_cast<uint16_t>(header + l4_bytes));
  wire::store16(ip + wire::ipv4::kId, static_cast<uint16_t>(id_));
  wire::store16(ip + wire::ipv4::kFragment,
                static_cast<uint16_t>((dont_fragment_ ? wire::ipv4::kDontFragment : 0) |
                                      (more_fragments_ ? wire::ipv4::kMoreFragments : 0) | fragment_offset_ / 8));
  ip[wire::ipv4::kTtl] = ttl_;
  ip[wire::ipv4::kProtocol] = inner_protocol();
  wire::store_ip(ip + wire::ipv4::kSrc, *src_);
  wire::store_ip(ip + wire::ipv4::kDst, *dst_);
  std::copy(options_.begin(), options_.end(), ip + wire::ipv4::kBytes);
  fix_ipv4_header({ip, header});
}

void PacketBuilder::append_ipv6(std::vector<uint8_t>& out, size_t l4_bytes) const {
  std::vector<Extension> chain = extensions_;
  if (is_fragment_) {
    std::vector<uint8_t> header(8);
    wire::store16(header.data() + 2, static_cast<uint16_t>(fragment_offset_ | (more_fragments_ ? 1U : 0U)));
    wire::store32(header.data() + 4, id_);
    chain.push_back({wire::ipv6::kFragment, header});
  }
  size_t payload = l4_bytes;
  for (const Extension& extension : chain) payload += extension.bytes.size();
  if (payload > 0xffff) throw std::invalid_argument("longer than an IPv6 packet can be");
  uint8_t* ip = grow(out, wire::ipv6::kBytes);
  wire::store32(ip, 6U << 28 | uint32_t{tos_} << 20);
  wire::store16(ip + wire::ipv6::kPayloadLength, static_cast<uint16_t>(payload));
  ip[wire::ipv6::kNextHeader] = chain.empty() ? inner_protocol() : chain.front().type;
  ip[wire::ipv6::kHopLimit] = ttl_;
  wire::store_ip(ip + wire::ipv6::kSrc, *src_);
  wire::store_ip(ip + wire::ipv6::kDst, *dst_);
  for (size_t i = 0; i < chain.size(); ++i) {
    chain[i].bytes[0] = i + 1 < chain.size() ? chain[i + 1].type : inner_protocol();
    out.insert(out.end(), chain[i].bytes.begin(), chain[i].bytes.end());
  }
}

// Length and checksum, of the datagram whose header and payload are `l4`.
void PacketBuilder::finish_l4(std::span<uint8_t> l4) const {
  size_t field = wire::icmp::kChecksum;
  if (*protocol_ == ip_proto::kUdp) {
    wire::store16(l4.data() + wire::udp::kLength, static_cast<uint16_t>(l4.size()));
    field = wire::udp::kChecksum;
  } else if (*protocol_ == ip_proto::kTcp) {
    field = wire::tcp::kChecksum;
  }
  uint16_t pseudo =
      *protocol_ == ip_proto::kIcmp ? 0 : pseudo_header_sum(*src_, *dst_, *protocol_, static_cast<uint32_t>(l4.size()));
  auto checksum = static_cast<uint16_t>(~checksum_sum(l4, pseudo));
  if (checksum == 0 && *protocol_ == ip_proto::kUdp) checksum = 0xffff;
  wire::store16(l4.data() + field, partial_checksum_ ? pseudo : checksum);
}

void PacketBuilder::append_l4(std::vector<uint8_t>& out) const {
  size_t at = out.size();
  if (has_l4_header()) out.insert(out.end(), l4_.begin(), l4_.end());
  out.insert(out.end(), payload_.begin(), payload_.end());
  if (has_l4_header()) finish_l4(std::span(out).subspan(at));
}

std::vector<uint8_t> PacketBuilder::build() const {
  std::vector<uint8_t> out;
  size_t l4_bytes = (has_l4_header() ? l4_.size() : 0) + payload_.size();
  out.reserve(128 + l4_bytes);
  append_ethernet(out);
  if (src_ && src_->is_v4()) append_ipv4(out, l4_bytes);
  if (src_ && src_->is_v6()) append_ipv6(out, l4_bytes);
  if (src_) {
    append_l4(out);
  } else {
    out.insert(out.end(), payload_.begin(), payload_.end());
  }
  if (out.size() < pad_to_) out.resize(pad_to_);
  return out;
}

}  // namespace viaduct::flows
