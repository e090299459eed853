#include "flows/datapath/ovs/tunnel_codec.hpp"

#include <endian.h>
#include <linux/openvswitch.h>

#include <algorithm>

namespace viaduct::flows::ovs {

namespace {

constexpr uint8_t kTtl = 64;

uint16_t source_type(IpFamily family) {
  return family == IpFamily::v4 ? OVS_TUNNEL_KEY_ATTR_IPV4_SRC : OVS_TUNNEL_KEY_ATTR_IPV6_SRC;
}
uint16_t destination_type(IpFamily family) {
  return family == IpFamily::v4 ? OVS_TUNNEL_KEY_ATTR_IPV4_DST : OVS_TUNNEL_KEY_ATTR_IPV6_DST;
}

void put_head(MessageBatch& out, const Tunnel& tunnel) {
  out.put(OVS_TUNNEL_KEY_ATTR_ID, htobe64(tunnel.key));
  out.put(source_type(tunnel.src.family()), Bytes(tunnel.src.bytes()));
  out.put(destination_type(tunnel.dst.family()), Bytes(tunnel.dst.bytes()));
}

bool every(Bytes bytes, uint8_t value) {
  return std::all_of(bytes.begin(), bytes.end(), [value](uint8_t byte) { return byte == value; });
}

IpAddress address(Bytes bytes, IpFamily family) {
  if (bytes.size() != static_cast<size_t>(address_bytes(family))) return {};
  return IpAddress::from_network(family, bytes.data());
}

}  // namespace

void put_tunnel_key(MessageBatch& out, const Tunnel& tunnel) {
  size_t nest = out.open_nest(OVS_KEY_ATTR_TUNNEL);
  put_head(out, tunnel);
  out.put(OVS_TUNNEL_KEY_ATTR_TTL, kTtl);
  out.close_nest(nest);
}

void put_tunnel_mask(MessageBatch& out, const Tunnel& tunnel) {
  constexpr std::array<uint8_t, 16> kOnes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  Bytes exact = Bytes(kOnes).first(static_cast<size_t>(address_bytes(tunnel.src.family())));
  size_t nest = out.open_nest(OVS_KEY_ATTR_TUNNEL);
  out.put(OVS_TUNNEL_KEY_ATTR_ID, ~uint64_t{0});
  out.put(source_type(tunnel.src.family()), exact);
  out.put(destination_type(tunnel.src.family()), exact);
  out.close_nest(nest);
}

void put_set_tunnel(MessageBatch& out, const TunnelOutput& output) {
  size_t set = out.open_nest(OVS_ACTION_ATTR_SET);
  size_t nest = out.open_nest(OVS_KEY_ATTR_TUNNEL);
  put_head(out, output.tunnel);
  out.put(OVS_TUNNEL_KEY_ATTR_TOS, output.tos);
  out.put(OVS_TUNNEL_KEY_ATTR_TTL, kTtl);
  if (output.tunnel.src.family() == IpFamily::v4) out.put(OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT, Bytes{});
  out.close_nest(nest);
  out.close_nest(set);
}

Tunnel decode_tunnel(Bytes tunnel) {
  Attributes nest;
  nest.parse(tunnel);
  IpFamily family = nest.has(OVS_TUNNEL_KEY_ATTR_IPV6_DST) ? IpFamily::v6 : IpFamily::v4;
  const uint64_t id = be64toh(nest.get<uint64_t>(OVS_TUNNEL_KEY_ATTR_ID).value_or(0));
  // GRE has longer keys than ours.
  if (id == 0 || id > Tunnel::kMaxKey) return {};
  return {static_cast<uint32_t>(id), address(nest[source_type(family)], family),
          address(nest[destination_type(family)], family)};
}

TunnelMask decode_tunnel_mask(Bytes mask, const Tunnel& tunnel) {
  Attributes nest;
  if (!nest.parse(mask)) return TunnelMask::partly;
  const IpFamily family = tunnel.src.family();
  size_t open = 0, matched = 0;
  for (unsigned type :
       {unsigned{OVS_TUNNEL_KEY_ATTR_ID}, unsigned{source_type(family)}, unsigned{destination_type(family)}}) {
    if (every(nest[type], 0))
      ++open;
    else if (every(nest[type], 0xff))
      ++matched;
  }
  for (unsigned type : {OVS_TUNNEL_KEY_ATTR_TOS, OVS_TUNNEL_KEY_ATTR_TTL}) {
    if (!every(nest[type], 0)) return TunnelMask::partly;
  }
  if (matched == 3) return TunnelMask::matched;
  return open == 3 ? TunnelMask::open : TunnelMask::partly;
}

std::optional<TunnelOutput> decode_set_tunnel(Bytes tunnel) {
  Attributes nest;
  TunnelOutput out;
  if (!nest.parse(tunnel)) return std::nullopt;
  out.tunnel = decode_tunnel(tunnel);
  out.tos = nest.get<uint8_t>(OVS_TUNNEL_KEY_ATTR_TOS).value_or(0);
  const bool is_v4 = out.tunnel.dst.family() == IpFamily::v4;
  if (!out.tunnel.present() || nest.get<uint8_t>(OVS_TUNNEL_KEY_ATTR_TTL) != kTtl ||
      nest.has(OVS_TUNNEL_KEY_ATTR_CSUM) || nest.has(OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT) != is_v4) {
    return std::nullopt;
  }
  return out;
}

}  // namespace viaduct::flows::ovs
