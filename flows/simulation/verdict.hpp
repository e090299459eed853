// What the simulation wants done: all effects are data here, and nothing has happened yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "flows/health/answer.hpp"
#include "flows/match/action.hpp"
#include "flows/match/field_set.hpp"
#include "flows/match/tag.hpp"
#include "flows/packet/drop_reason.hpp"
#include "flows/simulation/drop_site.hpp"
#include "flows/state/connection_table.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::flows::simulation {

enum class Outcome : uint8_t {
  forward,   // actions has at least one Output
  drop,      // drop_reason says why; when cacheable, a flow without actions drops the rest in the kernel
  consumed,  // answered or taken in (ARP, ND, echo); whatever leaves is in `emits`
  park,      // a fact is missing: `wanted`. Simulate again from the start when it is there, or when waiting has ended
};
std::string_view to_string(Outcome outcome);

// Table writes, applied by the worker before anything leaves. See state_tables.hpp.
struct LearnMac {
  MacKey key;
  PortId port;
};
struct LearnNeighbour {
  NeighbourKey key;
  MacAddress mac;
};
using StateWrite = std::variant<LearnMac, LearnNeighbour>;

// An entry of the connection table that has to be there before the packet leaves. All of a verdict, or none: where one is
// `taken`, another worker was faster, and the packet is simulated again; where one is refused, it is dropped
// (DropReason::connections_full).
struct ConnectionOpen {
  ConnectionKey key;
  ConnectionEntry entry;
};

// The name of an entry that was learned.
using Learned = std::variant<MacKey, NeighbourKey>;

struct ConnectionUse {
  ConnectionKey key;
  Direction direction = Direction::forward;
  friend bool operator==(const ConnectionUse&, const ConnectionUse&) = default;
};
// Entries that live as long as the flow carries packets. The packet itself uses the connections among them at once.
using Touch = std::variant<MacKey, NeighbourKey, ConnectionUse>;

inline Tag tag_of(const NeighbourKey& key) { return tag::neighbour(RouterId(key.device), key.port, key.address); }

// A next hop without a known MAC: the router's actor asks by ARP or ND on `port`.
struct NeighbourWanted {
  RouterId router;
  PortId port;
  IpAddress address;
  friend bool operator==(const NeighbourWanted&, const NeighbourWanted&) = default;
};

// A dynamic SNAT rule without a free port among the blocks that this host has leased: one more of the range is asked for.
struct NatBlockWanted {
  Uuid device;
  IpAddress address;
  uint16_t first = 0, last = 0;  // blocks: nat_blocks.hpp
  friend bool operator==(const NatBlockWanted&, const NatBlockWanted&) = default;
};

// Other hosts do not know yet what the packet has opened. Never in a verdict: whoever carries it out parks the packet.
struct StateShared {
  uint64_t ticket = 0;
  friend bool operator==(const StateShared&, const StateShared&) = default;
};

// What a parked packet waits for.
using Wanted = std::variant<NeighbourWanted, NatBlockWanted, StateShared>;

// A packet that a device makes. It is simulated in its turn, from the egress of `from` on.
struct EmittedPacket {
  enum class Limit : uint8_t { none, icmp_error };  // icmp_error: subject to the device's rate limit (RFC 1812 4.3.2.8)
  PortId from;
  std::vector<uint8_t> frame;
  Limit limit = Limit::none;
  Uuid device;  // whose limit
};

// The packet answers a health check: what it says, and for whom.
struct CheckAnswer {
  health::Answer answer;
  bool here = false;                      // this host checks
  std::vector<TunnelOutput> others = {};  // and these do
};

// A flow through `router` towards `destination`: a new route to a prefix that holds it concerns the flow.
struct Routed {
  RouterId router;
  IpAddress destination;
};

struct Verdict {
  Outcome outcome = Outcome::drop;
  DropReason drop_reason = DropReason::none;
  DropSite drop_site;  // outcome drop: where
  // True: mask and actions may be installed as a flow that treats all packets of the same masked key alike.
  // False: this packet only (ARP, ND, answers, anything that depends on what a mask cannot say).
  bool cacheable = false;
  ActionList actions;
  FieldSet mask = FieldSet::ethernet();
  TagList tags;  // facts depended on, also absent ones
  SmallVector<Routed, 4> routed;
  SmallVector<StateWrite, 4> writes;
  SmallVector<ConnectionKey, 2> closes;  // before what is opened
  SmallVector<ConnectionOpen, 4> opens;
  SmallVector<Touch, 4> touches;
  // Where the packet enters the virtual network and leaves it, and which other hosts may see the next packet of what it
  // opens or uses: before it leaves, they have the entries. Empty when it opens and uses nothing.
  SmallVector<PortId, 4> ends;
  SmallVector<HostId, 4> peers;
  uint8_t tcp_flags = 0;                    // of this packet, for what it opens and uses
  Wanted wanted;                            // outcome park
  SmallVector<NeighbourWanted, 2> refresh;  // known but stale: used now, to be asked again in the background
  SmallVector<NatBlockWanted, 1> scarce;    // the last leased block is nearly used up: one more, in the background
  std::vector<EmittedPacket> emits;
  std::optional<CheckAnswer> check_answer;
  // When not empty: the packet with changes that no action can say (ICMP identifiers, what ICMP errors quote). The actions
  // apply to it in the packet's place; such a verdict is never cacheable.
  std::vector<uint8_t> frame;

  // Back to an empty verdict; keeps memory.
  void reset();
};

}  // namespace viaduct::flows::simulation
