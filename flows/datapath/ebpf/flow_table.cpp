#include "flows/datapath/ebpf/flow_table.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "flows/datapath/ebpf/record.hpp"

namespace viaduct::flows::ebpf {

namespace {

// `idle` becomes the smaller one: entries of one flow are added up.
void add_stats(FlowStats& sum, const vd_flow& record, uint64_t now, bool first) {
  sum.packets += record.packets;
  sum.bytes += record.bytes;
  sum.tcp_flags |= static_cast<uint8_t>(record.tcp_flags);
  uint64_t used = std::max(record.last_used_ns, record.created_ns);
  std::chrono::nanoseconds idle(used < now ? now - used : 0);
  sum.idle = first ? idle : std::min(sum.idle, idle);
}

// The flow's counts go on when one of its entries goes for another.
void add_history(vd_flow& record, const vd_flow& gone) {
  record.packets += gone.packets;
  record.bytes += gone.bytes;
  record.tcp_flags |= gone.tcp_flags;
}

}  // namespace

FlowTable::Keys* FlowTable::Shard::find(const FlowId& id) {
  const uint32_t* at = flows.find(id);
  return at == nullptr ? nullptr : &keys[*at];
}

void FlowTable::Shard::add(const FlowId& id, const vd_key& first, uint32_t mask) {
  uint32_t at = 0;
  if (free.empty()) {
    at = static_cast<uint32_t>(keys.append());
  } else {
    at = free.back();
    free.pop_back();
  }
  keys[at] = {mask, 0, {}, first};
  flows.insert(id, at);
}

void FlowTable::Shard::erase(const FlowId& id) {
  const uint32_t at = *flows.find(id);
  keys[at].more = {};
  free.push_back(at);
  flows.erase(id);
}

std::vector<FlowId> FlowTable::Shard::ids() const {
  std::vector<FlowId> out;
  out.reserve(flows.size());
  flows.for_each([&](const FlowId& id, uint32_t) { out.push_back(id); });
  return out;
}

FlowTable::FlowTable(KernelMaps& maps, ErrorCounts& errors, size_t max_flows)
    : maps_(maps),
      errors_(errors),
      max_entries_(entries_for(max_flows)),
      references_(std::make_unique<std::atomic<uint32_t>[]>(kVdMaxPorts)),
      port_entries_(std::make_unique<std::atomic<uint32_t>[]>(kVdMaxPorts)) {}

InstallResult FlowTable::install(const FlowInstall& install) {
  TakenOutputs taken(maps_.tunnel_outputs());
  std::optional<vd_flow> record = compile(install, taken);
  if (!record) return InstallResult::unsupported;
  record->created_ns = monotonic_ns();
  vd_class of = class_of(install.flow.mask, entry_of(install.packet_key));
  vd_key key = to_kernel(install.packet_key, of);
  // The same packets may belong to another flow by now (a change of the topology): the newer one has them.
  constexpr int kAttempts = 3;
  for (int i = 0; i < kAttempts; ++i) {
    bool taken = false;
    InstallResult result = install_once(install.flow, of, key, *record, taken);
    if (!taken) return result;
    release_key(of, key);
  }
  return InstallResult::overlaps;
}

InstallResult FlowTable::install_once(const Flow& flow, vd_class of, const vd_key& key, vd_flow& record, bool& taken) {
  Shard& shard = this->shard(flow.id);
  std::lock_guard lock(shard.mutex);
  if (Keys* keys = shard.find(flow.id)) return extend(*keys, of, key, record, taken);
  switch (add_entry(of, key, record)) {
    case Added::yes:
      shard.add(flow.id, key, record.mask);
      flows_.fetch_add(1, std::memory_order_relaxed);
      return InstallResult::installed;
    case Added::taken:
      taken = true;
      return InstallResult::overlaps;
    case Added::full:
      return InstallResult::table_full;
    case Added::failed:
      break;
  }
  return InstallResult::error;
}

// The flow is there: its entries do what the new one does, and there is one for this packet.
InstallResult FlowTable::extend(Keys& keys, vd_class of, const vd_key& key, vd_flow& record, bool& taken) {
  bool changed = false;
  if (!replace_all(keys, of, record, changed)) return InstallResult::error;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (std::memcmp(&keys[i], &key, sizeof key) == 0) return InstallResult::replaced;
  }
  const bool crowded = keys.size() >= kMaxEntries;
  const size_t place = keys.next_place % keys.size();
  vd_flow gone;
  if (crowded && take_entry(of, keys[place], gone)) add_history(record, gone);
  Added added = add_entry(of, key, record);
  if (added == Added::yes && crowded) {
    keys[place] = key;
    keys.next_place = static_cast<uint32_t>(place + 1);
  } else if (added == Added::yes) {
    keys.more.push_back(key);
  } else if (crowded) {
    keys.drop(place);
  }
  switch (added) {
    case Added::yes:
      return changed ? InstallResult::replaced : InstallResult::installed;
    case Added::taken:
      taken = true;
      return InstallResult::overlaps;
    case Added::full:
      return InstallResult::table_full;
    case Added::failed:
      break;
  }
  return InstallResult::error;
}

// Entries keep their statistics, but for the packets of the moment between reading and writing one.
bool FlowTable::replace_all(Keys& keys, vd_class of, const vd_flow& record, bool& changed) {
  for (size_t i = 0; i < keys.size(); ++i) {
    vd_flow old;
    if (bpf_map_lookup_elem(maps_.flows(of), map_key(of, keys[i]), &old) != 0) continue;
    if (same_actions(old, record)) return true;
    vd_flow now = record;
    now.packets = old.packets;
    now.bytes = old.bytes;
    now.tcp_flags = old.tcp_flags;
    now.last_used_ns = old.last_used_ns;
    now.created_ns = old.created_ns;
    if (bpf_map_update_elem(maps_.flows(of), map_key(of, keys[i]), &now, BPF_EXIST) != 0) {
      errors_.count_errno("install", errno);
      return false;
    }
    refer(keys[i], now, 1);
    refer(keys[i], old, -1);
    changed = true;
  }
  return true;
}

// The more is free, the more a port may have.
bool FlowTable::take_room(uint32_t port) {
  size_t used = entries_.fetch_add(1, std::memory_order_relaxed);
  size_t own = port_entries_[port].fetch_add(1, std::memory_order_relaxed);
  if (used + own < max_entries_) return true;
  leave_room(port);
  return false;
}

void FlowTable::leave_room(uint32_t port) {
  entries_.fetch_sub(1, std::memory_order_relaxed);
  port_entries_[port].fetch_sub(1, std::memory_order_relaxed);
}

FlowTable::Added FlowTable::add_entry(vd_class of, const vd_key& key, const vd_flow& record) {
  if (key.in_port >= kVdMaxPorts) return Added::failed;
  if (!take_room(key.in_port)) return Added::full;
  enter_class(of);
  if (bpf_map_update_elem(maps_.flows(of), map_key(of, key), &record, BPF_NOEXIST) == 0) {
    refer(key, record, 1);
    return Added::yes;
  }
  int error = errno;
  leave_class(of);
  leave_room(key.in_port);
  if (error == EEXIST) return Added::taken;
  errors_.count_errno("install", error);
  return error == E2BIG ? Added::full : Added::failed;
}

// Removes one entry and gives what it last was.
bool FlowTable::take_entry(vd_class of, const vd_key& key, vd_flow& record) {
  if (bpf_map_lookup_and_delete_elem(maps_.flows(of), map_key(of, key), &record) != 0) {
    if (errno != ENOENT) errors_.count_errno("remove", errno);
    return false;
  }
  refer(key, record, -1);
  leave_class(of);
  leave_room(key.in_port);
  return true;
}

// Takes an entry from the flow that owns it.
void FlowTable::release_key(vd_class of, const vd_key& key) {
  vd_flow record;
  if (bpf_map_lookup_elem(maps_.flows(of), map_key(of, key), &record) != 0) return;
  FlowId owner{record.id_high, record.id_low};
  Shard& shard = this->shard(owner);
  std::lock_guard lock(shard.mutex);
  if (!take_entry(of, key, record)) return;
  Keys* found = shard.find(owner);
  if (found == nullptr) return;
  Keys& keys = *found;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (std::memcmp(&keys[i], &key, sizeof key) != 0) continue;
    if (keys.size() == 1) {
      shard.erase(owner);
      flows_.fetch_sub(1, std::memory_order_relaxed);
    } else {
      keys.drop(i);
    }
    return;
  }
}

bool FlowTable::remove_flow(Shard& shard, const FlowId& id, FlowStats& last) {
  std::lock_guard lock(shard.mutex);
  Keys* found = shard.find(id);
  if (found == nullptr) return false;
  Keys& keys = *found;
  vd_class of = class_of(FieldSet::from_bits(keys.mask), entry_of(keys.first));
  bool first = true;
  for (size_t i = 0; i < keys.size(); ++i) {
    vd_flow record;
    if (!take_entry(of, keys[i], record)) continue;
    add_stats(last, record, monotonic_ns(), first);
    first = false;
  }
  shard.erase(id);
  flows_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

size_t FlowTable::remove(std::span<const FlowId> ids, const Datapath::StatsVisitor& last) {
  size_t removed = 0;
  for (const FlowId& id : ids) {
    FlowStats stats;
    if (!remove_flow(shard(id), id, stats)) continue;
    ++removed;
    if (last) last(id, stats);
  }
  return removed;
}

void FlowTable::remove_port(PortNumber in_port) {
  for (Shard& shard : shards_) {
    std::vector<FlowId> ids;
    {
      std::lock_guard lock(shard.mutex);
      ids = shard.ids();
      std::erase_if(ids, [&](const FlowId& id) { return shard.find(id)->first.in_port != in_port.value; });
    }
    remove(ids, {});
  }
}

void FlowTable::flush() {
  for (Shard& shard : shards_) {
    std::vector<FlowId> ids;
    {
      std::lock_guard lock(shard.mutex);
      ids = shard.ids();
    }
    remove(ids, {});
  }
}

// The program asks a class only while its bit is set: set before the first entry, cleared after the last.
void FlowTable::enter_class(vd_class of) {
  if (class_entries_[of].fetch_add(1) != 0) return;
  std::lock_guard lock(classes_mutex_);
  if (class_entries_[of] != 0) std::atomic_ref(maps_.config().classes).fetch_or(1U << of);
}

void FlowTable::leave_class(vd_class of) {
  if (class_entries_[of].fetch_sub(1) != 1) return;
  std::lock_guard lock(classes_mutex_);
  if (class_entries_[of] == 0) std::atomic_ref(maps_.config().classes).fetch_and(~(1U << of));
}

void FlowTable::refer(const vd_key& key, const vd_flow& record, int by) {
  auto add = [&](uint32_t port) {
    if (port < kVdMaxPorts) references_[port].fetch_add(static_cast<uint32_t>(by), std::memory_order_relaxed);
  };
  add(key.in_port);
  for (size_t i = 0; i < std::min<size_t>(record.outputs, kVdMaxOutputs); ++i) {
    const uint16_t output = record.output[i];
    if ((output & kVdTunnelOutput) == 0) {
      add(output);
      continue;
    }
    const auto index = static_cast<uint16_t>(output & (kVdTunnelOutput - 1));
    if (std::optional<TunnelOutput> tunnel = maps_.tunnel_outputs().at(index)) add(tunnel->port.value);
    maps_.tunnel_outputs().refer(index, by);
  }
}

}  // namespace viaduct::flows::ebpf
