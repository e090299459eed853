// Sends frames out of ports from user space: one AF_PACKET socket that receives nothing, with virtio_net headers, so that
// super-packets and partial checksums pass as they are. Belongs to one thread.
#pragma once

#include <memory>
#include <system_error>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/error_counts.hpp"
#include "flows/datapath/ebpf/kernel_maps.hpp"

namespace viaduct::flows::ebpf {

class RawSender {
 public:
  // Both outlive this object.
  RawSender(KernelMaps& maps, ErrorCounts& errors);
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
  void queue(PortNumber port, std::span<uint8_t> frame, const Offload& offload);
  void flush();

  KernelMaps& maps_;
  ErrorCounts& errors_;
  UniqueFd socket_;
  std::unique_ptr<Batch> batch_;
  size_t refused_ = 0;  // of the running send()
};

}  // namespace viaduct::flows::ebpf
