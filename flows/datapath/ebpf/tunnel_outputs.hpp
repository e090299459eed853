// What flows output to other hosts, each distinct one once: a flow's record names it by an index of the map
// `tunnel_outputs`, so that a record stays small however many hosts it floods to.
//
// An index is free when no record refers to it, and rests as long as possible before it is used again. Nothing is saved:
// the records' references are counted anew at start. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "flows/datapath/ebpf/layout.h"
#include "flows/match/action.hpp"

namespace viaduct::flows::ebpf {

vd_tunnel to_kernel(const Tunnel& tunnel);
Tunnel from_kernel(const vd_tunnel& tunnel);
vd_tunnel_output to_kernel(const TunnelOutput& output);

class TunnelOutputs {
 public:
  // kVdMaxTunnelOutputs of them, shared with the kernel; outlives this object.
  explicit TunnelOutputs(vd_tunnel_output* shared) : shared_(shared), references_(kVdMaxTunnelOutputs) {}

  // The index of this output, with a reference more. Nothing when all are in use, or when it is not one: no key, or
  // addresses of two families.
  std::optional<uint16_t> take(const TunnelOutput& output);
  // `by` references more or less.
  void refer(uint16_t index, int by);
  // Nothing when none is there.
  std::optional<TunnelOutput> at(uint16_t index) const;

 private:
  std::optional<uint16_t> free_index();

  vd_tunnel_output* shared_;
  mutable std::mutex mutex_;
  std::vector<uint32_t> references_;          // by index
  std::map<TunnelOutput, uint16_t> indices_;  // of those with references
  uint16_t next_ = kVdFirstFlowTunnelOutput;  // where the search for a free one begins
};

// The references of a record that is being made.
class TakenOutputs {
 public:
  explicit TakenOutputs(TunnelOutputs& of) : of_(of) {}
  TakenOutputs(const TakenOutputs&) = delete;
  TakenOutputs& operator=(const TakenOutputs&) = delete;
  ~TakenOutputs() {
    for (uint16_t index : taken_) of_.refer(index, -1);
  }
  std::optional<uint16_t> take(const TunnelOutput& output) {
    std::optional<uint16_t> index = of_.take(output);
    if (index) taken_.push_back(*index);
    return index;
  }

 private:
  TunnelOutputs& of_;
  std::vector<uint16_t> taken_;
};

}  // namespace viaduct::flows::ebpf
