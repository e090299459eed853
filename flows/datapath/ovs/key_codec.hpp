// FlowKey and FieldSet <-> the module's nested attributes OVS_FLOW_ATTR_KEY and OVS_FLOW_ATTR_MASK.
//
// The module wants a key whole, layer by layer: a field can be matched only when the type of its layer is matched
// exactly. What it cannot say is left in user space (representable() is false):
//  - a layer's field without its type (l4_src without ip_proto, ip_src without eth_type);
//  - values that cannot stand in a packet of that type, e.g. a port of an ARP packet;
//  - later IPv6 fragments by protocol: the module takes 44 (fragment) for their protocol;
//  - NSH (ethertype 0x894f), and a VLAN type where no tag was parsed.
// It is stricter than asked in two things: tags are always matched, so a flow that does not care about VLANs covers
// only packets with as many tags as the one that it was made for; and so are the types of the tags, which FlowKey does
// not have. They are 0x8100 unless the upcall has shown something else (TagMemory).
//
// Back from the kernel a mask is ambiguous: whether a field was asked for that packets of this kind do not have leaves
// no trace (no VLAN tag, no tunnel, the ports of ARP). The flow's id is a hash over key and mask, so MaskResolver tries the
// combinations until the id fits; that also proves that the flow is ours and whole.
#pragma once

#include <optional>

#include "flows/datapath/ovs/netlink_message.hpp"
#include "flows/match/flow.hpp"

namespace viaduct::flows::ovs {

// What announces the tags: 0x8100 (802.1Q) or 0x88a8 (802.1ad).
struct TagTypes {
  uint16_t outer = ethertype::kVlan;
  uint16_t inner = ethertype::kVlan;
  friend bool operator==(const TagTypes&, const TagTypes&) = default;
};

bool representable(const FlowKey& masked, FieldSet mask);

// The key with which to install: the whole packet's, with which the kernel finds flows that overlap; or the masked one,
// where the module would read the packet's in another way (a later fragment's ports, when nobody asked for fragments).
const FlowKey& best_key(const Flow& flow, const FlowKey& packet);

// Appends both attributes. `key` is masked, or what best_key() gave.
void put_key_and_mask(MessageBatch& out, const FlowKey& key, FieldSet mask, TagTypes tags = {});
// Appends only where the packet came in: all that executing one needs. No port: made by the agent.
void put_packet_key(MessageBatch& out, uint16_t type, PortNumber in_port);

struct DecodedKey {
  FlowKey key;         // masked
  FieldSet certain;    // matched by the kernel
  FieldSet ambiguous;  // asked for or not: the same in the kernel
  TagTypes tags;
};
// Nothing when a field is matched in part, or what is matched is not ours.
std::optional<DecodedKey> decode_key(Bytes key, Bytes mask);
// The port of a packet's or flow's key; none when it is absent or the agent's.
PortNumber decode_in_port(Bytes key);

// By which tunnel the packet of this key came; without a key when it had none. `is_tunnel`: it came by one at all.
Tunnel decode_tunnel_of(Bytes key, bool& is_tunnel);

class MaskResolver {
 public:
  // The mask with which `id` is the id of `decoded.key`.
  std::optional<FieldSet> resolve(const DecodedKey& decoded, const FlowId& id);

 private:
  static constexpr size_t kRecent = 16;
  std::vector<FieldSet> recent_;  // masks that fitted before, newest first: there are few
};

}  // namespace viaduct::flows::ovs
