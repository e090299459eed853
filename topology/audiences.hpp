// Sets of hosts, one for each thing that is needed wholly or not at all: who is in, and who was before the current step.
//
// A host is in an audience as often as it was added (once for each port that it has bound there), and out when it was
// removed as often. Merging moves the smaller set into the larger.
//
// One step is the time between two calls of begin_step: `had` answers for its beginning, `has` for now. An audience that
// is dissolved keeps answering `had` until the next step.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "topology/address/id.hpp"

namespace viaduct::topology {

class Audiences {
 public:
  using Key = uint64_t;  // never used twice; 0: none

  Key create();
  void dissolve(Key key);  // with whoever is in it
  void add(Key key, HostId host, uint32_t times = 1);
  void remove(Key key, HostId host, uint32_t times = 1);
  // All of `from` into `to`; `from` is dissolved. Costs what is in `from`.
  void merge(Key from, Key to);

  // In no order. Valid until the audience changes.
  const std::vector<HostId>& hosts(Key key) const;
  bool has(Key key, HostId host) const;
  // Nothing when it is in none.
  const std::set<Key>& of(HostId host) const;

  void begin_step() { before_.clear(); }
  bool had(Key key, HostId host) const;
  // Whether anybody came or went for good in this step.
  bool changed(Key key) const;
  std::vector<Key> changed() const;
  // visit(HostId, bool had, bool has) for everybody who is in or was.
  template <class F>
  void for_each_involved(Key key, F&& visit) const {
    const auto at = before_.find(key);
    for (HostId host : hosts(key)) visit(host, at == before_.end() || had(key, host), true);
    if (at == before_.end()) return;
    for (const auto& [host, was_in] : at->second) {
      if (was_in && !has(key, host)) visit(host, true, false);
    }
  }

 private:
  struct Place {
    size_t at = 0;  // in the list of hosts
    uint32_t times = 0;
  };
  struct Audience {
    std::vector<HostId> hosts;
    std::unordered_map<HostId, Place> places;
  };
  void remember(Key key, HostId host, bool was_in) { before_[key].try_emplace(host, was_in); }

  Key last_ = 0;
  std::unordered_map<Key, Audience> audiences_;
  std::unordered_map<HostId, std::set<Key>> of_;
  // Those who came or went in this step: whether they were in at its beginning.
  std::unordered_map<Key, std::unordered_map<HostId, bool>> before_;
};

}  // namespace viaduct::topology
