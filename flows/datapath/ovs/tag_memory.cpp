#include "flows/datapath/ovs/tag_memory.hpp"

#include <algorithm>

#include "flows/packet/headers.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr size_t kOuter = wire::eth::kType;
constexpr size_t kInner = kOuter + wire::eth::kVlanBytes;

constexpr bool is_tag(uint16_t type) { return type == ethertype::kVlan || type == ethertype::kQinQ; }

}  // namespace

void TagMemory::note(std::span<const uint8_t> frame, PortNumber in_port) {
  if (frame.size() < kInner + 2) return;
  TagTypes tags;
  tags.outer = wire::load16(frame.data() + kOuter);
  if (!is_tag(tags.outer)) return;
  if (uint16_t inner = wire::load16(frame.data() + kInner); is_tag(inner)) tags.inner = inner;
  MacAddress src = wire::load_mac(frame.data() + wire::eth::kSrc), dst = wire::load_mac(frame.data() + wire::eth::kDst);
  auto same = [&](const Seen& seen) { return seen.in_port == in_port && seen.src == src && seen.dst == dst; };
  auto at = std::find_if(seen_.begin(), seen_.end(), same);
  if (at != seen_.end()) {
    at->tags = tags;
  } else if (tags != TagTypes{}) {
    seen_[next_++ % kSeen] = {in_port, src, dst, tags};
  }
}

TagTypes TagMemory::find(const FlowKey& packet) const {
  if (!packet.is_tagged()) return {};
  auto same = [&](const Seen& seen) {
    return seen.in_port == packet.in_port && seen.src == packet.eth_src && seen.dst == packet.eth_dst;
  };
  auto at = std::find_if(seen_.begin(), seen_.end(), same);
  return at != seen_.end() ? at->tags : TagTypes{};
}

}  // namespace viaduct::flows::ovs
