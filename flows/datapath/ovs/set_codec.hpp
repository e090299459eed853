// Rewriting of headers <-> the module's attribute OVS_ACTION_ATTR_SET_MASKED: a header's fields as they shall be, and
// which of them.
#pragma once

#include <optional>

#include "flows/datapath/ovs/netlink_message.hpp"
#include "flows/match/action.hpp"

namespace viaduct::flows::ovs {

void put_set(MessageBatch& out, const SetEthernet& set);
// Both addresses are of one family.
void put_set(MessageBatch& out, const SetIp& set);
// `protocol`: TCP, UDP or SCTP.
void put_set(MessageBatch& out, const SetPorts& set, uint8_t protocol);

// Nothing when it sets something else, or only a part of what we would set.
std::optional<Action> decode_set(Bytes set_masked);

}  // namespace viaduct::flows::ovs
