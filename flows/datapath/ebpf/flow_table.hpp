// The flows in the kernel, by id.
//
// The kernel's maps are keyed by packets; this index says which entries a flow has. There may be several: the fields that
// a flow leaves open are matched nevertheless when its mask is rounded up to a class (layout.h), so every distinct packet
// becomes an entry. They are removed together, replaced together, and their statistics are added up.
//
// The index is rebuilt from the maps at start (adopt), never saved. It is split into shards so that workers that install
// different flows seldom meet; a shard's lock is held during the system call for its flow, which keeps map and index in
// step. At most one shard lock is held at a time.
//
// Room is shared by entries: there are twice as many as flows, and a port may have at most as many as are left free. So
// one port alone can have max_flows, and however many entries the guests behind some ports can provoke, there is room for
// all others. A flow has at most kMaxEntries; one more takes the place of another, whose packets then miss.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/error_counts.hpp"
#include "flows/datapath/ebpf/kernel_maps.hpp"
#include "flows/datapath/ebpf/layout.h"
#include "flows/match/chunked_vector.hpp"
#include "flows/match/flow_id_map.hpp"

namespace viaduct::flows::ebpf {

class FlowTable {
 public:
  // Both outlive this object.
  FlowTable(KernelMaps& maps, ErrorCounts& errors, size_t max_flows);
  static constexpr size_t entries_for(size_t max_flows) { return 2 * max_flows; }
  static constexpr size_t kMaxEntries = 256;  // of a flow

  // Indexes what the maps hold; entries that are not ours are removed and counted (flow.foreign).
  void adopt();

  InstallResult install(const FlowInstall& install);
  size_t remove(std::span<const FlowId> ids, const Datapath::StatsVisitor& last);
  void remove_port(PortNumber in_port);
  void flush();
  void dump_stats(const Datapath::StatsVisitor& visit);
  void dump_flows(const Datapath::FlowVisitor& visit);

  // Flows.
  size_t size() const { return flows_.load(std::memory_order_relaxed); }
  // Some flow comes in or goes out by it.
  bool refers_to(PortNumber port) const { return references_[port.value].load(std::memory_order_relaxed) != 0; }

 private:
  struct Keys {
    uint32_t mask = 0;         // FieldSet::bits()
    uint32_t next_place = 0;   // of the entry that goes for a new one, beyond kMaxEntries
    std::vector<vd_key> more;  // beyond the first
    vd_key first;
    size_t size() const { return 1 + more.size(); }
    vd_key& operator[](size_t i) { return i == 0 ? first : more[i - 1]; }
    // Not the only one.
    void drop(size_t i) {
      (*this)[i] = more.back();
      more.pop_back();
    }
  };
  struct Shard {
    std::mutex mutex;
    FlowIdMap<uint32_t> flows;  // to their place in `keys`
    ChunkedVector<Keys> keys;
    std::vector<uint32_t> free;

    Keys* find(const FlowId& id);
    void add(const FlowId& id, const vd_key& first, uint32_t mask);
    void erase(const FlowId& id);
    std::vector<FlowId> ids() const;
  };
  struct Entry {
    vd_key key;
    vd_flow record;
  };
  enum class Added : uint8_t { yes, taken, full, failed };
  static constexpr size_t kShards = 16;

  Shard& shard(const FlowId& id) { return shards_[id.high % kShards]; }
  InstallResult install_once(const Flow& flow, vd_class of, const vd_key& key, vd_flow& record, bool& taken);
  InstallResult extend(Keys& keys, vd_class of, const vd_key& key, vd_flow& record, bool& taken);
  bool replace_all(Keys& keys, vd_class of, const vd_flow& record, bool& changed);
  Added add_entry(vd_class of, const vd_key& key, const vd_flow& record);
  bool take_entry(vd_class of, const vd_key& key, vd_flow& record);
  void release_key(vd_class of, const vd_key& key);
  bool take_room(uint32_t port);
  void leave_room(uint32_t port);
  bool remove_flow(Shard& shard, const FlowId& id, FlowStats& last);
  void enter_class(vd_class of);
  void leave_class(vd_class of);
  void refer(const vd_key& key, const vd_flow& record, int by);
  template <class Visitor>
  void visit_class(vd_class of, Visitor visit);
  std::vector<Entry> read_class(vd_class of);
  template <class Visitor>
  void for_each_flow(vd_class of, Visitor visit);

  KernelMaps& maps_;
  ErrorCounts& errors_;
  const size_t max_entries_;
  std::array<Shard, kShards> shards_;
  std::atomic<size_t> flows_ = 0;
  std::atomic<size_t> entries_ = 0;
  std::mutex classes_mutex_;  // of vd_config::classes
  std::array<std::atomic<size_t>, kVdClasses> class_entries_{};
  std::unique_ptr<std::atomic<uint32_t>[]> references_;    // by port number
  std::unique_ptr<std::atomic<uint32_t>[]> port_entries_;  // by number of the port where they enter
};

}  // namespace viaduct::flows::ebpf
