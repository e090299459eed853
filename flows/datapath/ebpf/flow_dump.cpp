// FlowTable's reading of whole maps: adoption and dumps.
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "flows/datapath/ebpf/flow_table.hpp"
#include "flows/datapath/ebpf/record.hpp"

namespace viaduct::flows::ebpf {

namespace {

FlowId id_of(const vd_flow& record) { return {record.id_high, record.id_low}; }

// Adds the statistics of [first, last), the entries of one flow.
template <class Iterator>
FlowStats sum(Iterator first, Iterator last, uint64_t now) {
  FlowStats out;
  uint64_t used = 0;
  for (; first != last; ++first) {
    out.packets += first->record.packets;
    out.bytes += first->record.bytes;
    out.tcp_flags |= static_cast<uint8_t>(first->record.tcp_flags);
    used = std::max({used, first->record.last_used_ns, first->record.created_ns});
  }
  out.idle = std::chrono::nanoseconds(used < now ? now - used : 0);
  return out;
}

}  // namespace

// In batches: about 0.4 us an entry. The kernel answers ENOSPC when a bucket of its hash table does not fit a batch.
// Calls visit(key, record); the key has key_bytes(of).
template <class Visitor>
void FlowTable::visit_class(vd_class of, Visitor visit) {
  if (class_entries_[of] == 0 && (std::atomic_ref(maps_.config().classes).load() >> of & 1) == 0) return;
  const size_t bytes = key_bytes(of);
  uint32_t batch = 4096;
  std::vector<uint8_t> keys(batch * bytes);
  std::vector<vd_flow> records(batch);
  uint32_t position = 0;
  uint32_t next_position = 0;
  bool started = false;
  while (true) {
    uint32_t count = batch;
    int error = bpf_map_lookup_batch(maps_.flows(of), started ? &position : nullptr, &next_position, keys.data(),
                                     records.data(), &count, nullptr);
    int reason = error == 0 ? 0 : errno;
    if (reason == ENOSPC && batch < 1U << 20) {
      batch *= 2;
      keys.resize(batch * bytes);
      records.resize(batch);
      continue;
    }
    if (reason != 0 && reason != ENOENT) return errors_.count_errno("dump", reason);
    for (uint32_t i = 0; i < count; ++i) visit(keys.data() + i * bytes, records[i]);
    if (reason == ENOENT) return;
    position = next_position;
    started = true;
  }
}

std::vector<FlowTable::Entry> FlowTable::read_class(vd_class of) {
  std::vector<Entry> out;
  out.reserve(class_entries_[of]);
  visit_class(of, [&](const uint8_t* key, const vd_flow& record) {
    Entry& entry = out.emplace_back();
    std::memset(&entry.key, 0, sizeof entry.key);
    std::memcpy(reinterpret_cast<uint8_t*>(&entry.key) + key_offset(of), key, key_bytes(of));
    entry.record = record;
  });
  return out;
}

void FlowTable::adopt() {
  for (size_t c = 0; c < kVdClasses; ++c) {
    auto of = static_cast<vd_class>(c);
    // A daemon may have died between an entry and its class's bit.
    std::atomic_ref(maps_.config().classes).fetch_or(1U << of);
    for (const Entry& entry : read_class(of)) {
      std::optional<Flow> flow = to_flow(entry.key, entry.record, maps_.tunnel_outputs());
      if (!flow || class_of(flow->mask, entry_of(entry.key)) != of) {
        bpf_map_delete_elem(maps_.flows(of), map_key(of, entry.key));
        errors_.count("flow.foreign");
        continue;
      }
      Shard& shard = this->shard(flow->id);
      std::lock_guard lock(shard.mutex);
      if (Keys* keys = shard.find(flow->id)) {
        keys->more.push_back(entry.key);
      } else {
        shard.add(flow->id, entry.key, entry.record.mask);
        ++flows_;
      }
      ++entries_;
      if (entry.key.in_port < kVdMaxPorts) ++port_entries_[entry.key.in_port];
      ++class_entries_[of];
      refer(entry.key, entry.record, 1);
    }
    if (class_entries_[of] == 0) std::atomic_ref(maps_.config().classes).fetch_and(~(1U << of));
  }
}

// Calls visit(first, last) for the entries of each flow.
template <class Visitor>
void FlowTable::for_each_flow(vd_class of, Visitor visit) {
  std::vector<Entry> entries = read_class(of);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return id_of(a.record) < id_of(b.record); });
  for (auto first = entries.begin(); first != entries.end();) {
    auto last =
        std::find_if(first, entries.end(), [&](const Entry& one) { return id_of(one.record) != id_of(first->record); });
    visit(first, last);
    first = last;
  }
}

// Each second, for every flow there is: of an entry only the counts are kept, to be sorted by flow.
void FlowTable::dump_stats(const Datapath::StatsVisitor& visit) {
  struct Counts {
    FlowId id;
    uint64_t packets, bytes, used;
    uint8_t tcp_flags;
  };
  for (size_t c = 0; c < kVdClasses; ++c) {
    auto of = static_cast<vd_class>(c);
    const uint64_t now = monotonic_ns();
    std::vector<Counts> entries;
    entries.reserve(class_entries_[of]);
    visit_class(of, [&](const uint8_t*, const vd_flow& record) {
      entries.push_back({id_of(record), record.packets, record.bytes, std::max(record.last_used_ns, record.created_ns),
                         static_cast<uint8_t>(record.tcp_flags)});
    });
    std::sort(entries.begin(), entries.end(), [](const Counts& a, const Counts& b) { return a.id < b.id; });
    for (auto at = entries.begin(); at != entries.end();) {
      Counts flow = *at;
      for (++at; at != entries.end() && at->id == flow.id; ++at) {
        flow.packets += at->packets;
        flow.bytes += at->bytes;
        flow.used = std::max(flow.used, at->used);
        flow.tcp_flags |= at->tcp_flags;
      }
      auto idle = std::chrono::nanoseconds(flow.used < now ? now - flow.used : 0);
      visit(flow.id, {flow.packets, flow.bytes, idle, flow.tcp_flags});
    }
  }
}

void FlowTable::dump_flows(const Datapath::FlowVisitor& visit) {
  for (size_t c = 0; c < kVdClasses; ++c) {
    auto of = static_cast<vd_class>(c);
    uint64_t now = monotonic_ns();
    for_each_flow(of, [&](auto first, auto last) {
      if (std::optional<Flow> flow = to_flow(first->key, first->record, maps_.tunnel_outputs()))
        return visit(*flow, sum(first, last, now));
      errors_.count("flow.foreign");
      for (; first != last; ++first) release_key(of, first->key);
    });
  }
}

}  // namespace viaduct::flows::ebpf
