// Where exterior ports are: on this host, under a number of its datapath, or on another, behind a tunnel.
//
// Not part of the topology: the hosts say it of themselves (state tables). A port that its binding gives to one host and
// that another claims to have is nowhere.
//
// How a frame finds its port on the receiving host: each host gives every port that is active on it a random key, and
// every bridge with such ports one more, for frames that are flooded. It publishes the keys, and senders put them into
// the tunnel header; the receiver forwards by key alone, without a simulation of bridges and routers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "flows/packet/port_number.hpp"
#include "flows/packet/tunnel.hpp"
#include "topology/address/id.hpp"
#include "topology/host_state.hpp"
#include "topology/persistent_map.hpp"

namespace viaduct::flows::simulation {

// Ports of this host whose interface is in the datapath.
using Bindings = topology::PersistentMap<PortId, PortNumber>;

// A port that is active on another host.
struct RemotePort {
  HostId host;
  uint32_t key = 0;
  friend bool operator==(const RemotePort&, const RemotePort&) = default;
};

// Other hosts with active ports of a bridge, and the key by which each floods.
using RemoteFlood = std::map<HostId, uint32_t>;

// How this host reaches another.
struct TunnelPath {
  PortNumber port;  // the tunnel port of the zone's kind; 0: this datapath has none
  IpAddress src;    // of this host, in the zone that both are in
  IpAddress dst;
  uint16_t mtu = 0;   // bytes behind the inner Ethernet header that fit
  bool alive = true;  // answers probes; a silent host is sent frames all the same, but routes by it are doubtful
  TunnelKind kind = TunnelKind::vxlan;  // of the zone; for those who read traces
  friend bool operator==(const TunnelPath&, const TunnelPath&) = default;
};

// What a key of this host stands for.
using LocalKey = std::variant<PortId, BridgeId>;

// What a router has learned behind one of its ports: the gateway's parts of prefixes, each as the state tables have it.
struct LearnedPart {
  IpAddress gateway;
  uint16_t part = 0;
  friend bool operator==(const LearnedPart&, const LearnedPart&) = default;
};
struct LearnedPartHash {
  size_t operator()(const LearnedPart& key) const noexcept {
    return (std::hash<IpAddress>{}(key.gateway) + key.part) * 0x9e37'79b9'7f4a'7c15ULL;
  }
};
struct LearnedAtPort {
  topology::PersistentMap<LearnedPart, std::shared_ptr<const topology::LearnedRoutes>, LearnedPartHash> parts;
  std::vector<IpAddress> lost;  // gateways, sorted
  bool empty() const { return parts.empty() && lost.empty(); }
};

// Who speaks a routing protocol for a router's port on this host: an interface of the datapath with the port's addresses,
// and those it speaks with.
struct Speaker {
  PortNumber number;
  std::vector<IpAddress> peers;  // sorted
  friend bool operator==(const Speaker&, const Speaker&) = default;
};

// By who says so: what the host says that the port is bound to counts.
using LearnedByHost = std::map<HostId, std::shared_ptr<const LearnedAtPort>>;

struct Locations {
  Bindings bindings;
  topology::PersistentMap<PortId, RemotePort> remote;
  topology::PersistentMap<BridgeId, RemoteFlood> floods;
  topology::PersistentMap<HostId, TunnelPath> paths;
  topology::PersistentMap<uint32_t, LocalKey> keys;
  topology::PersistentMap<PoolMemberId, bool> unhealthy;  // as its pool's health checker says
  topology::PersistentMap<PoolId, HostId> checkers;       // who checks the pool's members; nil: this host
  // All that is known of checked pools; for operators.
  topology::PersistentMap<PoolId, std::shared_ptr<const topology::HealthReport>> health;
  topology::PersistentMap<PortId, LearnedByHost> learned;
  topology::PersistentMap<PortId, Speaker> speakers;
  bool copy_dscp = false;  // of the inner packet, to the outer header
};

// What differs between two Locations. Not checkers: no flow depends on them.
struct Moved {
  std::vector<PortId> ports;      // bindings, remote, learned or speakers
  std::vector<BridgeId> bridges;  // floods
  std::vector<HostId> hosts;      // paths
  std::vector<uint32_t> keys;
  std::vector<PoolMemberId> members = {};  // unhealthy
  bool empty() const { return ports.empty() && bridges.empty() && hosts.empty() && keys.empty() && members.empty(); }
};

}  // namespace viaduct::flows::simulation
