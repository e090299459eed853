#include "flows/datapath/ebpf/raw_sender.hpp"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "flows/match/apply.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ebpf {

namespace {

constexpr size_t kBatch = kVdWorkerTunnelOutputs;
constexpr int kSendBufferBytes = 8 << 20;

// struct virtio_net_hdr (virtio 1.2, 5.1.6), whose header has a member that is a C++ keyword. Host byte order.
struct VirtioHeader {
  uint8_t flags = 0;
  uint8_t gso_type = 0;
  uint16_t header_length = 0;
  uint16_t gso_size = 0;
  uint16_t checksum_start = 0;
  uint16_t checksum_offset = 0;
};
static_assert(sizeof(VirtioHeader) == 10);
constexpr uint8_t kNeedsChecksum = 1;

uint8_t gso_type(Offload::Gso gso) {
  switch (gso) {
    case Offload::Gso::tcp_v4:
      return 1;
    case Offload::Gso::tcp_v6:
      return 4;
    case Offload::Gso::udp:
      return 5;  // UDP_L4: segments, not fragments
    case Offload::Gso::none:
      break;
  }
  return 0;
}

VirtioHeader header_of(std::span<uint8_t> frame, const Offload& offload) {
  VirtioHeader header;
  if (offload == Offload{}) return header;
  Packet packet = parse(frame, {}, offload);
  if (packet.l4_offset == 0) return header;
  bool tcp = packet.key.ip_proto == ip_proto::kTcp;
  if (offload.partial_checksum) {
    header.flags = kNeedsChecksum;
    header.checksum_start = packet.l4_offset;
    header.checksum_offset = tcp ? wire::tcp::kChecksum : wire::udp::kChecksum;
  }
  if (offload.gso != Offload::Gso::none) {
    header.gso_type = gso_type(offload.gso);
    header.gso_size = offload.gso_size;
    size_t l4_bytes = tcp ? size_t{4} * (frame[packet.l4_offset + wire::tcp::kDataOffset] >> 4) : wire::udp::kBytes;
    header.header_length = static_cast<uint16_t>(packet.l4_offset + l4_bytes);
  }
  return header;
}

// Nothing is rewritten behind the first output, so frames may wait for each other without being copied.
bool outputs_come_last(std::span<const Action> actions) {
  bool output_seen = false;
  for (const Action& action : actions) {
    if (std::holds_alternative<Output>(action) || std::holds_alternative<TunnelOutput>(action))
      output_seen = true;
    else if (output_seen && !std::holds_alternative<CheckMtu>(action))
      return false;
  }
  return true;
}

}  // namespace

struct RawSender::Batch {
  std::array<mmsghdr, kBatch> messages;
  std::array<std::array<iovec, 2>, kBatch> parts;
  std::array<VirtioHeader, kBatch> headers;
  std::array<sockaddr_ll, kBatch> addresses;
  std::array<PortNumber, kBatch> ports;
  struct alignas(cmsghdr) Control {
    std::array<uint8_t, CMSG_SPACE(sizeof(uint32_t))> bytes;
  };
  std::array<Control, kBatch> controls;
  size_t size = 0;
};

RawSender::RawSender(KernelMaps& maps, ErrorCounts& errors, unsigned worker)
    : maps_(maps),
      errors_(errors),
      first_output_(KernelMaps::worker_outputs(worker)),
      batch_(std::make_unique<Batch>()) {}

RawSender::~RawSender() = default;

std::error_code RawSender::open() {
  // Protocol 0: a socket that no packet is delivered to.
  socket_ = UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket_) return {errno, std::generic_category()};
  int one = 1;
  if (setsockopt(socket_.get(), SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) != 0)
    return {errno, std::generic_category()};
  // Best effort: with the ordinary buffer a burst of super-packets is refused earlier.
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBufferBytes, sizeof kSendBufferBytes);
  return {};
}

size_t RawSender::send(std::span<PacketOut> packets) {
  refused_ = 0;
  for (PacketOut& packet : packets) send_one(packet);
  flush();
  return refused_;
}

void RawSender::send_one(PacketOut& packet) {
  bool wait = outputs_come_last(packet.actions);
  auto sink = [&](const OutputTarget& to, std::span<uint8_t> frame, const Offload& offload) {
    queue(to, frame, offload);
    if (!wait) flush();
  };
  if (apply(packet.actions, packet.frame, packet.offload, sink) != ApplyResult::done) {
    errors_.count("send.not_applicable");
    ++refused_;
  }
}

// Of the target's interface; 0 when there is none, or when a tunnel port is meant and it is not one, or the reverse.
uint32_t RawSender::index_of(const OutputTarget& to) const {
  if (to.port.value >= kVdMaxPorts) return 0;
  vd_port& port = maps_.port(to.port);
  const uint32_t flags = std::atomic_ref(port.flags).load();
  const bool is_tunnel = (flags & (kVdPortVxlan | kVdPortGre)) != 0;
  return (flags & kVdPortPresent) != 0 && is_tunnel == (to.tunnel != nullptr) ? port.ifindex : 0;
}

void RawSender::mark(size_t i, const TunnelOutput& output) {
  const uint32_t index = first_output_ + static_cast<uint32_t>(i);
  maps_.tunnel_output(index) = to_kernel(output);
  msghdr& message = batch_->messages[i].msg_hdr;
  message.msg_control = batch_->controls[i].bytes.data();
  message.msg_controllen = batch_->controls[i].bytes.size();
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SO_MARK;
  control->cmsg_len = CMSG_LEN(sizeof(uint32_t));
  const uint32_t mark = kVdTunnelMark | index;
  std::memcpy(CMSG_DATA(control), &mark, sizeof mark);
}

void RawSender::queue(const OutputTarget& to, std::span<uint8_t> frame, const Offload& offload) {
  const uint32_t ifindex = index_of(to);
  if (ifindex == 0) {
    errors_.count("send.no_port");
    ++refused_;
    return;
  }
  Batch& batch = *batch_;
  size_t i = batch.size++;
  batch.headers[i] = header_of(frame, offload);
  batch.parts[i] = {iovec{&batch.headers[i], sizeof(VirtioHeader)}, iovec{frame.data(), frame.size()}};
  batch.addresses[i] = sockaddr_ll{};
  batch.addresses[i].sll_family = AF_PACKET;
  batch.addresses[i].sll_ifindex = static_cast<int>(ifindex);
  batch.ports[i] = to.port;
  msghdr& message = batch.messages[i].msg_hdr;
  message = msghdr{};
  message.msg_name = &batch.addresses[i];
  message.msg_namelen = sizeof(sockaddr_ll);
  message.msg_iov = batch.parts[i].data();
  message.msg_iovlen = batch.parts[i].size();
  if (to.tunnel != nullptr) mark(i, *to.tunnel);
  if (batch.size == kBatch) flush();
}

void RawSender::flush() {
  Batch& batch = *batch_;
  for (size_t done = 0; done < batch.size;) {
    int sent = sendmmsg(socket_.get(), &batch.messages[done], static_cast<unsigned>(batch.size - done), MSG_DONTWAIT);
    for (int i = 0; i < sent; ++i, ++done) {
      vd_port& port = maps_.port(batch.ports[done]);
      std::atomic_ref(port.sent_packets).fetch_add(1, std::memory_order_relaxed);
      std::atomic_ref(port.sent_bytes).fetch_add(batch.parts[done][1].iov_len, std::memory_order_relaxed);
    }
    if (sent > 0) continue;
    if (errno == EINTR) continue;
    errors_.count_errno("send", errno);
    ++refused_;
    ++done;
  }
  batch.size = 0;
}

}  // namespace viaduct::flows::ebpf
