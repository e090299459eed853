#include "flows/datapath/ebpf/tunnel_outputs.hpp"

#include <algorithm>

namespace viaduct::flows::ebpf {

vd_tunnel to_kernel(const Tunnel& tunnel) {
  vd_tunnel out{};
  out.key = tunnel.key;
  out.is_ipv6 = tunnel.src.family() == IpFamily::v6 ? 1 : 0;
  std::copy(tunnel.src.bytes().begin(), tunnel.src.bytes().end(), out.src);
  std::copy(tunnel.dst.bytes().begin(), tunnel.dst.bytes().end(), out.dst);
  return out;
}

Tunnel from_kernel(const vd_tunnel& tunnel) {
  if (tunnel.key == 0) return {};
  IpFamily family = tunnel.is_ipv6 != 0 ? IpFamily::v6 : IpFamily::v4;
  return {tunnel.key, IpAddress::from_network(family, tunnel.src), IpAddress::from_network(family, tunnel.dst)};
}

vd_tunnel_output to_kernel(const TunnelOutput& output) {
  vd_tunnel_output out{to_kernel(output.tunnel), output.port.value, 0};
  out.tunnel.tos = output.tos;
  return out;
}

std::optional<uint16_t> TunnelOutputs::take(const TunnelOutput& output) {
  if (!output.tunnel.present() || output.tunnel.key > Tunnel::kMaxKey || output.port.value == 0 ||
      output.port.value >= kVdMaxPorts || output.tunnel.src.family() != output.tunnel.dst.family()) {
    return std::nullopt;
  }
  std::lock_guard lock(mutex_);
  auto known = indices_.find(output);
  if (known != indices_.end()) {
    ++references_[known->second];
    return known->second;
  }
  std::optional<uint16_t> index = free_index();
  if (!index) return std::nullopt;
  shared_[*index] = to_kernel(output);
  references_[*index] = 1;
  indices_.emplace(output, *index);
  return index;
}

std::optional<uint16_t> TunnelOutputs::free_index() {
  constexpr size_t kIndices = kVdMaxTunnelOutputs - kVdFirstFlowTunnelOutput;
  if (indices_.size() >= kIndices) return std::nullopt;
  for (size_t tried = 0; tried < kIndices; ++tried) {
    uint16_t index = next_;
    if (++next_ == kVdMaxTunnelOutputs) next_ = kVdFirstFlowTunnelOutput;
    if (references_[index] == 0) return index;
  }
  return std::nullopt;
}

void TunnelOutputs::refer(uint16_t index, int by) {
  if (index >= kVdMaxTunnelOutputs) return;
  std::lock_guard lock(mutex_);
  uint32_t before = references_[index];
  references_[index] = before + static_cast<uint32_t>(by);
  TunnelOutput output{PortNumber{shared_[index].port}, from_kernel(shared_[index].tunnel), shared_[index].tunnel.tos};
  if (before == 0) indices_.emplace(output, index);  // found in an earlier life's record
  if (references_[index] == 0) indices_.erase(output);
}

std::optional<TunnelOutput> TunnelOutputs::at(uint16_t index) const {
  if (index >= kVdMaxTunnelOutputs) return std::nullopt;
  std::lock_guard lock(mutex_);
  const vd_tunnel_output& shared = shared_[index];
  if (shared.tunnel.key == 0) return std::nullopt;
  return TunnelOutput{PortNumber{shared.port}, from_kernel(shared.tunnel), shared.tunnel.tos};
}

}  // namespace viaduct::flows::ebpf
