// Packets from nothing, layer by layer:
//
//   auto frame = PacketBuilder{}.eth(mac1, mac2).vlan(10).ipv4(ip1, ip2).ttl(3).udp(1, 2).payload(100).build();
//
// Lengths and checksums are right unless asked otherwise. Addresses may be text, which throws std::invalid_argument
// when it is none: this is for programs that make packets, not for input. Layers that were not asked for are left out;
// the Ethernet type follows from what is inside.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "flows/packet/flow_key.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::flows {

class PacketBuilder {
 public:
  PacketBuilder& eth(const MacAddress& src, const MacAddress& dst);
  PacketBuilder& eth(std::string_view src, std::string_view dst);
  // Tags in the order of calls, the outermost first.
  PacketBuilder& vlan(uint16_t id, uint8_t priority = 0, uint16_t tpid = ethertype::kVlan);
  // Only where nothing inside says the type; below 0x600 it is an 802.3 length.
  PacketBuilder& ethertype(uint16_t type);

  PacketBuilder& ip(const IpAddress& src, const IpAddress& dst);  // the family of both
  PacketBuilder& ip(std::string_view src, std::string_view dst);
  PacketBuilder& ipv4(const IpAddress& src, const IpAddress& dst) { return ip(src, dst); }
  PacketBuilder& ipv6(const IpAddress& src, const IpAddress& dst) { return ip(src, dst); }
  PacketBuilder& ttl(uint8_t ttl);
  PacketBuilder& tos(uint8_t tos);
  PacketBuilder& identification(uint32_t id);
  PacketBuilder& dont_fragment();
  // IPv4: the header's fields; IPv6: a fragment header. `offset_bytes` is a multiple of 8. With an offset there is no
  // layer-4 header: what was asked for only gives the protocol.
  PacketBuilder& fragment(size_t offset_bytes, bool more);
  PacketBuilder& ip_options(std::span<const uint8_t> options);  // IPv4; padded with end-of-list to whole words
  // IPv6: a header of this type in front of layer 4; `body` is what follows its first two bytes, padded with zeros.
  PacketBuilder& extension(uint8_t type, std::span<const uint8_t> body = {});

  PacketBuilder& tcp(uint16_t src, uint16_t dst, uint8_t flags = 0x10, uint32_t sequence = 1, uint32_t ack = 1);
  PacketBuilder& tcp_options(std::span<const uint8_t> options);  // padded with end-of-list to whole words
  PacketBuilder& udp(uint16_t src, uint16_t dst);
  PacketBuilder& icmp(uint8_t type, uint8_t code, uint32_t rest);  // ICMPv6 when the addresses are
  PacketBuilder& icmp_echo_request(uint16_t id, uint16_t sequence);
  PacketBuilder& icmp_echo_reply(uint16_t id, uint16_t sequence);
  PacketBuilder& protocol(uint8_t number);  // no layer-4 header of ours: the payload follows the IP header

  PacketBuilder& payload(size_t bytes);  // 0, 1, 2, … modulo 251
  PacketBuilder& payload(std::span<const uint8_t> bytes);
  // The layer-4 checksum is left as the folded pseudo-header sum.
  PacketBuilder& partial_checksum();
  PacketBuilder& pad_to(size_t frame_bytes);  // zeros behind everything, as Ethernet pads to 60

  std::vector<uint8_t> build() const;

 private:
  struct Tag {
    uint16_t tpid, tci;
  };
  struct Extension {
    uint8_t type;
    std::vector<uint8_t> bytes;
  };
  uint16_t inner_type() const;
  uint8_t inner_protocol() const;
  bool has_l4_header() const { return protocol_.has_value() && !l4_.empty() && fragment_offset_ == 0; }
  void append_ethernet(std::vector<uint8_t>& out) const;
  void append_ipv4(std::vector<uint8_t>& out, size_t l4_bytes) const;
  void append_ipv6(std::vector<uint8_t>& out, size_t l4_bytes) const;
  void append_l4(std::vector<uint8_t>& out) const;
  void finish_l4(std::span<uint8_t> l4) const;

  MacAddress eth_src_, eth_dst_;
  std::vector<Tag> tags_;
  std::optional<uint16_t> ethertype_;
  std::optional<IpAddress> src_, dst_;
  uint8_t ttl_ = 64;
  uint8_t tos_ = 0;
  uint32_t id_ = 0;
  bool dont_fragment_ = false;
  bool is_fragment_ = false;
  bool more_fragments_ = false;
  size_t fragment_offset_ = 0;
  std::vector<uint8_t> options_;
  std::vector<Extension> extensions_;
  std::optional<uint8_t> protocol_;
  std::vector<uint8_t> l4_;  // the header, lengths and checksum zero
  std::vector<uint8_t> payload_;
  bool partial_checksum_ = false;
  size_t pad_to_ = 0;
};

}  // namespace viaduct::flows
