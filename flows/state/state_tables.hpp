// What the network has taught this host: which MAC is behind which port, and which MAC has which address.
//
// Packet workers read these tables for every simulated packet and write what they learn at once (local first), so that
// the very next packet sees it. Actors own time: they age, refresh and expire entries and persist them.
//
// Both tables are ConcurrentTables: fixed capacity, lock-free reads, writers exclude each other by bucket for a few
// stores. A table that is full refuses to learn and counts it; it never grows and never blocks.
//
// Times of use are kept to kTouchInterval, so that a busy entry's cache line is not written for every packet: a deadline
// of ageing has to leave that much room. Copies of a table share its contents.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "flows/state/concurrent_table.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::flows {

using Time = std::chrono::steady_clock::time_point;

inline constexpr std::chrono::milliseconds kTouchInterval{100};

enum class LearnResult : uint8_t {
  unchanged,  // known; its last-seen time was refreshed
  added,
  moved,    // another port or MAC than before: flows that used the old one must go
  refused,  // table or the device's quota full, counted
};

struct MacKey {
  BridgeId bridge;
  uint16_t vlan = 0;
  MacAddress mac;
  friend bool operator==(const MacKey&, const MacKey&) = default;
};
struct MacEntry {
  PortId port;
  Time last_seen;  // a frame or a used flow
  friend bool operator==(const MacEntry&, const MacEntry&) = default;
};

class MacTable {
 public:
  // `seed` keeps guests from choosing addresses that collide; a random number in production.
  explicit MacTable(size_t capacity = 65536, size_t per_bridge = 16384, uint64_t seed = 0);
  std::optional<MacEntry> find(const MacKey& key) const;
  // `previous` (may be null) gets the port it was on when the result is `moved`.
  LearnResult learn(const MacKey& key, PortId port, Time now, PortId* previous = nullptr);
  void touch(const MacKey& key, Time now);
  bool erase(const MacKey& key);
  // Erases only what was last seen before `deadline`: no race with a worker that has just seen it.
  bool erase_if_older(const MacKey& key, Time deadline);
  void for_each(const std::function<void(const MacKey&, const MacEntry&)>& visit) const;
  size_t size() const;
  size_t capacity() const;
  uint64_t refused() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

enum class NeighbourState : uint8_t {
  reachable,  // confirmed within the stale time
  stale,      // usable, being asked again
  failed,     // asked and not answered: packets to it are refused until something is learned or the entry ends
};

// Of a router: the address as seen from one port. Of a bridge (ARP/ND suppression): port is nil.
struct NeighbourKey {
  Uuid device;
  PortId port;
  IpAddress address;
  friend bool operator==(const NeighbourKey&, const NeighbourKey&) = default;
};
struct NeighbourEntry {
  MacAddress mac;
  NeighbourState state = NeighbourState::reachable;
  Time confirmed;  // last answer or advertisement
  Time last_used;  // by a simulation or a used flow
  friend bool operator==(const NeighbourEntry&, const NeighbourEntry&) = default;
};

class NeighbourTable {
 public:
  explicit NeighbourTable(size_t capacity = 65536, size_t per_device = 16384, uint64_t seed = 0);
  std::optional<NeighbourEntry> find(const NeighbourKey& key) const;
  // Confirms `mac`; `moved` when it had another MAC or had failed.
  LearnResult learn(const NeighbourKey& key, MacAddress mac, Time now);
  void touch(const NeighbourKey& key, Time now);
  // Adds a failed entry where none is; false when the table is full, or when there is no entry to become `state`.
  bool set_state(const NeighbourKey& key, NeighbourState state, Time now);
  // The same, but leaves an entry alone (and says false) that was confirmed at `deadline` or later: no race with a
  // worker that has just learned it.
  bool set_state_if_older(const NeighbourKey& key, NeighbourState state, Time now, Time deadline);
  bool erase(const NeighbourKey& key);
  bool erase_if_older(const NeighbourKey& key, Time deadline);  // by `confirmed`
  void for_each(const std::function<void(const NeighbourKey&, const NeighbourEntry&)>& visit) const;
  size_t size() const;
  size_t capacity() const;
  uint64_t refused() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

class ConnectionTable;  // connection_table.hpp
class NatBlocks;        // nat_blocks.hpp

// What a simulation may look at.
struct StateView {
  const MacTable& macs;
  const NeighbourTable& neighbours;
  const ConnectionTable& connections;
  const NatBlocks& nat_blocks;
};

}  // namespace viaduct::flows
