// A worker's channel: its ring of upcalls, an eventfd to wake it, installs into the shared table, a raw socket out.
#pragma once

#include <memory>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/error_counts.hpp"
#include "flows/datapath/ebpf/flow_table.hpp"
#include "flows/datapath/ebpf/kernel_maps.hpp"
#include "flows/datapath/ebpf/raw_sender.hpp"
#include "flows/datapath/ebpf/upcall_ring.hpp"

namespace viaduct::flows::ebpf {

class Channel final : public PacketChannel {
 public:
  // All outlive this object.
  Channel(KernelMaps& maps, FlowTable& flows, ErrorCounts& errors, unsigned worker);

  size_t poll(std::span<Upcall> out, std::chrono::milliseconds timeout) override;
  void wake() override;
  void install(std::span<const FlowInstall> flows, std::span<InstallResult> results) override;
  size_t execute(std::span<PacketOut> packets) override { return sender_.send(packets); }

 private:
  // A batch ends when less than the longest frame is free.
  static constexpr size_t kArenaBytes = (256 << 10) + kMaxUpcallBytes + 4;

  size_t consume(std::span<Upcall> out);
  RingStep take(const vd_upcall& upcall);
  bool wait(std::chrono::milliseconds timeout);

  KernelMaps& maps_;
  FlowTable& flows_;
  UniqueFd wake_;
  UpcallRing ring_;
  RawSender sender_;
  std::unique_ptr<uint8_t[]> arena_;  // frames of the last poll()
  size_t arena_used_ = 0;
  std::span<Upcall> out_;  // of the running poll()
  size_t taken_ = 0;
};

}  // namespace viaduct::flows::ebpf
