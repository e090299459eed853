// Tunnel <-> the module's nested attribute OVS_KEY_ATTR_TUNNEL, in keys, masks and actions.
//
// The module wants a TTL in every key and none in a mask; what it matches of a tunnel is the key, the addresses, and
// nothing else. Flags (checksum, don't-fragment) differ from sender to sender and are left open.
#pragma once

#include <optional>

#include "flows/datapath/ovs/netlink_message.hpp"
#include "flows/match/action.hpp"

namespace viaduct::flows::ovs {

// Of a packet that came by a tunnel.
void put_tunnel_key(MessageBatch& out, const Tunnel& tunnel);
void put_tunnel_mask(MessageBatch& out, const Tunnel& tunnel);
// The action that makes the next output go there.
void put_set_tunnel(MessageBatch& out, const TunnelOutput& output);

// Without a key when the packet had none.
Tunnel decode_tunnel(Bytes tunnel);
enum class TunnelMask : uint8_t { open, matched, partly };
// `tunnel` is what the flow's key has there.
TunnelMask decode_tunnel_mask(Bytes mask, const Tunnel& tunnel);
// The output without its port; nothing when the action sets more than ours do.
std::optional<TunnelOutput> decode_set_tunnel(Bytes tunnel);

}  // namespace viaduct::flows::ovs
