#include "flows/datapath/ebpf/channel.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ebpf {

namespace {

UpcallReason reason_of(uint8_t reason) {
  switch (reason) {
    case kVdTtlExpired:
      return UpcallReason::ttl_expired;
    case kVdTooBig:
      return UpcallReason::too_big;
    default:
      return UpcallReason::miss;
  }
}

// The kernel keeps the outer tag beside the packet. Returns the frame's length.
size_t copy_frame(const vd_upcall& upcall, uint8_t* to) {
  const auto* from = reinterpret_cast<const uint8_t*>(&upcall + 1);
  if (upcall.vlan_proto == 0 || upcall.frame_bytes < wire::eth::kType) {
    std::memcpy(to, from, upcall.frame_bytes);
    return upcall.frame_bytes;
  }
  std::memcpy(to, from, wire::eth::kType);
  wire::store16(to + wire::eth::kType, upcall.vlan_proto);
  wire::store16(to + wire::eth::kType + 2, upcall.vlan_tci);
  std::memcpy(to + wire::eth::kType + wire::eth::kVlanBytes, from + wire::eth::kType,
              upcall.frame_bytes - wire::eth::kType);
  return upcall.frame_bytes + wire::eth::kVlanBytes;
}

// A program cannot see CHECKSUM_PARTIAL: a super-packet has it, for others the checksum itself tells. SCTP's is finished
// here, because no packet socket would.
Offload offload_of(const vd_upcall& upcall, std::span<uint8_t> frame) {
  Offload offload{.gso_size = upcall.gso_size};
  Packet packet = parse(frame, {}, offload);
  if (upcall.gso_size == 0) {
    complete_sctp_checksum(packet);
    offload.partial_checksum = looks_partial(packet);
    return offload;
  }
  offload.partial_checksum = true;
  bool v4 = packet.key.eth_type == ethertype::kIpv4;
  if (packet.key.ip_proto == ip_proto::kTcp)
    offload.gso = v4 ? Offload::Gso::tcp_v4 : Offload::Gso::tcp_v6;
  else
    offload.gso = Offload::Gso::udp;
  return offload;
}

}  // namespace

Channel::Channel(KernelMaps& maps, FlowTable& flows, ErrorCounts& errors, unsigned worker)
    : maps_(maps),
      flows_(flows),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      ring_(maps.ring(worker), [this](const vd_upcall& upcall) { return take(upcall); }),
      sender_(maps, errors, worker),
      arena_(std::make_unique_for_overwrite<uint8_t[]>(kArenaBytes)) {
  if (std::error_code error = sender_.open()) errors.count_errno("open_channel", error.value());
}

size_t Channel::poll(std::span<Upcall> out, std::chrono::milliseconds timeout) {
  if (out.empty()) return 0;
  size_t count = consume(out);
  if (count > 0 || !wait(timeout)) return count;
  return consume(out);
}

size_t Channel::consume(std::span<Upcall> out) {
  out_ = out;
  taken_ = 0;
  arena_used_ = 0;
  ring_.consume();
  return taken_;
}

RingStep Channel::take(const vd_upcall& upcall) {
  uint8_t* to = arena_.get() + arena_used_;
  size_t bytes = copy_frame(upcall, to);
  arena_used_ += bytes;
  PortNumber port{upcall.in_port};
  return_credit(maps_.port(PortNumber{upcall.in_port % kVdMaxPorts}), upcall);
  std::span<uint8_t> frame(to, bytes);
  out_[taken_++] = {port,
                    reason_of(upcall.reason),
                    frame,
                    offload_of(upcall, frame),
                    std::chrono::steady_clock::time_point(std::chrono::nanoseconds(upcall.time_ns)),
                    from_kernel(upcall.tunnel)};
  bool room = taken_ < out_.size() && arena_used_ + kMaxUpcallBytes + wire::eth::kVlanBytes <= kArenaBytes;
  return room ? RingStep::go_on : RingStep::enough;
}

// True when there may be something in the ring.
bool Channel::wait(std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> waits{pollfd{ring_.fd(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  if (::poll(waits.data(), waits.size(), static_cast<int>(timeout.count())) <= 0) return false;
  if (waits[1].revents != 0) {
    uint64_t times;
    [[maybe_unused]] ssize_t got = read(wake_.get(), &times, sizeof times);
  }
  return waits[0].revents != 0;
}

void Channel::wake() {
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(wake_.get(), &one, sizeof one);
}

void Channel::install(std::span<const FlowInstall> flows, std::span<InstallResult> results) {
  for (size_t i = 0; i < flows.size(); ++i) results[i] = flows_.install(flows[i]);
}

}  // namespace viaduct::flows::ebpf
