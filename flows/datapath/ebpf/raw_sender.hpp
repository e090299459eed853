// Sends frames out of ports from user space: one AF_PACKET socket that receives nothing, with virtio_net headers, so that
// super-packets and partial checksums pass as they are. What goes to another host is written to one of the worker's own
// tunnel_outputs and marked with its index, for the program on the tunnel device. Belongs to one thread.
#pragma once

#include <memory>
#include <system_error>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/error_counts.hpp"
#include "flows/datapath/ebpf/kernel_maps.hpp"
#include "flows/match/apply.hpp"

namespace viaduct::flows::ebpf {

class RawSender {
 public:
  // Both outlive this object.
  RawSender(KernelMaps& maps, ErrorCounts& errors, unsigned worker);
  RawSender(const RawSender&) = delete;
  RawSender& operator=(const RawSender&) = delete;
  ~RawSender();

  // Without it every send() fails and is counted.
  std::error_code open();
  // Runs each packet through its actions. Returns how many frames could not be sent, or not be made.
  size_t send(std::span<PacketOut> packets);

 private:
  struct Batch;

  void send_one(PacketOut& packet);
  void queue(const OutputTarget& to, std::span<uint8_t> frame, const Offload& offload);
  uint32_t index_of(const OutputTarget& to) const;
  void mark(size_t i, const TunnelOutput& output);
  void flush();

  KernelMaps& maps_;
  ErrorCounts& errors_;
  const uint32_t first_output_;
  UniqueFd socket_;
  std::unique_ptr<Batch> batch_;
  size_t refused_ = 0;  // of the running send()
};

}  // namespace viaduct::flows::ebpf
