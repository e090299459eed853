// Bridges and routers with their ports; routes; BGP; DHCP.
#include "api/midonet_cli/objects/parts.hpp"

namespace viaduct::api::midonet_cli {
namespace {

// --- ports --------------------------------------------------------------------------------------------

constexpr Field kPeer = marked(reference("peer", "peerId", "port"), kLinked);
constexpr Field kPlugged{.name = "plugged", .member = "active", .form = Form::yes_no, .marks = kReadOnly};

constexpr std::array kBridgePortFields = std::to_array<Field>({
    kIdField,
    marked(reference("device", "deviceId", "bridge"), kReadOnly),
    kStateField,
    kPlugged,
    reference("infilter", "inboundFilterId", "chain"),
    reference("outfilter", "outboundFilterId", "chain"),
    number("vlan", "vlanId"),
    kPeer,
    marked(reference("vtep", "vtepId", "vtep"), kReadOnly),
    marked(number("vni", "vni"), kReadOnly),
    reference("qos-policy", "qosPolicyId", "qos-policy"),
    references("in-mirrors", "inboundMirrorIds", "mirror"),
    references("out-mirrors", "outboundMirrorIds", "mirror"),
    references("post-in-filter-mirrors", "postInFilterMirrorIds", "mirror"),
    references("pre-out-filter-mirrors", "preOutFilterMirrorIds", "mirror"),
});

constexpr std::array kRouterPortFields = std::to_array<Field>({
    kIdField,
    marked(reference("device", "deviceId", "router"), kReadOnly),
    kStateField,
    kPlugged,
    reference("infilter", "inboundFilterId", "chain"),
    reference("outfilter", "outboundFilterId", "chain"),
    marked(text("mac", "portMac"), kKept),
    marked(text("address", "portAddress"), kKept),
    marked(prefix("net", "networkAddress", "networkLength"), kKept),
    {.name = "addresses", .member = "portSubnet", .form = Form::texts, .marks = kHidden | kKept},
    kPeer,
    marked(text("bgp-status", "bgpStatus"), kReadOnly | kHidden),
    references("in-mirrors", "inboundMirrorIds", "mirror"),
    references("out-mirrors", "outboundMirrorIds", "mirror"),
    references("post-in-filter-mirrors", "postInFilterMirrorIds", "mirror"),
    references("pre-out-filter-mirrors", "preOutFilterMirrorIds", "mirror"),
    number("vni", "rtrPortVni"),
    flag("vxlan-off-ramp", "offRampVxlan"),
});

constexpr std::array kRemotePeerFields = std::to_array<Field>({text("mac", "mac"), text("ip", "ip")});
constexpr Object kRemotePeer{.name = "macip", .title = "remote peer", .fields = kRemotePeerFields};
constexpr std::array kRouterPortCollections = {
    Collection{.name = "remote-peers", .of = &kRemotePeer, .path = "peering_table"}};

const Json& member(const Json& document, const char* name) {
  static const Json kNull;
  auto at = document.find(name);
  return at == document.end() ? kNull : *at;
}

// A link is made where there is none; another one would be taken by the API, and not made.
Result<Done> check_peer(const Json& before, const Json& document) {
  const Json &had = member(before, "peerId"), &wanted = member(document, "peerId");
  if (had.is_null() || wanted.is_null() || had == wanted) return Done{};
  return Failure{ExitCode::refused,
                 "conflict",
                 "the port is linked with " + had.get<std::string>() + " already",
                 "clear its peer first",
                 {}};
}

// `address` and `net` are the older form of the first IPv4 entry of `addresses`, which wins over them.
Result<Done> finish_router_port(const Json& before, Json& document) {
  const Json &address = member(document, "portAddress"), &net = member(document, "networkAddress");
  const bool same = before.is_object() && member(before, "portAddress") == address &&
                    member(before, "networkAddress") == net &&
                    member(before, "networkLength") == member(document, "networkLength");
  if (same || address.is_null()) {
    if (!same && !net.is_null())
      return usage_error("net: there is no address in it", "give address, too: the port's own in that network");
    return check_peer(before, document);
  }
  if (net.is_null())
    return usage_error("address: there is no net", "give net, too: the network of the address, as in net 10.0.0.0/24");
  const auto own = IpAddress::parse(address.is_string() ? address.get<std::string>() : std::string());
  const auto base = IpAddress::parse(net.get<std::string>());
  if (!own) return usage_error("address: '" + address.dump() + "' is no address");
  const int length = member(document, "networkLength").get<int>();
  if (!base || own->width_bits() != base->width_bits() || !IpPrefix(*base, length).contains(*own))
    return usage_error("net: " + net.get<std::string>() + "/" + std::to_string(length) + " does not have the address " +
                           own->to_string(),
                       "give both of one network");
  const std::string entry = own->to_string() + "/" + std::to_string(length);
  Json all = member(document, "portSubnet").is_array() ? member(document, "portSubnet") : Json::array();
  bool placed = false;
  for (Json& each : all) {
    if (placed || !each.is_string() || each.get<std::string>().find(':') != std::string::npos) continue;
    each = entry;
    placed = true;
  }
  if (!placed) all.insert(all.begin(), entry);
  document["portSubnet"] = all;
  return check_peer(before, document);
}

Result<Done> finish_bridge_port(const Json& before, Json& document) { return check_peer(before, document); }

constexpr Object kBridgePort{
    .name = "port", .title = "bridge port", .fields = kBridgePortFields, .finish = finish_bridge_port};
constexpr Object kRouterPort{.name = "port",
                             .title = "router port",
                             .fields = kRouterPortFields,
                             .collections = kRouterPortCollections,
                             .finish = finish_router_port};

constexpr std::array kOnlyOfRouters = std::to_array<Field>({
    marked(text("mac", "portMac"), kKept),
    marked(text("address", "portAddress"), kKept),
    marked(prefix("net", "networkAddress", "networkLength"), kKept),
    {.name = "addresses", .member = "portSubnet", .form = Form::texts, .marks = kHidden | kKept},
    marked(text("bgp-status", "bgpStatus"), kReadOnly | kHidden),
    flag("vxlan-off-ramp", "offRampVxlan"),
});
constexpr auto kAnyPortFields = join(kBridgePortFields, kOnlyOfRouters);
const Object* kind_of_port(const Json& document) {
  return member(document, "type") == "Router" ? &kRouterPort : &kBridgePort;
}

// --- DHCP ---------------------------------------------------------------------------------------------

constexpr std::array kDhcpHostFields =
    std::to_array<Field>({kNameField, text("address", "ipAddr"), text("mac", "macAddr")});
constexpr Object kDhcpHost{.name = "dhcp-host", .title = "DHCP host", .fields = kDhcpHostFields};
constexpr std::array kOption121Fields = std::to_array<Field>(
    {prefix("destination", "destinationPrefix", "destinationLength"), text("gateway", "gatewayAddr")});
constexpr Object kOption121{.name = "opt121-route", .title = "option 121 route", .fields = kOption121Fields};
constexpr std::array kDhcpFields = std::to_array<Field>({
    text("gw", "defaultGateway"),
    text("server", "serverAddr"),
    {.name = "dns-servers", .member = "dnsServerAddrs", .form = Form::texts},
    marked(prefix("subnet", "subnetPrefix", "subnetLength"), kKept),
    number("interface-mtu", "interfaceMTU"),
    marked(flag("enabled", "enabled"), kHidden),
});
constexpr std::array kDhcpCollections = {
    Collection{.name = "opt121-routes", .of = &kOption121, .embedded = "opt121Routes"},
    Collection{.name = "host", .of = &kDhcpHost, .path = "hosts"},
};
constexpr Object kDhcp{.name = "dhcp", .title = "DHCP subnet", .fields = kDhcpFields, .collections = kDhcpCollections};

// --- bridges ------------------------------------------------------------------------------------------

constexpr std::array kBridgeFields = std::to_array<Field>({
    kIdField,
    kTenantField,
    kNameField,
    kStateField,
    reference("infilter", "inboundFilterId", "chain"),
    reference("outfilter", "outboundFilterId", "chain"),
    reference("qos-policy", "qosPolicyId", "qos-policy"),
    references("in-mirrors", "inboundMirrorIds", "mirror"),
    references("out-mirrors", "outboundMirrorIds", "mirror"),
});
constexpr std::array kBridgeCollections = {
    Collection{
        .name = "port", .of = &kBridgePort, .path = "ports", .one = "ports", .parent = "deviceId", .type = "Bridge"},
    Collection{.name = "dhcp", .of = &kDhcp, .path = "dhcp"},
};

// --- routers ------------------------------------------------------------------------------------------

constexpr std::array<Word, 4> kRouteTypes = {
    {{"normal", "Normal"}, {"blackhole", "BlackHole"}, {"reject", "Reject"}, {"local", "Local"}}};
constexpr std::array kRouteFields = std::to_array<Field>({
    kIdField,
    choice("type", "type", kRouteTypes),
    prefix("src", "srcNetworkAddr", "srcNetworkLength"),
    prefix("dst", "dstNetworkAddr", "dstNetworkLength"),
    text("gw", "nextHopGateway"),
    reference("port", "nextHopPort", "port"),
    number("weight", "weight"),
    marked(flag("learned", "learned"), kReadOnly),
});

constexpr Object kRoute{.name = "route", .title = "route", .fields = kRouteFields};

constexpr std::array kBgpNetworkFields =
    std::to_array<Field>({kIdField, prefix("net", "subnetAddress", "subnetLength")});
constexpr Object kBgpNetwork{.name = "net", .title = "BGP network", .fields = kBgpNetworkFields};
constexpr std::array kBgpPeerFields = std::to_array<Field>({
    kIdField,
    number("asn", "asNumber"),
    text("address", "address"),
    number("keep-alive", "keepAlive"),
    number("hold-time", "holdTime"),
    number("connect-retry", "connectRetry"),
    // MidoNet's lists show it; who looks over a shoulder is not to.
    marked(text("password", "password"), kHidden),
});
constexpr Object kBgpPeer{.name = "peer", .title = "BGP peer", .fields = kBgpPeerFields};

constexpr std::array kRouterFields = std::to_array<Field>({
    kIdField,
    kTenantField,
    kNameField,
    kStateField,
    reference("infilter", "inboundFilterId", "chain"),
    reference("outfilter", "outboundFilterId", "chain"),
    reference("load-balancer", "loadBalancerId", "load-balancer"),
    number("asn", "asNumber"),
    references("in-mirrors", "inboundMirrorIds", "mirror"),
    references("out-mirrors", "outboundMirrorIds", "mirror"),
    reference("local-redirect-chain", "localRedirectChainId", "chain"),
    reference("forward-chain", "forwardChainId", "chain"),
});

constexpr std::array kRouterCollections = {
    Collection{
        .name = "port", .of = &kRouterPort, .path = "ports", .one = "ports", .parent = "deviceId", .type = "Router"},
    Collection{.name = "route", .of = &kRoute, .path = "routes", .one = "routes", .parent = "routerId"},
    Collection{
        .name = "bgp-network", .of = &kBgpNetwork, .path = "bgp_networks", .one = "bgp_networks", .parent = "router"},
    Collection{.name = "bgp-peer", .of = &kBgpPeer, .path = "bgp_peers", .one = "bgp_peers", .parent = "router"},
};

}  // namespace

const Object kBridge{.name = "bridge",
                     .title = "bridge",
                     .fields = kBridgeFields,
                     .collections = kBridgeCollections,
                     .tenant = "tenantId"};
const Object kRouter{.name = "router",
                     .title = "router",
                     .fields = kRouterFields,
                     .collections = kRouterCollections,
                     .tenant = "tenantId"};
const Object kPort{.name = "port",
                   .title = "port",
                   .fields = kAnyPortFields,
                   .collections = kRouterPortCollections,
                   .resolve = kind_of_port};

}  // namespace viaduct::api::midonet_cli
