#include "api/client/kinds.hpp"

#include <algorithm>
#include <vector>

#include "api/client/kinds_parts.hpp"

namespace viaduct::api {
namespace {

using enum FieldType;

// Where flooding proxies and service containers are placed.
constexpr Field placement_field(std::string_view name, std::string_view option, std::string_view schema,
                                std::string_view help) {
  return {.name = name,
          .option = option,
          .schema = schema,
          .type = number,
          .help = help,
          .column = Column::hidden,
          .maximum = 0xffff'ffff};
}
constexpr std::array kHostFields = {
    kName,
    placement_field("flooding_proxy_weight", "flooding-proxy-weight", "floodingProxyWeight",
                    "Weight of the host for flooding proxies; kept for who places them"),
    placement_field("container_weight", "container-weight", "containerWeight",
                    "Weight of the host for service containers; kept for who places them"),
    placement_field("container_limit", "container-limit", "containerLimit",
                    "Most service containers; 4294967295: no limit"),
    Field{.name = "enforce_container_limit",
          .option = "enforce-container-limit",
          .schema = "enforceContainerLimit",
          .type = boolean,
          .help = "Whether that limit is more than a wish: true or false",
          .column = Column::hidden},
};
constexpr std::array kBridgeFields = {
    kName,
    kTenant,
    kAdminUp,
    filter_field("inbound_filter", "inbound-filter", "inboundFilter", "Chain for untagged frames that enter"),
    filter_field("outbound_filter", "outbound-filter", "outboundFilter", "Chain for untagged frames that leave"),
};
constexpr std::array kRouterFields = {
    kName,
    kTenant,
    kAdminUp,
    filter_field("local_redirect", "local-redirect", "localRedirect", "Chain before the inbound filter"),
    filter_field("inbound_filter", "inbound-filter", "inboundFilter", "Chain before routing"),
    filter_field("forward_filter", "forward-filter", "forwardFilter", "Chain after routing, for what is forwarded"),
    filter_field("outbound_filter", "outbound-filter", "outboundFilter", "Chain after that"),
    loose(reference_field("load_balancer", "load-balancer", "loadBalancer", Kind::LOAD_BALANCER,
                          "Load balancer at this router, and at no other")),
    Field{.name = "as_number",
          .option = "as-number",
          .schema = "asNumber",
          .type = number,
          .help = "AS number, for BGP; 0: none",
          .maximum = kMaxAsNumber},
    Field{.name = "advertise_nat",
          .option = "advertise-nat",
          .schema = "advertiseNat",
          .type = boolean,
          .help = "BGP: announce addresses of NAT targets and VIPs at this router, too: true or false",
          .column = Column::hidden},
};

constexpr std::array kPortFields = {
    kName,
    reference_field("bridge", "bridge", "bridge", Kind::BRIDGE, "Bridge that the port belongs to"),
    reference_field("router", "router", "router", Kind::ROUTER, "Router that the port belongs to"),
    kAdminUp,
    loose(reference_field("host", "host", "host", Kind::HOST, "Exterior port: host of the interface")),
    Field{.name = "interface",
          .option = "interface",
          .schema = "interface",
          .type = text,
          .help = "Exterior port: network interface on the host, at most 15 bytes"},
    loose(reference_field("peer", "peer", "peer", Kind::PORT, "Interior port: the port at the other end (see link)")),
    Field{.name = "mac",
          .option = "mac",
          .schema = "mac",
          .type = mac,
          .help = "Router port: its MAC address; a random one if none is given"},
    Field{.name = "addresses",
          .option = "address",
          .schema = "addresses",
          .type = prefix_list,
          .help = "Router port: address with prefix length; give it once for each address"},
    Field{.name = "mtu",
          .option = "mtu",
          .schema = "mtu",
          .type = number,
          .help = "Router port: largest packet in bytes, 0 for no limit of its own",
          .maximum = 65535},
    Field{.name = "vlan",
          .option = "vlan",
          .schema = "vlan",
          .type = number,
          .help = "Interior bridge port: VLAN 1..4094, 0 for none (kept; not looked at yet)",
          .column = Column::hidden,
          .maximum = 4094},
    filter_field("inbound_filter", "inbound-filter", "inboundFilter", "Chain for what enters the device here"),
    filter_field("outbound_filter", "outbound-filter", "outboundFilter", "Chain for what leaves the device here"),
    Field{.name = "vif",
          .option = "vif",
          .schema = "vif",
          .type = text,
          .help = "What whoever made the port calls the machine's interface; kept for them",
          .column = Column::hidden},
};

constexpr std::array<std::string_view, 4> kNextHops = {"port", "local", "blackhole", "reject"};
constexpr std::array kRouteFields = {
    reference_field("router", "router", "router", Kind::ROUTER, "Router that has the route", Presence::required),
    Field{.name = "destination",
          .option = "to",
          .schema = "destination",
          .type = prefix,
          .help = "Destination prefix; 0.0.0.0/0 or ::/0 for everything",
          .presence = Presence::required},
    Field{.name = "source",
          .option = "from",
          .schema = "source",
          .type = prefix,
          .help = "Only packets from this prefix (default: all)",
          .absent = "any"},
    Field{.name = "next_hop",
          .option = "next-hop",
          .schema = "nextHop",
          .type = choice,
          .help = "What happens to the packet",
          .choices = kNextHops},
    reference_field("next_hop_port", "port", "nextHopPort", Kind::PORT, "Port of the router that the packet leaves by"),
    Field{.name = "gateway",
          .option = "via",
          .schema = "gateway",
          .type = address,
          .help = "Next router on the port's link; none: the destination is on the link"},
    Field{.name = "weight",
          .option = "weight",
          .schema = "weight",
          .type = number,
          .help = "Of equal prefixes the least weight wins; equal weights share (default 100)",
          .maximum = 0xffff'ffff},
    Field{.name = "attributes",
          .option = "attributes",
          .schema = "attributes",
          .type = text,
          .help = "A note of whoever made it; kept for them",
          .column = Column::hidden},
};

constexpr Field vlan_field(std::string_view help) {
  return {.name = "vlan", .option = "vlan", .schema = "vlan", .type = number, .help = help, .maximum = 4094};
}
constexpr Field mac_field(std::string_view help) {
  return {.name = "mac", .option = "mac", .schema = "mac", .type = mac, .help = help, .presence = Presence::required};
}
constexpr std::array kStaticMacFields = {
    reference_field("bridge", "bridge", "bridge", Kind::BRIDGE, "Bridge whose table gets the entry",
                    Presence::required),
    mac_field("MAC address to pin"),
    vlan_field("VLAN of the entry, 0 for none (others are kept; not looked at yet)"),
    reference_field("port", "port", "port", Kind::PORT, "Port of the bridge that the address is behind",
                    Presence::required),
};
constexpr std::array kStaticNeighbourFields = {
    reference_field("bridge", "bridge", "bridge", Kind::BRIDGE, "Bridge that answers ARP or ND", Presence::required),
    Field{.name = "address",
          .option = "ip",
          .schema = "address",
          .type = address,
          .help = "IPv4 or IPv6 address to answer for",
          .presence = Presence::required},
    mac_field("MAC address to answer with"),
};

constexpr std::array<std::string_view, 2> kTunnelTypes = {"vxlan", "gre"};
constexpr std::array kTunnelZoneFields = {
    kName,
    Field{.name = "type",
          .option = "type",
          .schema = "type",
          .type = choice,
          .help = "Encapsulation between its hosts; fixed while it has some",
          .choices = kTunnelTypes},
};
constexpr std::array kTunnelZoneHostFields = {
    reference_field("zone", "zone", "zone", Kind::TUNNEL_ZONE, "Tunnel zone that the host is in", Presence::required),
    reference_field("host", "host", "host", Kind::HOST, "The host", Presence::required),
    Field{.name = "address",
          .option = "ip",
          .schema = "address",
          .type = address,
          .help = "The host's own address that the others of the zone reach it at",
          .presence = Presence::required},
};

constexpr std::array<std::string_view, 5> kRouteKey = {"destination", "source", "next_hop", "next_hop_port", "gateway"};
constexpr std::array<std::string_view, 2> kStaticMacKey = {"mac", "vlan"};
constexpr std::array<std::string_view, 1> kStaticNeighbourKey = {"address"};
constexpr std::array<std::string_view, 2> kPortParents = {"bridge", "router"};
constexpr std::array<std::string_view, 1> kRouteParents = {"router"};
constexpr std::array<std::string_view, 1> kStaticParents = {"bridge"};
constexpr std::array<std::string_view, 1> kTunnelZoneHostKey = {"host"};
constexpr std::array<std::string_view, 1> kTunnelZoneHostParents = {"zone"};

constexpr std::array kShownWithRouter = {Kind::BGP_PEER, Kind::BGP_NETWORK};
constexpr std::array kShownWithHost = {Kind::TUNNEL_ZONE_HOST, Kind::PORT};
constexpr std::array kShownWithTunnelZone = {Kind::TUNNEL_ZONE_HOST};

constexpr std::array<KindInfo, 9> kNetworkKinds = {{
    {Kind::HOST,
     "host",
     "hosts",
     "host",
     "Machines that run an agent (agents register themselves)",
     "  viaduct host create node-7\n",
     kHostFields,
     kNameKey,
     {},
     kShownWithHost},
    {Kind::BRIDGE,
     "bridge",
     "bridges",
     "bridge",
     "Virtual Ethernet switches",
     "  viaduct bridge create blue\n"
     "  viaduct bridge create green --tenant acme --wait\n",
     kBridgeFields,
     kNameKey,
     {}},
    {Kind::ROUTER,
     "router",
     "routers",
     "router",
     "Virtual routers",
     "  viaduct router create r1\n"
     "  viaduct router create edge --as-number 65000 --advertise-nat true\n",
     kRouterFields,
     kNameKey,
     {},
     kShownWithRouter},
    {Kind::PORT, "port", "ports", "port", "Ports of bridges and routers",
     "  viaduct port create blue-r1 --bridge blue\n"
     "  viaduct port create r1-blue --router r1 --address 10.0.1.1/24 --address fd00:1::1/64 --mtu 1500\n"
     "  viaduct port create vm1 --bridge blue --host node-1 --interface tap1 --wait\n",
     kPortFields, kNameKey, kPortParents},
    {Kind::ROUTE, "route", "routes", "route", "Routes of routers (those of port addresses follow by themselves)",
     "  viaduct route create --router r1 --to 0.0.0.0/0 --via 192.0.2.1 --port r1-up\n"
     "  viaduct route create --router r1 --to 10.9.0.0/16 --blackhole\n"
     "  viaduct route create --router r1 --to 2001:db8::/32 --reject\n",
     kRouteFields, kRouteKey, kRouteParents},
    {Kind::STATIC_MAC, "static-mac", "static-macs", "staticMac", "MAC addresses pinned to a port of a bridge",
     "  viaduct static-mac create --bridge blue --mac 02:00:00:00:00:01 --port vm1\n", kStaticMacFields, kStaticMacKey,
     kStaticParents},
    {Kind::STATIC_NEIGHBOUR, "static-neighbour", "static-neighbours", "staticNeighbour",
     "Addresses that a bridge answers ARP and ND for",
     "  viaduct static-neighbour create --bridge blue --ip 10.0.1.10 --mac 02:00:00:00:00:01\n", kStaticNeighbourFields,
     kStaticNeighbourKey, kStaticParents},
    {Kind::TUNNEL_ZONE,
     "tunnel-zone",
     "tunnel-zones",
     "tunnelZone",
     "Sets of hosts that reach each other through tunnels over the IP network beneath",
     "  viaduct tunnel-zone create underlay\n"
     "  viaduct tunnel-zone create old-rack --gre\n",
     kTunnelZoneFields,
     kNameKey,
     {},
     kShownWithTunnelZone},
    {Kind::TUNNEL_ZONE_HOST, "tunnel-zone-host", "tunnel-zone-hosts", "tunnelZoneHost",
     "Hosts in tunnel zones (see also tunnel-zone add-host)",
     "  viaduct tunnel-zone-host create --zone underlay --host node-1 --ip 192.0.2.1\n", kTunnelZoneHostFields,
     kTunnelZoneHostKey, kTunnelZoneHostParents},
}};

}  // namespace

const Field* KindInfo::find(std::string_view name_or_option) const {
  auto at = std::ranges::find_if(
      fields, [&](const Field& field) { return field.name == name_or_option || field.option == name_or_option; });
  return at == fields.end() ? nullptr : &*at;
}

const Field* KindInfo::opposite_of(const Field& field) const {
  if (field.sense == Sense::plain) return nullptr;
  auto at = std::ranges::find_if(
      fields, [&](const Field& other) { return other.schema == field.schema && other.sense != field.sense; });
  return at == fields.end() ? nullptr : &*at;
}

std::span<const KindInfo> kinds() {
  static const std::vector<KindInfo> kAll = [] {
    std::vector<KindInfo> all;
    for (const std::span<const KindInfo> part :
         {std::span<const KindInfo>(kNetworkKinds), rule_kinds(), group_kinds(), balancing_kinds(), bgp_kinds()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kAll;
}

const KindInfo& info(Kind kind) {
  return *std::ranges::find_if(kinds(), [&](const KindInfo& entry) { return entry.kind == kind; });
}

const KindInfo* find_kind(std::string_view name) {
  auto at = std::ranges::find_if(kinds(), [&](const KindInfo& entry) { return entry.name == name; });
  return at == kinds().end() ? nullptr : &*at;
}

const KindInfo* find_kind_by_schema(std::string_view member) {
  auto at = std::ranges::find_if(kinds(), [&](const KindInfo& entry) { return entry.schema == member; });
  return at == kinds().end() ? nullptr : &*at;
}

}  // namespace viaduct::api
