// Which entries of connections another host may send here: for translated sources, those with ports that are not a third
// host's. Devices need not be known: what comes of a port that moves here is earlier than the topology that says so.
//
// A copy is passed on by whoever has it, so the host that sends an entry need not be the one that made it; but while the
// lease of a port's block is somebody's, only he, or who got it from him here, can know a connection with it.
//
// Not for several threads at a time.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "actors/agent/network_slot.hpp"
#include "flows/replication/state_frame.hpp"
#include "flows/state/nat_blocks.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

class StateClaims {
 public:
  void set_network(NetworkSlot::Ptr network) { network_ = std::move(network); }
  void follow(const std::vector<topology::StateChange>& changes);
  // Of a snat_reverse entry: who has the lease of its ports; nothing: nobody, as far as is known here.
  std::optional<HostId> holder_of(const flows::ConnectionKey& key) const;
  // The cluster has said that the ports of these snat_reverse entries are not this host's. What follow() has heard of them
  // may be older than that: if it was `self`, their holder is unknown until there is news.
  void lost(const std::vector<flows::ConnectionKey>& keys, HostId self);
  bool may_claim(HostId by, HostId self, const flows::ConnectionUpdate& update) const;

 private:
  bool answers(HostId host) const;

  NetworkSlot::Ptr network_;
  std::map<flows::NatBlock, HostId> holders_;
};

}  // namespace viaduct::actors
