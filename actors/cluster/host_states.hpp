// The state tables' logic without the actor: sessions of hosts, and what each host may write.
//
//   no session --begin--> running (lease, epoch) --keep--> running --lease ends, or another node begins it--> no session
//
// Every write holds only while the session's key is as this node knows it (the epoch): a host that slept through the end
// of its lease, and whose entries others have taken over, is told so and begins anew.
//
// A write is cut into transactions that any etcd takes. What a host tells in several writes (state_write.hpp) is remembered
// by its keys until the last of them; a node that has not seen the first says so, and the host begins again.
//
// Threads: one. It blocks for as long as the store does.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "actors/messages.hpp"
#include "topology/interest.hpp"
#include "topology/state_index.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

class HostStates {
 public:
  // `node`: the name of this cluster node. `lease`: how long a silent host keeps what is its own.
  HostStates(topology::store::Store& store, std::string node, std::chrono::seconds lease)
      : store_(store), node_(std::move(node)), lease_(lease) {}

  void follow(const StatesChanged& changed);
  SessionBegun begin(const BeginSession& request, WallTime now);
  SessionKept keep(HostId host, uint64_t epoch);
  topology::StateWritten write(const WriteStates& request);

  const topology::StateIndex& states() const { return states_; }
  // Claims of NAT blocks and pools that were refused: the device or pool is none that the host needs.
  uint64_t unneeded() const { return unneeded_; }

 private:
  struct Plan;
  using Keys = std::unordered_set<std::string>;
  struct Telling {
    uint64_t epoch = 0;
    Keys put = {};  // since it began, and not deleted again
  };
  bool needs(HostId host, const Uuid& device);
  void plan_put(HostId host, const topology::StateWrite::Put& put, Plan& plan);
  void plan_delete(HostId host, const std::string& key, Plan& plan) const;
  void plan_rest(HostId host, const Keys& named, Plan& plan) const;
  // Of what is told in several writes; null: this is none of them.
  Keys* told_before(const WriteStates& request);
  // The operations from `from` on that fit into one transaction. Returns which is the next; nothing: `out` says why.
  std::optional<size_t> commit(const WriteStates& request, Plan& plan, size_t from, topology::StateWritten& out);
  const topology::HostSession* session_of(HostId host) const;
  SessionBegun refuse(std::string why) const { return {std::move(why), false, 0, lease_}; }

  topology::store::Store& store_;
  const std::string node_;
  const std::chrono::seconds lease_;
  SnapshotPtr topology_ = std::make_shared<const topology::Snapshot>();
  topology::StateIndex states_;
  std::unordered_map<HostId, Telling> telling_;
  // Of `asked_`: made when somebody first wants a NAT block, and brought up to date when the next does.
  std::optional<topology::Interest> interest_;
  SnapshotPtr asked_;
  uint64_t unneeded_ = 0;
};

}  // namespace viaduct::actors
