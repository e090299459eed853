#include "flows/match/tag.hpp"

#include <cstring>

namespace viaduct::flows::tag {

namespace {

// Values are never stored, so kinds may be renumbered.
enum class Kind : uint64_t {
  device = 1,
  absent,
  mac,
  flood_mac,
  broadcast,
  local_flood,
  route,
  routes,
  next_hop,
  neighbour,
  datapath_port,
  tunnel_path,
  tunnel_peer,
  tunnel_key,
  connection,
  group_address,
};

// The finaliser of MurmurHash3 between words: every input bit reaches every output bit.
class Mixer {
 public:
  explicit Mixer(Kind kind) { add(static_cast<uint64_t>(kind) * 0x9e37'79b9'7f4a'7c15); }
  Mixer& add(uint64_t word) {
    hash_ = (hash_ + 0x9e37'79b9'7f4a'7c15) ^ word;
    hash_ = (hash_ ^ hash_ >> 33) * 0xff51'afd7'ed55'8ccd;
    hash_ = (hash_ ^ hash_ >> 33) * 0xc4ce'b9fe'1a85'ec53;
    hash_ ^= hash_ >> 33;
    return *this;
  }
  Mixer& add(const Uuid& id) { return add(id.high()).add(id.low()); }
  Mixer& add(const IpAddress& ip) {
    uint64_t words[2];
    std::memcpy(words, ip.storage().data(), sizeof words);
    return add(static_cast<uint64_t>(ip.family())).add(words[0]).add(words[1]);
  }
  Tag tag() const { return {hash_}; }

 private:
  uint64_t hash_ = 0;
};

uint64_t pack(uint16_t vlan, const MacAddress& mac) { return uint64_t{vlan} << 48 | mac.as_uint64(); }

}  // namespace

Tag device(const Uuid& id) { return Mixer(Kind::device).add(id).tag(); }
Tag absent(const Uuid& id) { return Mixer(Kind::absent).add(id).tag(); }
Tag mac(const BridgeId& bridge, uint16_t vlan, const MacAddress& mac, const PortId& port) {
  return Mixer(Kind::mac).add(bridge.uuid()).add(pack(vlan, mac)).add(port.uuid()).tag();
}
Tag flood_mac(const BridgeId& bridge, uint16_t vlan, const MacAddress& mac) {
  return Mixer(Kind::flood_mac).add(bridge.uuid()).add(pack(vlan, mac)).tag();
}
Tag broadcast(const BridgeId& bridge) { return Mixer(Kind::broadcast).add(bridge.uuid()).tag(); }
Tag local_flood(const BridgeId& bridge) { return Mixer(Kind::local_flood).add(bridge.uuid()).tag(); }
Tag route(const RouteId& route) { return Mixer(Kind::route).add(route.uuid()).tag(); }
Tag routes(const RouterId& router) { return Mixer(Kind::routes).add(router.uuid()).tag(); }
Tag next_hop(const PortId& port) { return Mixer(Kind::next_hop).add(port.uuid()).tag(); }
Tag neighbour(const RouterId& router, const PortId& port, const IpAddress& next_hop) {
  return Mixer(Kind::neighbour).add(router.uuid()).add(port.uuid()).add(next_hop).tag();
}
Tag datapath_port(PortNumber port) { return Mixer(Kind::datapath_port).add(port.value).tag(); }
Tag tunnel_path(const HostId& host) { return Mixer(Kind::tunnel_path).add(host.uuid()).tag(); }
Tag tunnel_peer(const IpAddress& address) { return Mixer(Kind::tunnel_peer).add(address).tag(); }
Tag tunnel_key(uint32_t key) { return Mixer(Kind::tunnel_key).add(uint64_t{key}).tag(); }

Tag connection(const Uuid& device, uint64_t word, const IpAddress& src, const IpAddress& dst) {
  return Mixer(Kind::connection).add(device).add(word).add(src).add(dst).tag();
}
Tag group_address(const IpGroupId& group, const IpAddress& address) {
  return Mixer(Kind::group_address).add(group.uuid()).add(address).tag();
}

}  // namespace viaduct::flows::tag
