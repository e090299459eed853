// Which devices (bridges and routers) are joined by links, directly or through others, and which hosts have a port bound
// to one of them. All devices of a component have one audience: whoever needs one of them needs them all.
//
// Cost: a link between two components relabels the smaller; taking a link away searches from both ends at once, one link
// at a time in turns, so that it costs the smaller half, or the length of a way around; binding a port O(1).
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include "topology/audiences.hpp"

namespace viaduct::topology {

class Components {
 public:
  using Key = Audiences::Key;  // of a component and its audience alike

  explicit Components(Audiences& audiences) : audiences_(audiences) {}
  Components(const Components&) = delete;
  Components& operator=(const Components&) = delete;

  // What was done already is not done twice; what is not there is not taken away.
  void add(const Uuid& device);
  void remove(const Uuid& device);  // with its bindings and links
  void bind(const Uuid& device, HostId host);
  void unbind(const Uuid& device, HostId host);
  void link(const Uuid& device, PortId port, const Uuid& other_device, PortId other_port);
  void unlink(const Uuid& device, PortId port, PortId peer);

  Key component_of(const Uuid& device) const;  // 0: there is no such device
  // In no order; nothing for other audiences.
  const std::vector<Uuid>& devices(Key component) const;

  // The same as Audiences::begin_step for devices: in which component each was.
  void begin_step() { before_.clear(); }
  Key component_before(const Uuid& device) const;  // 0: there was no such device
  // Those that were in another component, or in none, or are in none now.
  const std::unordered_map<Uuid, Key>& moved() const { return before_; }

 private:
  struct Link {
    PortId peer;
    Uuid device;  // of the peer
  };
  struct Device {
    Key component = 0;
    size_t at = 0;  // in the component's list
    std::unordered_map<HostId, uint32_t> bound;
    std::unordered_multimap<PortId, Link> links;  // by the port of this device
  };
  // One end's half of a search: breadth first, one link a step.
  class Search;

  using Devices = std::unordered_map<Uuid, Device>;

  void put(const Uuid& id, Device& device, Key component);
  void take(Device& device);
  void merge(Key a, Key b);
  void split(const std::vector<Uuid>& piece);
  void part(const Uuid& a, const Uuid& b);
  bool erase_link(const Uuid& device, PortId port, PortId peer, const Uuid& other);

  Audiences& audiences_;
  Devices devices_;
  std::unordered_map<Key, std::vector<Uuid>> components_;
  std::unordered_map<Uuid, Key> before_;
};

}  // namespace viaduct::topology
