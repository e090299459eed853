// Bridges, their static entries, routers, routes.
#include <algorithm>

#include "api/rest/document.hpp"
#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

constexpr std::array<uint8_t, 2> kBridgeVersions = {4, 5};
constexpr std::array kBridgeMembers = {
    kId,
    kTenantId,
    kMemberName,
    kAdminStateUp,
    reference_member("inboundFilterId", "inbound_filter"),
    reference_member("outboundFilterId", "outbound_filter"),
    Member{.name = "vxLanPortIds", .shape = Shape::always_empty, .direction = Direction::out},
    later_ids("inboundMirrorIds"),
    later_ids("outboundMirrorIds"),
    later_id("qosPolicyId"),
};
constexpr std::array kBridgeLinks = {
    reference_link("inboundFilter", "chains", "inbound_filter"),
    reference_link("outboundFilter", "chains", "outbound_filter"),
    child_link("ports", "/ports"),
    child_link("peerPorts", "/peer_ports"),
    child_link("vxLanPorts", "/vxlan_ports"),
    child_link("macTable", "/mac_table"),
    child_link("arpTable", "/arp_table"),
    child_link("dhcpSubnets", "/dhcp"),
    child_link("dhcpSubnet6s", "/dhcpV6"),
    child_link("vlanMacTableTemplate", "/vlans/{vlanId}/mac_table"),
    child_link("macPortTemplate", "/mac_table/{macAddress}_{portId}"),
    child_link("vlanMacPortTemplate", "/vlans/{vlanId}/mac_table/{macAddress}_{portId}"),
};
// MidoNet refuses even an empty list in a POST.
void finish_bridge(Intake& intake) {
  const Json& given = intake.given("vxLanPortIds");
  const bool same = intake.intent() == Intent::update && given.is_array() && given.empty();
  if (!given.is_null() && !same) intake.wrong("vxLanPortIds", "is not for clients to set");
}

constexpr std::array kRouterMembers = {
    kId,
    kTenantId,
    kMemberName,
    kAdminStateUp,
    reference_member("inboundFilterId", "inbound_filter"),
    reference_member("outboundFilterId", "outbound_filter"),
    reference_member("localRedirectChainId", "local_redirect"),
    reference_member("forwardChainId", "forward_filter"),
    reference_member("loadBalancerId", "load_balancer"),
    Member{.name = "asNumber", .field = "as_number", .shape = Shape::number},
    later_ids("inboundMirrorIds"),
    later_ids("outboundMirrorIds"),
};
constexpr std::array kRouterLinks = {
    reference_link("inboundFilter", "chains", "inbound_filter"),
    reference_link("outboundFilter", "chains", "outbound_filter"),
    reference_link("localRedirectChain", "chains", "local_redirect"),
    reference_link("forwardChain", "chains", "forward_filter"),
    reference_link("loadBalancer", "load_balancers", "load_balancer"),
    child_link("ports", "/ports"),
    child_link("peerPorts", "/peer_ports"),
    child_link("routes", "/routes"),
    child_link("bgpNetworks", "/bgp_networks"),
    child_link("bgpPeers", "/bgp_peers"),
};

// --- entries of a bridge's tables --------------------------------------------------------------------

void emit_vlan(const Emission& emission, Json& value) { value = to_json(emission.record().get("vlan")); }
void take_vlan(Intake& intake, const Json& value) {
  if (auto vlan = intake.number("vlanId", value, 0, 4094)) intake.record().set("vlan", static_cast<uint64_t>(*vlan));
}
constexpr std::array kMacMembers = {
    Member{.name = "macAddr", .field = "mac", .shape = Shape::mac, .required = true},
    Member{.name = "portId", .field = "port", .shape = Shape::reference, .required = true},
    Member{.name = "vlanId", .shape = Shape::special, .emit = emit_vlan, .take = take_vlan},
};
void finish_mac(Intake& intake) {
  auto port = intake.context().find(Kind::PORT, intake.record().reference("port"));
  if (!port) return;  // 404, once it is committed
  const Value& vlan = port->get("vlan");
  if (vlan == Value(uint64_t{0}) || vlan == Value{} || vlan == intake.record().get("vlan")) return;
  intake.wrong("vlanId", "must be that of the port, " + std::to_string(std::get<uint64_t>(vlan)));
}
constexpr std::array kArpMembers = {
    Member{.name = "ip", .field = "address", .shape = Shape::address, .required = true},
    Member{.name = "mac", .field = "mac", .shape = Shape::mac, .required = true},
};

// --- routes ------------------------------------------------------------------------------------------

constexpr std::array<Word, 4> kRouteTypes = {
    {{"Normal", "port"}, {"BlackHole", "blackhole"}, {"Reject", "reject"}, {"Local", "local"}}};
// Neither stored nor of a port's address.
void emit_learned(const Emission& emission, Json& value) {
  value = emission.record().revision() == 0 && emission.record().get("next_hop") == Value(std::string("port"));
}
// Only what goes through a port has a next hop; MidoNet takes one with any type, and ignores it. Its clients also write 0.0.0.0
// and 255.255.255.255 for no gateway.
void finish_route(Intake& intake) {
  Record& record = intake.record();
  const auto* gateway = std::get_if<IpAddress>(&record.get("gateway"));
  if (gateway != nullptr && (gateway->is_any() || gateway->is_limited_broadcast())) record.set("gateway", Value{});
  if (record.get("next_hop") == Value(std::string("port"))) return;
  record.set("gateway", Value{});
  record.set("next_hop_port", Value{});
}
constexpr Member prefix_part(std::string_view name, std::string_view field, Shape shape) {
  return {.name = name, .field = field, .shape = shape, .required = shape == Shape::prefix_address};
}
constexpr std::array kRouteMembers = {
    kId,
    Member{.name = "type", .field = "next_hop", .shape = Shape::choice, .required = true, .words = kRouteTypes},
    prefix_part("srcNetworkAddr", "source", Shape::prefix_address),
    prefix_part("srcNetworkLength", "source", Shape::prefix_length),
    prefix_part("dstNetworkAddr", "destination", Shape::prefix_address),
    prefix_part("dstNetworkLength", "destination", Shape::prefix_length),
    reference_member("nextHopPort", "next_hop_port"),
    Member{.name = "nextHopGateway", .field = "gateway", .shape = Shape::address},
    Member{.name = "weight", .field = "weight", .shape = Shape::number},
    Member{.name = "attributes", .field = "attributes"},
    Member{.name = "routerId", .field = "router", .shape = Shape::reference, .direction = Direction::out},
    Member{.name = "learned", .shape = Shape::special, .direction = Direction::out, .emit = emit_learned},
};
constexpr std::array kRouteLinks = {reference_link("router", "routers", "router")};

}  // namespace

std::string mac_key(const Value& mac) {
  std::string text = std::holds_alternative<MacAddress>(mac) ? std::get<MacAddress>(mac).to_string() : std::string();
  std::ranges::replace(text, ':', '-');
  return text;
}

const Resource kBridges{.path = "bridges",
                        .kind = Kind::BRIDGE,
                        .media = "Bridge",
                        .versions = kBridgeVersions,
                        .verbs = kAllVerbs,
                        .members = kBridgeMembers,
                        .links = kBridgeLinks,
                        .finish = finish_bridge,
                        .missing_is_404 = true,
                        .root_collection = "bridges",
                        .root_template = "bridgeTemplate"};
const Resource kRouters{.path = "routers",
                        .kind = Kind::ROUTER,
                        .media = "Router",
                        .versions = kVersion3,
                        .verbs = kAllVerbs,
                        .members = kRouterMembers,
                        .links = kRouterLinks,
                        .root_collection = "routers",
                        .root_template = "routerTemplate"};
const Resource kRoutes{.path = "routes",
                       .kind = Kind::ROUTE,
                       .media = "Route",
                       .versions = kVersion1,
                       .verbs = kGet | kRemove,
                       .members = kRouteMembers,
                       .links = kRouteLinks,
                       .finish = finish_route,
                       .root_template = "routeTemplate"};
const Resource kMacTable{.path = {},
                         .kind = Kind::STATIC_MAC,
                         .media = "MacPort",
                         .versions = kVersion2,
                         .verbs = kNoUpdate,
                         .members = kMacMembers,
                         .links = {},
                         .finish = finish_mac,
                         .declared = true};
const Resource kArpTable{.path = {},
                         .kind = Kind::STATIC_NEIGHBOUR,
                         .media = "IP4Mac",
                         .versions = kVersion1,
                         .verbs = kNoUpdate,
                         .members = kArpMembers,
                         .links = {},
                         .declared = true};

}  // namespace viaduct::api::rest
