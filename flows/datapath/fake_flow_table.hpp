// The flow table of the fake datapath: megaflows as the Open vSwitch kernel module has them, found mask by mask.
//
// Time is an argument. Not synchronised: FakeKernel locks.
#pragma once

#include <chrono>
#include <cstddef>
#include <unordered_map>
#include <vector>

#include "flows/datapath/datapath.hpp"

namespace viaduct::flows {

class FakeFlowTable {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Entry {
    Flow flow;
    FlowStats stats;  // `idle` is computed when asked for
    Time used;
  };

  explicit FakeFlowTable(size_t max_flows) : max_flows_(max_flows) {}

  // The flow that `key` matches, or nothing. When two match, the mask that was there first wins.
  Entry* find(const FlowKey& key);
  InstallResult install(const FlowInstall& install, Time now);
  // False when it is not there.
  bool remove(const FlowId& id, Time now, FlowStats& last);
  // Deletes the flows that come in by `port`.
  void remove_port(PortNumber port);
  bool refers_to(PortNumber port) const;
  void clear();
  void resize(size_t max_flows) { max_flows_ = max_flows; }

  size_t size() const { return entries_.size(); }
  template <class Visitor>
  void for_each(Time now, Visitor visit) const {
    for (const auto& [id, entry] : entries_) visit(entry.flow, stats_of(entry, now));
  }

 private:
  struct Mask {
    FieldSet fields;
    size_t flows = 0;
  };

  static FlowStats stats_of(const Entry& entry, Time now);
  void add_mask(FieldSet fields);
  void drop_mask(FieldSet fields);

  size_t max_flows_;
  std::vector<Mask> masks_;
  std::unordered_map<FlowId, Entry> entries_;
};

}  // namespace viaduct::flows
