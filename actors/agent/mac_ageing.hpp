// What a bridge has learned ends when it is not seen any more: MACs after 15 s (devices.md 1.3), address bindings (which
// ARP/ND suppression answers from) 90 s after the last announcement.
//
// The tables hold the times; this class only knows when to look at which entry, so that the entries of other bridges
// and those that are not due cost nothing. An entry that was seen meanwhile is looked at again when that would end. So
// nothing is needed when an entry is seen, only when it is new; news that were lost are made good by adopt().
//
// One for each bridge, in its actor. No clock: times are arguments. An ended entry leaves the table here; its flows are
// the caller's to invalidate.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "flows/simulation/verdict.hpp"
#include "flows/state/state_tables.hpp"
#include "topology/address/id.hpp"

namespace viaduct::actors {

struct AgeingOptions {
  std::chrono::milliseconds mac_timeout{15'000};
  std::chrono::milliseconds binding_timeout{90'000};
  size_t max_tracked = 65536;  // of each kind; adopt() finds what did not fit
};

struct EndedMac {
  flows::MacKey key;
  PortId port;
  friend bool operator==(const EndedMac&, const EndedMac&) = default;
};
struct Ended {
  std::vector<EndedMac> macs;
  std::vector<flows::NeighbourKey> bindings;
};

class MacAgeing {
 public:
  explicit MacAgeing(BridgeId bridge, const AgeingOptions& options = {}) : bridge_(bridge), options_(options) {}

  // A worker has put this into the table. Keys of other devices are ignored.
  void learned(const flows::MacKey& key, flows::Time now);
  void learned(const flows::NeighbourKey& key, flows::Time now);
  // Tracks all that the tables hold of this bridge: at the start, and now and then.
  void adopt(const flows::MacTable& macs, const flows::NeighbourTable& neighbours, flows::Time now);
  // Erases what has ended, of what is this host's to end: `remote` says what another host has learned.
  using IsRemote = std::function<bool(const flows::simulation::Learned& entry)>;
  Ended tick(flows::Time now, flows::MacTable& macs, flows::NeighbourTable& neighbours, const IsRemote& remote);
  // Erases all of this bridge.
  Ended flush(flows::MacTable& macs, flows::NeighbourTable& neighbours);
  std::optional<flows::Time> next_deadline() const;

  size_t tracked() const { return macs_.size() + bindings_.size(); }
  uint64_t untracked() const { return untracked_; }  // news that did not fit

 private:
  struct MacOrder {
    bool operator()(const flows::MacKey& a, const flows::MacKey& b) const {
      return std::tie(a.vlan, a.mac) < std::tie(b.vlan, b.mac);
    }
  };
  struct BindingOrder {
    bool operator()(const flows::NeighbourKey& a, const flows::NeighbourKey& b) const {
      return std::tie(a.port, a.address) < std::tie(b.port, b.address);
    }
  };
  template <class Key, class Order>
  class Schedule {
   public:
    bool has(const Key& key) const { return keys_.contains(key); }
    void add(const Key& key, flows::Time due) {
      if (keys_.insert(key).second) due_.emplace(due, key);
    }
    std::vector<Key> take_due(flows::Time now) {
      std::vector<Key> out;
      for (; !due_.empty() && due_.begin()->first <= now; due_.erase(due_.begin())) {
        out.push_back(due_.begin()->second);
        keys_.erase(due_.begin()->second);
      }
      return out;
    }
    std::optional<flows::Time> next() const { return due_.empty() ? std::nullopt : std::optional(due_.begin()->first); }
    void clear() {
      keys_.clear();
      due_.clear();
    }
    size_t size() const { return keys_.size(); }

   private:
    std::set<Key, Order> keys_;
    std::multimap<flows::Time, Key> due_;
  };

  const BridgeId bridge_;
  const AgeingOptions options_;
  Schedule<flows::MacKey, MacOrder> macs_;
  Schedule<flows::NeighbourKey, BindingOrder> bindings_;
  uint64_t untracked_ = 0;
};

}  // namespace viaduct::actors
