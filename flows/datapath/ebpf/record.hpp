// Flows as the kernel program knows them: FlowKey <-> vd_key, mask -> class, actions <-> vd_flow. Pure functions, and the clock of its times.
#pragma once

#include <chrono>
#include <optional>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/layout.h"
#include "flows/datapath/ebpf/tunnel_outputs.hpp"
#include "flows/match/flow.hpp"

namespace viaduct::flows::ebpf {

inline constexpr size_t kMaxDecrementTtl = 16;

// The time of vd_flow: steady_clock is CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns().
inline uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

// The smallest class that holds all fields of `mask`, of packets that came by a tunnel or of others.
enum class Entry : uint8_t { plain, tunnel };
vd_class class_of(FieldSet mask, Entry entry);
inline Entry entry_of(const FlowKey& packet) { return packet.tunnel.present() ? Entry::tunnel : Entry::plain; }
inline Entry entry_of(const vd_key& packet) { return packet.tunnel.key != 0 ? Entry::tunnel : Entry::plain; }
// What the class's map is keyed by: a part of vd_key.
size_t key_bytes(vd_class of);
size_t key_offset(vd_class of);
inline const void* map_key(vd_class of, const vd_key& key) {
  return reinterpret_cast<const uint8_t*>(&key) + key_offset(of);
}
// `key` with what lies outside of the class's part zeroed.
vd_key to_kernel(const FlowKey& key, vd_class of);
// The fields of `mask`, which the entry's class contains; the others are zero.
FlowKey from_kernel(const vd_key& key, FieldSet mask);

// Everything but the counters. Nothing when the actions are beyond what the program can do: rewrites between outputs,
// addresses or ports set twice, or on packets without them, ports of SCTP, too many outputs, TTL on what is not IP, or
// more than vd_flow::recipe holds. `outputs` keeps what it refers to until
// the record's own references are counted.
std::optional<vd_flow> compile(const FlowInstall& install, TakenOutputs& outputs);
// Nothing when it was made by somebody else. `eth_type` is of the flow's packets.
std::optional<ActionList> decompile(const vd_flow& record, uint16_t eth_type, const TunnelOutputs& outputs);
// The whole flow; nothing when the record is not one of ours (also when its id is not that of its key and mask).
std::optional<Flow> to_flow(const vd_key& key, const vd_flow& record, const TunnelOutputs& outputs);
// Equal for records that do the same to packets.
bool same_actions(const vd_flow& a, const vd_flow& b);

}  // namespace viaduct::flows::ebpf
