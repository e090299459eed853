#include "flows/datapath/ovs/raw_sender.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "flows/datapath/last_error.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ovs {

namespace {

// virtio 1.1, 5.1.6. linux/virtio_net.h is no C++.
struct VnetHeader {
  enum Flags : uint8_t { kNeedsChecksum = 1 };
  enum Gso : uint8_t { kNone = 0, kTcp4 = 1, kTcp6 = 4, kUdpL4 = 5 };
  uint8_t flags = 0;
  uint8_t gso_type = kNone;
  uint16_t header_bytes = 0;
  uint16_t gso_size = 0;
  uint16_t checksum_start = 0;
  uint16_t checksum_offset = 0;
};
static_assert(sizeof(VnetHeader) == 10);

uint8_t gso_type(Offload::Gso gso) {
  switch (gso) {
    case Offload::Gso::tcp_v4:
      return VnetHeader::kTcp4;
    case Offload::Gso::tcp_v6:
      return VnetHeader::kTcp6;
    case Offload::Gso::udp:
      return VnetHeader::kUdpL4;
    case Offload::Gso::none:
      break;
  }
  return VnetHeader::kNone;
}

VnetHeader describe(std::span<uint8_t> frame, const Offload& offload) {
  VnetHeader out;
  Packet packet = parse(frame, {}, offload);
  bool tcp = packet.key.ip_proto == ip_proto::kTcp;
  if (packet.l4_offset == 0 || (!tcp && packet.key.ip_proto != ip_proto::kUdp)) return out;
  if (offload.partial_checksum) {
    out.flags = VnetHeader::kNeedsChecksum;
    out.checksum_start = packet.l4_offset;
    out.checksum_offset = static_cast<uint16_t>(tcp ? wire::tcp::kChecksum : wire::udp::kChecksum);
  }
  if (offload.gso == Offload::Gso::none) return out;
  out.gso_type = gso_type(offload.gso);
  out.gso_size = offload.gso_size;
  size_t l4 = tcp ? size_t{4} * (frame[packet.l4_offset + wire::tcp::kDataOffset] >> 4) : wire::udp::kBytes;
  out.header_bytes = static_cast<uint16_t>(packet.l4_offset + l4);
  return out;
}

}  // namespace

std::error_code RawSender::send(int interface_index, std::span<uint8_t> frame, const Offload& offload) {
  if (!socket_) {
    socket_ = Fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));  // protocol 0: receives nothing
    int on = 1;
    if (!socket_ || setsockopt(socket_.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0) {
      std::error_code error = last_error();
      socket_ = {};
      return error;
    }
  }
  VnetHeader header = describe(frame, offload);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = interface_index;
  to.sll_protocol = htons(wire::load16(frame.data() + wire::eth::kType));
  iovec parts[] = {{&header, sizeof header}, {frame.data(), frame.size()}};
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return sendmsg(socket_.get(), &message, MSG_DONTWAIT) < 0 ? last_error() : std::error_code{};
}

}  // namespace viaduct::flows::ovs
