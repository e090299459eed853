// What the simulation wants done: all effects are data here, and nothing has happened yet.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "flows/match/action.hpp"
#include "flows/match/field_set.hpp"
#include "flows/match/tag.hpp"
#include "flows/packet/drop_reason.hpp"
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

// Entries that live as long as the flow carries packets.
using Touch = std::variant<MacKey, NeighbourKey>;

inline Tag tag_of(const NeighbourKey& key) { return tag::neighbour(RouterId(key.device), key.port, key.address); }

// A next hop without a known MAC: the router's actor asks by ARP or ND on `port`.
struct NeighbourWanted {
  RouterId router;
  PortId port;
  IpAddress address;
  friend bool operator==(const NeighbourWanted&, const NeighbourWanted&) = default;
};

// A packet that a device makes. It is simulated in its turn, from the egress of `from` on.
struct EmittedPacket {
  enum class Limit : uint8_t { none, icmp_error };  // icmp_error: subject to the device's rate limit (RFC 1812 4.3.2.8)
  PortId from;
  std::vector<uint8_t> frame;
  Limit limit = Limit::none;
  Uuid device;  // whose limit
};

// A flow through `router` towards `destination`: a new route to a prefix that holds it concerns the flow.
struct Routed {
  RouterId router;
  IpAddress destination;
};

struct Verdict {
  Outcome outcome = Outcome::drop;
  DropReason drop_reason = DropReason::none;
  // True: mask and actions may be installed as a flow that treats all packets of the same masked key alike.
  // False: this packet only (ARP, ND, answers, anything that depends on what a mask cannot say).
  bool cacheable = false;
  ActionList actions;
  FieldSet mask = FieldSet::ethernet();
  TagList tags;  // facts depended on, also absent ones
  SmallVector<Routed, 4> routed;
  SmallVector<StateWrite, 4> writes;
  SmallVector<Touch, 4> touches;
  NeighbourWanted wanted;                   // outcome park
  SmallVector<NeighbourWanted, 2> refresh;  // known but stale: used now, to be asked again in the background
  std::vector<EmittedPacket> emits;

  // Back to an empty verdict; keeps memory.
  void reset();
};

}  // namespace viaduct::flows::simulation
