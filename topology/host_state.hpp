// What a host says of itself and has learned: entries of the state tables, shared with the hosts that need the device.
//
// An entry has one owner. It lies in the store under a key that is the fact's name, with the lease of its owner's
// session: when the owner is gone the entry is, and when another host claims the same fact (a guest has moved) the entry
// is that host's. Flood keys are the exception: each host has its own for a bridge.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"
#include "topology/model/member_health.hpp"

namespace viaduct::topology {

// The port's interface is in the host's datapath; frames for it carry this tunnel key.
struct PortActive {
  PortId port;
  uint32_t key = 0;
  friend bool operator==(const PortActive&, const PortActive&) = default;
};
// The host has active ports of the bridge; frames flooded to them carry this tunnel key.
struct FloodKey {
  BridgeId bridge;
  uint32_t key = 0;
  friend bool operator==(const FloodKey&, const FloodKey&) = default;
};
struct MacClaim {
  BridgeId bridge;
  uint16_t vlan = 0;
  MacAddress mac;
  PortId port;
  friend bool operator==(const MacClaim&, const MacClaim&) = default;
};
// Of a router: the address as seen from one port. Of a bridge (ARP and ND suppression): port is nil.
struct NeighbourClaim {
  Uuid device;
  PortId port;
  IpAddress address;
  MacAddress mac;
  uint64_t confirmed = 0;  // seconds since the Unix epoch, of about when the owner last heard it
  friend bool operator==(const NeighbourClaim&, const NeighbourClaim&) = default;
};
// The host gives out these 64 ports of a device's address for dynamic SNAT: ports block * 64 and the 63 behind it.
struct NatBlockClaim {
  Uuid device;  // a router or a bridge
  IpAddress address;
  uint16_t block = 0;  // below kNatBlocksOfAddress
  friend bool operator==(const NatBlockClaim&, const NatBlockClaim&) = default;
};
inline constexpr uint16_t kNatBlocksOfAddress = 1'024;
// The host checks the pool's members, and this is what it has found.
struct HealthReport {
  PoolId pool;
  std::vector<MemberHealth> members = {};
  friend bool operator==(const HealthReport&, const HealthReport&) = default;
};
// A part of what a router learns of a peer behind one of its ports: prefixes that this gateway leads to. A prefix is in one
// part only.
struct LearnedRoutes {
  PortId port;
  IpAddress gateway;
  uint16_t part = 0;
  std::vector<IpPrefix> prefixes = {};  // of one family, sorted, without host bits
  friend bool operator==(const LearnedRoutes&, const LearnedRoutes&) = default;
};
// Routes by this gateway behind the port do not count for now, static ones neither: it does not answer.
struct GatewayLost {
  PortId port;
  IpAddress gateway;
  friend bool operator==(const GatewayLost&, const GatewayLost&) = default;
};
// An interface of the host, in the network namespace of its agent. For operators: no agent gets it.
struct HostInterface {
  std::string name;
  MacAddress mac;
  uint32_t mtu = 0;
  std::string kind = {};  // IFLA_INFO_KIND: "veth", "vxlan" ...; "loopback"; empty: a device of the machine
  bool up = false;        // administratively
  bool carrier = false;
  std::vector<IpAddress> addresses = {};  // sorted
  friend bool operator==(const HostInterface&, const HostInterface&) = default;
};
// The host's agent is at work. Its key's revision is the epoch that fences the host's writes.
struct HostSession {
  std::string name;
  std::string instance;  // the same for every life of one daemon, another for a clone
  std::string node;      // of the cluster, that serves it
  uint64_t since = 0;    // nanoseconds since the Unix epoch
  uint64_t lease = 0;
  friend bool operator==(const HostSession&, const HostSession&) = default;
};

using HostFact = std::variant<PortActive, FloodKey, MacClaim, NeighbourClaim, HostSession, NatBlockClaim, HealthReport,
                              LearnedRoutes, GatewayLost, HostInterface>;

struct StateEntry {
  HostId host;            // the owner
  Uuid device;            // the bridge or router that it concerns, of an interface the host; nil: none
  uint64_t revision = 0;  // of its last change; not part of the stored value
  HostFact fact;
  friend bool operator==(const StateEntry&, const StateEntry&) = default;
};
using StatePtr = std::shared_ptr<const StateEntry>;

inline constexpr std::string_view kStateKeyPrefix = "/state/";
// "/state/<table>/<name of the fact>"
std::string state_key(const StateEntry& entry);
std::string session_key(HostId host);
// "mac", "learned_routes" ...; empty: no key of a state entry.
std::string_view state_table(std::string_view key);
// The id of the port, of keys in tables whose entries are named by one first ("port", "learned_routes", "gateway_lost"); else
// empty.
std::string_view state_port(std::string_view key);
// False: of a table that a later version has added. What it holds cannot be read, and concerns nothing that is known here.
bool is_known_state(std::string_view key);

}  // namespace viaduct::topology
