// Flows as the kernel program knows them: FlowKey <-> vd_key, mask -> class, actions <-> vd_flow. Pure functions, and the clock of its times.
#pragma once

#include <chrono>
#include <optional>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/layout.h"
#include "flows/match/flow.hpp"

namespace viaduct::flows::ebpf {

inline constexpr size_t kMaxDecrementTtl = 16;

// The time of vd_flow: steady_clock is CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns().
inline uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

// The smallest class that holds all fields of `mask`.
vd_class class_of(FieldSet mask);
size_t key_bytes(vd_class of);
// `key` with what lies behind the class's prefix zeroed.
vd_key to_kernel(const FlowKey& key, vd_class of);
// The fields of `mask`, which the entry's class contains; the others are zero.
FlowKey from_kernel(const vd_key& key, FieldSet mask);

// Everything but the counters. Nothing when the actions are beyond what the program can do: rewrites between outputs,
// too many outputs, TTL on what is not IP, or more than vd_flow::recipe holds.
std::optional<vd_flow> compile(const FlowInstall& install);
// Nothing when it was made by somebody else.
std::optional<ActionList> decompile(const vd_flow& record);
// The whole flow; nothing when the record is not one of ours (also when its id is not that of its key and mask).
std::optional<Flow> to_flow(const vd_key& key, const vd_flow& record);
// Equal for records that do the same to packets.
bool same_actions(const vd_flow& a, const vd_flow& b);

}  // namespace viaduct::flows::ebpf
