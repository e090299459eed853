// Makers of the packets that virtual devices send themselves: ARP, neighbour discovery, echo replies. ICMP errors are
// in icmp_error.hpp. Every maker returns a whole frame with right lengths and checksums, untagged and unpadded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flows/packet/packet.hpp"

namespace viaduct::flows {

using FrameBytes = std::vector<uint8_t>;

// ARP (RFC 826). Requests go to the broadcast address.
FrameBytes make_arp_request(const MacAddress& src_mac, const IpAddress& src_ip, const IpAddress& target);
// "`request`'s target is at `answer`", to who asked.
FrameBytes make_arp_reply(const Arp& request, const MacAddress& answer);
// The announcement of RFC 5227 3: a broadcast request for the own address.
FrameBytes make_gratuitous_arp(const MacAddress& mac, const IpAddress& ip);

enum class NodeKind : uint8_t { host, router };  // the R flag of advertisements

// RFC 4861 4.3: to the target's solicited-node group, with the source's link-layer address. `src_ip` is not ::.
FrameBytes make_neighbour_solicitation(const MacAddress& src_mac, const IpAddress& src_ip, const IpAddress& target);
// RFC 4861 7.2.4: "the target of `solicitation` is at `answer`", with override. The answer goes to the solicitation's
// source at `asker` (its link-layer option, or the Ethernet source); for duplicate address detection (RFC 4862 5.4)
// unsolicited to all nodes. The IP source is the target.
FrameBytes make_neighbour_advertisement(const NeighbourDiscovery& solicitation, const MacAddress& asker,
                                        const MacAddress& answer, NodeKind kind);
// RFC 4861 7.2.6: to all nodes, with override.
FrameBytes make_unsolicited_advertisement(const MacAddress& mac, const IpAddress& ip, NodeKind kind);

// The answer to an echo request (RFC 792, RFC 4443 4.2): Ethernet and IP addresses swapped, TTL 64, IP options and
// extension headers left out, VLAN tags kept. Nothing when `request` is none, is a fragment, goes to a group, or has a
// wrong checksum. A partial checksum of the request does not matter.
std::optional<FrameBytes> make_echo_reply(const Packet& request);

// The same for one fragment of an echo request, without its others: only the type changes, and with it the checksum
// (RFC 1624), so the fragments of the reply are made one by one. A later fragment does not tell whether it is of a
// request: those of other messages come back too, and never reassemble. So that none goes back and forth for ever, its
// TTL is one less than it came with. Nothing when there are IP options or further extension headers.
std::optional<FrameBytes> make_echo_reply_fragment(const Packet& request);

// `frame` (untagged) with the VLAN tags of `model`, for answers to a tagged packet.
FrameBytes with_tags_of(const Packet& model, const FrameBytes& frame);

}  // namespace viaduct::flows
