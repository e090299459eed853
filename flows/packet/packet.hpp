// A packet in user space: bytes that somebody else owns, what the sender left for the hardware to finish, and where
// its headers are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "flows/packet/drop_reason.hpp"
#include "flows/packet/flow_key.hpp"

namespace viaduct::flows {

// Work that the sender left to the device: one checksum, and the cutting of a super-packet (virtio_net_hdr semantics).
struct Offload {
  // udp: datagrams of gso_size, each with a header of its own (VIRTIO_NET_HDR_GSO_UDP_L4), not one to be fragmented.
  enum class Gso : uint8_t { none, tcp_v4, tcp_v6, udp };
  uint16_t gso_size = 0;  // payload bytes a segment; 0 when gso is none
  Gso gso = Gso::none;
  // The layer-4 checksum field holds only the folded pseudo-header sum (Linux: CHECKSUM_PARTIAL).
  bool partial_checksum = false;
  friend bool operator==(const Offload&, const Offload&) = default;
};

// What the parser found. Offsets are from the first byte of the Ethernet header; 0 means "not there".
struct Packet {
  std::span<uint8_t> bytes;  // the whole frame, Ethernet header first, no FCS
  Offload offload;
  FlowKey key;
  uint16_t l3_offset = 0;  // behind the VLAN tags
  uint16_t l4_offset = 0;  // behind IP options and IPv6 extension headers; 0 for later fragments
  // Bytes from l3_offset that the IP header claims: at most 65575 (IPv6); 0 for a jumbogram or non-IP.
  uint32_t l3_length = 0;
  // Set when a header is cut or lies. The fields found before it are valid, the rest are zero, and bridges may still
  // forward by the Ethernet header; routers drop it.
  DropReason error = DropReason::none;

  // The bytes one segment would have on the wire behind the Ethernet header: what MTUs are compared with.
  size_t l3_segment_bytes() const;
  // The TCP header's flags (RFC 9293 3.1), CWR to FIN; 0 when it has none.
  uint8_t tcp_flags() const;
};

// Never reads outside of `frame`, whatever it holds. Accepts up to two VLAN tags, IPv4 options, IPv6 hop-by-hop,
// routing, destination, fragment and authentication headers (at most 16), and refuses what is cut or contradictory
// by setting Packet::error. A frame shorter than an Ethernet header gives error = malformed and an empty key.
Packet parse(std::span<uint8_t> frame, PortNumber in_port, Offload offload = {});

// ARP (RFC 826) for IPv4 over Ethernet.
struct Arp {
  enum Operation : uint8_t { request = 1, reply = 2 };
  uint8_t operation = 0;
  MacAddress sender_mac, target_mac;
  IpAddress sender_ip, target_ip;
  bool is_gratuitous() const { return sender_ip == target_ip; }
};
// Nothing when `packet` is no ARP or a malformed one.
std::optional<Arp> parse_arp(const Packet& packet);

// ICMPv6 neighbour solicitation or advertisement (RFC 4861 4.3, 4.4) that passes the validity checks of 7.1
// (hop limit 255, code 0, checksum, length, options of non-zero length).
struct NeighbourDiscovery {
  bool is_advertisement = false;
  bool router = false, solicited = false, override_ = false;  // advertisement flags
  IpAddress target;
  std::optional<MacAddress> link_layer;  // source (solicitation) or target (advertisement) link-layer option
  IpAddress source, destination;         // of the IPv6 header
  // A solicitation from :: is duplicate address detection (RFC 4862 5.4).
  bool is_dad() const { return !is_advertisement && source.is_any(); }
};
std::optional<NeighbourDiscovery> parse_neighbour_discovery(const Packet& packet);
// True for ICMPv6 types 133..137, valid or not: these are never forwarded by routers.
bool is_neighbour_discovery(const FlowKey& key);

}  // namespace viaduct::flows
