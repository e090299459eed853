#include <algorithm>

#include "flows/datapath/ovs/action_codec.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr uint8_t kVersion = 1;
enum At : size_t { kAtVersion, kAtReason, kAtPosition, kAtDecrements, kAtMtu, kAtSrc = 6, kAtDst = 12 };
constexpr uint8_t kRewrittenFlag = 0x80;  // in the byte of the reason

void raise_ttl(std::span<uint8_t> frame, uint8_t by) {
  Packet packet = parse(frame, {});
  if (packet.key.eth_type == ethertype::kIpv6 && frame.size() >= packet.l3_offset + wire::ipv6::kBytes) {
    frame[packet.l3_offset + wire::ipv6::kHopLimit] += by;
  }
  if (packet.key.eth_type == ethertype::kIpv4 && frame.size() >= packet.l3_offset + wire::ipv4::kBytes) {
    uint8_t* ip = frame.data() + packet.l3_offset;
    uint16_t before = wire::load16(ip + wire::ipv4::kTtl);
    ip[wire::ipv4::kTtl] += by;
    uint16_t checksum = wire::load16(ip + wire::ipv4::kChecksum);
    wire::store16(ip + wire::ipv4::kChecksum, update_checksum(checksum, before, wire::load16(ip + wire::ipv4::kTtl)));
  }
}

}  // namespace

std::array<uint8_t, Cookie::kBytes> Cookie::encode() const {
  std::array<uint8_t, kBytes> out{};
  out[kAtVersion] = kVersion;
  out[kAtReason] = static_cast<uint8_t>(static_cast<uint8_t>(reason) | (rewritten ? kRewrittenFlag : 0));
  out[kAtPosition] = position;
  out[kAtDecrements] = decrements;
  wire::store16(out.data() + kAtMtu, mtu);
  wire::store_mac(out.data() + kAtSrc, src);
  wire::store_mac(out.data() + kAtDst, dst);
  return out;
}

std::optional<Cookie> Cookie::decode(Bytes bytes) {
  if (bytes.size() != kBytes || bytes[kAtVersion] != kVersion) return std::nullopt;
  Cookie out;
  uint8_t reason = bytes[kAtReason] & ~kRewrittenFlag;
  if (reason > static_cast<uint8_t>(UpcallReason::too_big)) return std::nullopt;
  out.reason = static_cast<UpcallReason>(reason);
  out.rewritten = (bytes[kAtReason] & kRewrittenFlag) != 0;
  out.position = bytes[kAtPosition];
  out.decrements = bytes[kAtDecrements];
  out.mtu = wire::load16(bytes.data() + kAtMtu);
  out.src = wire::load_mac(bytes.data() + kAtSrc);
  out.dst = wire::load_mac(bytes.data() + kAtDst);
  return out;
}

void Cookie::restore(std::span<uint8_t> frame) const {
  if (frame.size() < wire::eth::kBytes) return;
  if (decrements != 0) raise_ttl(frame, decrements);
  if (!rewritten) return;
  wire::store_mac(frame.data() + wire::eth::kSrc, src);
  wire::store_mac(frame.data() + wire::eth::kDst, dst);
}

}  // namespace viaduct::flows::ovs
