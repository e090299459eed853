// ActionList <-> the module's nested attribute OVS_FLOW_ATTR_ACTIONS.
//
//   SetEthernet   SET_MASKED(ETHERNET)
//   SetIp         SET_MASKED(IPV4 or IPV6): addresses only
//   SetPorts      SET_MASKED(TCP, UDP or SCTP): the module makes SCTP's CRC too
//   Output        OUTPUT
//   TunnelOutput  SET(TUNNEL), OUTPUT
//   CheckMtu      CHECK_PKT_LEN: longer -> USERSPACE(too_big); else the rest of the list, nested
//   DecrementTtl  DEC_TTL: expired -> USERSPACE(ttl_expired)
//
// User space wants the packet of such an upcall as it came in, so that it can decide about it from the start. So the
// order is changed where that changes nothing else: all checks of length come first, then the decrements in front of
// the first output, then the rest as it is. A decrement behind an output stays behind it, and its cookie tells what
// was rewritten before; restore() undoes it. It knows nothing of addresses and ports, so such a list that rewrites these
// before is refused. (In such a list an output that was already done is done again when user
// space forwards the packet: only for an expired TTL.)
//
// The cookie (USERDATA of the upcall) also says where in the original list its action stood, so that decoding gives
// back exactly what was installed.
#pragma once

#include <optional>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ovs/netlink_message.hpp"
#include "flows/match/apply.hpp"

namespace viaduct::flows::ovs {

inline constexpr size_t kMaxOutputs = 64;  // of both kinds
inline constexpr size_t kMaxDecrements = 8;
inline constexpr size_t kMaxMtuChecks = 4;  // each nests one level; the kernel allows 16 (actions and clones together)
inline constexpr size_t kMaxActions = 160;

struct Cookie {
  UpcallReason reason = UpcallReason::miss;
  uint8_t position = 0;    // of the action in the list
  uint8_t decrements = 0;  // done before this one
  uint16_t mtu = 0;        // of a CheckMtu
  bool rewritten = false;  // the Ethernet addresses had been set; these were the packet's
  MacAddress src{}, dst{};

  static constexpr size_t kBytes = 18;
  std::array<uint8_t, kBytes> encode() const;
  // Nothing when the bytes are not a cookie of this version.
  static std::optional<Cookie> decode(Bytes bytes);
  // Makes `frame` again what it was when it came in.
  void restore(std::span<uint8_t> frame) const;
};

// What of the module's actions this kernel has.
struct ActionSupport {
  bool decrement_ttl = false;  // Linux 5.7
  bool check_length = false;   // Linux 5.2
};

// Whether the kernel can execute the flow's actions: counts, what it supports, that all packets of the flow can take them,
// and that a cookie can tell what the packet was.
bool executable(const Flow& flow, const ActionSupport& support);
// Whether the flow hands packets to user space, so that it names a socket.
bool has_upcalls(const ActionList& actions);

// Appends OVS_FLOW_ATTR_ACTIONS of an executable flow. `upcall_id` is the socket for what expires or is too big.
void put_actions(MessageBatch& out, const Flow& flow, uint32_t upcall_id);
// Appends outputs only, of a packet that was rewritten in user space.
void put_outputs(MessageBatch& out, uint16_t type, std::span<const OutputTarget> targets);

struct DecodedActions {
  ActionList actions;
  std::optional<uint32_t> upcall_id;  // of the first upcall in it
};
// Nothing when there is an action that we would not have put there.
std::optional<DecodedActions> decode_actions(Bytes actions);

}  // namespace viaduct::flows::ovs
