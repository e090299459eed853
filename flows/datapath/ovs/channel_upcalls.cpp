#include <linux/openvswitch.h>
#include <sys/socket.h>

#include <algorithm>

#include "flows/datapath/ovs/channel.hpp"
#include "flows/datapath/ovs/key_codec.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr size_t kSlots = 64;
// The frame, and in front of it headers and the packet's key.
constexpr size_t kSlotBytes = kMaxUpcallBytes + 2048;

}  // namespace

// Where upcalls are received. Memory is taken from the system page by page when a large packet first needs it.
class OvsChannel::Arena {
 public:
  Arena() : bytes_(new uint8_t[kSlots * kSlotBytes]) {
    for (size_t i = 0; i < kSlots; ++i) {
      parts_[i] = {bytes_.get() + i * kSlotBytes, kSlotBytes};
      messages_[i] = {};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  std::span<mmsghdr> slots(size_t first, size_t count) { return std::span(messages_).subspan(first, count); }
  bool truncated(size_t slot) const { return (messages_[slot].msg_hdr.msg_flags & MSG_TRUNC) != 0; }
  std::span<uint8_t> bytes(size_t slot) { return {bytes_.get() + slot * kSlotBytes, messages_[slot].msg_len}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  std::array<iovec, kSlots> parts_;
  std::array<mmsghdr, kSlots> messages_;
};

OvsChannel::OvsChannel(std::shared_ptr<State> state, unsigned worker, NetlinkSocket requests)
    : state_(std::move(state)),
      worker_(worker),
      queue_(state_->sockets.queue(worker)),
      socket_(std::move(requests)),
      arena_(std::make_unique<Arena>()) {}

OvsChannel::~OvsChannel() = default;

void OvsChannel::wake() { queue_.wake(); }

size_t OvsChannel::poll(std::span<Upcall> out, std::chrono::milliseconds timeout) {
  std::array<PortNumber, kSlots> ready;
  size_t room = std::min(out.size(), kSlots);
  size_t ports = queue_.wait(std::span(ready).first(room), timeout);
  auto now = std::chrono::steady_clock::now();
  size_t used = 0, filled = 0;
  for (size_t i = 0; i < ports; ++i) {
    // An equal share for each that has something; what one leaves goes to the next.
    size_t share = std::max<size_t>(1, (room - used) / (ports - i));
    size_t got = queue_.receive(ready[i], arena_->slots(used, std::min(share, room - used)));
    for (size_t slot = used; slot < used + got; ++slot) {
      if (!decode(slot, out[filled])) continue;
      out[filled++].received = now;
    }
    used += got;
  }
  return filled;
}

bool OvsChannel::decode(size_t slot, Upcall& out) {
  std::span<uint8_t> bytes = arena_->bytes(slot);
  if (arena_->truncated(slot)) {
    state_->errors.add("upcall_truncated");
    return false;
  }
  Bytes rest = bytes;
  auto message = next_message(rest);
  Attributes attributes;
  if (!message || message->family != state_->families.packet || !attributes.parse(message->attributes)) {
    state_->errors.add("upcall_malformed");
    return false;
  }
  Bytes frame = attributes[OVS_PACKET_ATTR_PACKET];
  out = {};
  out.frame = bytes.subspan(static_cast<size_t>(frame.data() - bytes.data()), frame.size());
  out.in_port = decode_in_port(attributes[OVS_PACKET_ATTR_KEY]);
  bool is_tunnel = false;
  out.tunnel = decode_tunnel_of(attributes[OVS_PACKET_ATTR_KEY], is_tunnel);
  if (is_tunnel && !out.tunnel.present()) {
    state_->errors.add("no_tunnel");
    return false;
  }
  tags_.note(out.frame, out.in_port);
  if (message->command != OVS_PACKET_CMD_ACTION) return true;
  if (auto cookie = Cookie::decode(attributes[OVS_PACKET_ATTR_USERDATA])) {
    out.reason = cookie->reason;
    cookie->restore(out.frame);
  }
  return true;
}

}  // namespace viaduct::flows::ovs
