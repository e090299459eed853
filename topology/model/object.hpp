// Any object of the topology, and the list of kinds that tables and codecs go through.
#pragma once

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "topology/model/bgp.hpp"
#include "topology/model/bridge.hpp"
#include "topology/model/chain.hpp"
#include "topology/model/group.hpp"
#include "topology/model/host.hpp"
#include "topology/model/load_balancer.hpp"
#include "topology/model/port.hpp"
#include "topology/model/route.hpp"
#include "topology/model/router.hpp"
#include "topology/model/rule.hpp"
#include "topology/model/static_entries.hpp"
#include "topology/model/tunnel_zone.hpp"

namespace viaduct::topology {

using Object = std::variant<Host, Bridge, Router, Port, Route, StaticMac, StaticNeighbour, TunnelZone, TunnelZoneHost,
                            Chain, Rule, PortGroup, PortGroupPort, IpGroup, IpGroupAddress, LoadBalancer, Pool,
                            PoolMember, Vip, HealthMonitor, BgpPeer, BgpNetwork>;

// In the order of Object's alternatives, so that Kind == object.index().
enum class Kind : uint8_t {
  host,
  bridge,
  router,
  port,
  route,
  static_mac,
  static_neighbour,
  tunnel_zone,
  tunnel_zone_host,
  chain,
  rule,
  port_group,
  port_group_port,
  ip_group,
  ip_group_address,
  load_balancer,
  pool,
  pool_member,
  vip,
  health_monitor,
  bgp_peer,
  bgp_network,
  count_
};
static_assert(std::variant_size_v<Object> == static_cast<size_t>(Kind::count_));

struct ObjectRef {
  Kind kind = Kind::host;
  Uuid id;
  friend auto operator<=>(const ObjectRef&, const ObjectRef&) = default;
};

struct ObjectRefHash {
  size_t operator()(const ObjectRef& ref) const noexcept {
    return std::hash<Uuid>{}(ref.id) + static_cast<size_t>(ref.kind);
  }
};

inline Kind kind_of(const Object& object) { return static_cast<Kind>(object.index()); }
inline Uuid id_of(const Object& object) {
  return std::visit([](const auto& value) { return value.id.uuid(); }, object);
}
namespace detail {
template <class T, class... Alternatives>
constexpr Kind kind_of_alternative(const std::variant<Alternatives...>*) {
  constexpr bool kIs[] = {std::is_same_v<T, Alternatives>...};
  return static_cast<Kind>(std::find(std::begin(kIs), std::end(kIs), true) - std::begin(kIs));
}
}  // namespace detail
// Of one alternative, without making an Object of it.
template <class T>
requires(!std::is_same_v<T, Object>) ObjectRef ref_of(const T& value) {
  return {detail::kind_of_alternative<T>(static_cast<const Object*>(nullptr)), value.id.uuid()};
}
inline ObjectRef ref_of(const Object& object) { return {kind_of(object), id_of(object)}; }
inline uint64_t revision_of(const Object& object) {
  return std::visit([](const auto& value) { return value.revision; }, object);
}
// Empty for kinds without a name.
inline std::string name_of(const Object& object) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (requires { value.name; }) return value.name;
        return {};
      },
      object);
}

// "bridge", "static-mac": as the command line and errors write it.
std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

}  // namespace viaduct::topology
