// One state of the topology, immutable, shared by every thread that reads it.
//
// A snapshot holds every object under its id, and indexes for the questions that readers ask. Two snapshots share all
// that did not change between them (persistent maps: an update copies O(log n) nodes), so keeping old ones and making
// new ones is cheap at any size, and pointer equality means "unchanged".
//
// Threads: const methods from any thread. Pointers stay valid while a copy of the snapshot is held.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "topology/model/object.hpp"
#include "topology/persistent_map.hpp"

namespace viaduct::topology {

template <class T>
using Ref = std::shared_ptr<const T>;

class Snapshot {
 public:
  // Of the last commit that it contains.
  uint64_t revision() const { return revision_; }

  const Host* find(HostId id) const;
  const Bridge* find(BridgeId id) const;
  const Router* find(RouterId id) const;
  const Port* find(PortId id) const;
  const Route* find(RouteId id) const;
  const StaticMac* find(StaticMacId id) const;
  const StaticNeighbour* find(StaticNeighbourId id) const;
  // By reference; a null pointer when absent.
  Ref<Object> find(ObjectRef ref) const;

  // Ids of what belongs to a device, in the order of the ids. `visit` is called once for each.
  void for_each_port_of(Uuid device, const std::function<void(const Port&)>& visit) const;
  void for_each_route_of(RouterId router, const std::function<void(const Route&)>& visit) const;
  void for_each_route_through(PortId port, const std::function<void(const Route&)>& visit) const;
  void for_each_static_mac_of(BridgeId bridge, const std::function<void(const StaticMac&)>& visit) const;
  void for_each_static_neighbour_of(BridgeId bridge, const std::function<void(const StaticNeighbour&)>& visit) const;
  void for_each_port_bound_to(HostId host, const std::function<void(const Port&)>& visit) const;
  // The port bound to this interface, if any.
  std::optional<PortId> bound_port(HostId host, std::string_view interface) const;
  // All objects of a kind with this name, and all objects of a kind.
  void for_each_named(Kind kind, std::string_view name, const std::function<void(const Object&)>& visit) const;
  void for_each(Kind kind, const std::function<void(const Object&)>& visit) const;
  size_t count(Kind kind) const;
  size_t size() const;

  // Copies with one object put (created or replaced) or erased; indexes follow. These check nothing: see builder.hpp.
  Snapshot with(Ref<Object> object) const;
  Snapshot without(ObjectRef ref) const;
  Snapshot at_revision(uint64_t revision) const;

 private:
  // (the maps: completed by the implementation)
  uint64_t revision_ = 0;
};

}  // namespace viaduct::topology
