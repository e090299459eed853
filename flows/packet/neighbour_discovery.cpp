#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows {

namespace {

// RFC 4861 4.6: options behind the message. False when one has length zero or is cut (7.1: discard the packet).
bool parse_options(std::span<const uint8_t> options, uint8_t wanted, std::optional<MacAddress>& link_layer) {
  while (!options.empty()) {
    if (options.size() < 2) return false;
    size_t length = size_t{8} * options[1];
    if (length == 0 || length > options.size()) return false;
    if (options[0] == wanted && length == 8 && !link_layer) link_layer = wire::load_mac(options.data() + 2);
    options = options.subspan(length);
  }
  return true;
}

// RFC 4861 7.1.1 and 7.1.2, what remains when the header is well-formed.
bool is_acceptable(const NeighbourDiscovery& nd) {
  if (nd.target.is_multicast()) return false;
  if (nd.is_advertisement) return !(nd.destination.is_multicast() && nd.solicited);
  if (!nd.source.is_any()) return true;
  return nd.destination == nd.target.solicited_node() && !nd.link_layer;
}

bool has_valid_header(const Packet& packet) {
  const FlowKey& key = packet.key;
  return packet.error == DropReason::none && key.eth_type == ethertype::kIpv6 && key.ip_proto == ip_proto::kIcmpv6 &&
         key.fragment == Fragment::none && key.ip_ttl == wire::nd::kHopLimit && key.l4_dst == 0 &&
         packet.l3_length != 0 &&
         (key.l4_src == wire::icmpv6::kNeighbourSolicitation || key.l4_src == wire::icmpv6::kNeighbourAdvertisement) &&
         verify_l4_checksum(packet);
}

}  // namespace

std::optional<NeighbourDiscovery> parse_neighbour_discovery(const Packet& packet) {
  if (!has_valid_header(packet)) return std::nullopt;
  std::span<const uint8_t> message = packet.bytes.first(packet.l3_offset + packet.l3_length).subspan(packet.l4_offset);
  if (message.size() < wire::nd::kBytes) return std::nullopt;
  NeighbourDiscovery nd;
  nd.is_advertisement = packet.key.l4_src == wire::icmpv6::kNeighbourAdvertisement;
  if (nd.is_advertisement) {
    uint8_t flags = message[wire::nd::kFlags];
    nd.router = (flags & wire::nd::kRouterFlag) != 0;
    nd.solicited = (flags & wire::nd::kSolicitedFlag) != 0;
    nd.override_ = (flags & wire::nd::kOverrideFlag) != 0;
  }
  nd.target = wire::load_ipv6(message.data() + wire::nd::kTarget);
  nd.source = packet.key.ip_src;
  nd.destination = packet.key.ip_dst;
  uint8_t wanted = nd.is_advertisement ? wire::nd::kTargetLinkLayer : wire::nd::kSourceLinkLayer;
  if (!parse_options(message.subspan(wire::nd::kBytes), wanted, nd.link_layer)) return std::nullopt;
  if (!is_acceptable(nd)) return std::nullopt;
  return nd;
}

bool is_neighbour_discovery(const FlowKey& key) {
  return key.eth_type == ethertype::kIpv6 && key.ip_proto == ip_proto::kIcmpv6 && key.fragment != Fragment::later &&
         key.l4_src >= wire::icmpv6::kRouterSolicitation && key.l4_src <= wire::icmpv6::kRedirect;
}

}  // namespace viaduct::flows
