// The topology as packets see it: devices with their ports resolved, forwarding tables built, and where exterior ports
// are: on this host with their datapath numbers, or on another. Compiled from a topology Snapshot and Locations.
//
// Immutable, and compiled incrementally: a change rebuilds the views of the devices it touches (and of those only what
// it touches) and shares the rest. Views refer to each other by id, so that a shared view never points into an older
// network.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flows/packet/port_number.hpp"
#include "flows/simulation/locations.hpp"
#include "routing/fib/fib.hpp"
#include "topology/delta.hpp"
#include "topology/persistent_map.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::flows::simulation {

enum class PortDevice : uint8_t { bridge, router };

struct PortView {
  PortId id;
  std::string name;
  PortDevice device = PortDevice::bridge;
  Uuid device_id;
  bool admin_up = true;
  bool exterior = false;  // bound to a host (this one or another)
  HostId host;            // the one that it is bound to
  PortNumber number;      // set when active on this host
  RemotePort remote;      // its key is set when active on that other host
  bool silent = false;    // active on a host that does not answer
  PortId peer;            // interior
  ChainId inbound_filter, outbound_filter;
  std::vector<PortGroupId> groups;  // sorted
  std::vector<PortId> siblings;     // the other ports of its stateful groups, sorted
  // router ports
  MacAddress mac;
  std::vector<IpPrefix> addresses;
  std::optional<IpAddress> link_local;  // from the MAC; only where one of the addresses is IPv6
  uint16_t mtu = 0;
  Speaker speaker;  // of a router's port that is active here; without a number: none

  bool has_address(const IpAddress& address) const;
  // On the link of this port: in the prefix of one of its addresses, or IPv6 link-local.
  bool on_link(const IpAddress& address) const;
  // Whom errors and requests to `destination` come from: the address on its link, else the first of the family that is
  // not link-local, else the link-local one.
  std::optional<IpAddress> source_for(const IpAddress& destination) const;
  bool on_bridge() const { return device == PortDevice::bridge; }
  bool active_elsewhere() const { return remote.key != 0; }
  // A router port's routes count: up, and linked or active on some host.
  bool publishes_routes() const { return admin_up && (!peer.is_nil() || number || active_elsewhere()); }
  // A host that is silent may be dead, or only its agent: others are better, and it is better than nothing.
  routing::Standing route_standing() const {
    if (!publishes_routes()) return routing::Standing::none;
    return silent ? routing::Standing::doubtful : routing::Standing::good;
  }
  friend bool operator==(const PortView&, const PortView&) = default;
};

// The rest of what is compiled: network_views.hpp.
struct BridgeView;
struct RouterView;
struct ChainView;
struct IpGroupView;
struct BalancerView;
struct PoolView;
struct NetworkData;

class Network {
 public:
  Network();
  uint64_t revision() const;
  const PortView* port(PortId id) const;
  const BridgeView* bridge(BridgeId id) const;
  const RouterView* router(RouterId id) const;
  const ChainView* chain(ChainId id) const;
  const IpGroupView* ip_group(IpGroupId id) const;
  const BalancerView* balancer(LoadBalancerId id) const;
  const PoolView* pool(PoolId id) const;
  // The port active here under this number; null when unknown.
  const PortView* at(PortNumber number) const;
  // The port that the speaker under this number speaks for; null when it is none's.
  const PortView* spoken_for(PortNumber speaker) const;
  void for_each_port(const std::function<void(const PortView&)>& visit) const;
  const Locations& locations() const;
  // Whose packets come by tunnels from this address; null when unknown.
  const HostId* peer_at(const IpAddress& tunnel_source) const;
  const topology::Snapshot& snapshot() const;

  static Network compile(const topology::Snapshot& snapshot, const Locations& locations);
  // The network of `snapshot`, which is this one's changed by `delta`, and of `locations`, which differ from this one's
  // in what `moved` names. Costs what changed.
  Network updated(const topology::Snapshot& snapshot, const topology::Delta& delta, const Locations& locations,
                  const Moved& moved) const;
  const NetworkData& data() const { return *data_; }

 private:
  explicit Network(std::shared_ptr<const NetworkData> data) : data_(std::move(data)) {}
  std::shared_ptr<const NetworkData> data_;
};

}  // namespace viaduct::flows::simulation
