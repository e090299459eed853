// Hosts and tunnel zones.
#include <algorithm>

#include "api/rest/document.hpp"
#include "api/rest/http.hpp"
#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

void emit_alive(const Emission& emission, Json& value) {
  value = false;
  const Json& status = emission.context().status();
  if (!status.is_object()) return;
  const std::string id = emission.record().id().to_string();
  for (const Json& agent : status.at("agents")) {
    if (agent.at("host") == id) value = agent.at("state") != "away";
  }
}

std::string endpoint_of(const std::string& kind) {
  if (kind.empty()) return "PHYSICAL";
  if (kind == "loopback") return "LOCALHOST";
  if (kind == "tun") return "TUNTAP";
  if (kind == "openvswitch") return "DATAPATH";
  if (kind == "gre" || kind == "gretap" || kind == "ip6gretap") return "GRE";
  return "UNKNOWN";
}
std::string type_of(const std::string& kind) {
  constexpr std::array<std::string_view, 9> kTunnels = {"vxlan", "gre",    "gretap", "ip6gre", "ip6gretap",
                                                        "ipip",  "geneve", "sit",    "ip6tnl"};
  if (kind.empty()) return "Physical";
  return std::ranges::count(kTunnels, kind) != 0 ? "Tunnel" : "Virtual";
}
std::string port_type_of(const std::string& kind) {
  if (kind == "openvswitch") return "Internal";
  if (kind == "vxlan") return "VXLan";
  return kind == "gretap" || kind == "gre" ? "Gre" : "NetDev";
}

void emit_addresses(const Emission& emission, Json& value) {
  value = Json::array();
  for (const auto& interface : emission.context().facts().interfaces_of(emission.record().id())) {
    for (const IpAddress& address : interface.addresses) value.push_back(address.to_string());
  }
}
void emit_interfaces(const Emission& emission, Json& value) {
  value = Json::array();
  const Uuid& host = emission.record().id();
  for (const auto& each : emission.context().facts().interfaces_of(host)) {
    value.push_back(interface_document(emission.context().base(), host, each));
  }
}

// Where flooding proxies and containers are placed: kept, and nothing goes by it yet. A PUT must have all four (MidoNet); what a
// POST leaves out stays as the schema has it.
constexpr uint64_t kNoLimit = 0xffff'ffff;
bool is_left_out(Intake& intake, std::string_view member, const Json& value) {
  if (!value.is_null()) return false;
  if (intake.intent() == Intent::update) intake.wrong(member, "may not be null");
  return true;
}
void take_weight(Intake& intake, std::string_view member, std::string_view field, int64_t most, const Json& value) {
  if (is_left_out(intake, member, value)) return;
  if (auto weight = intake.number(member, value, 0, most)) intake.record().set(field, static_cast<uint64_t>(*weight));
}
void take_flooding(Intake& intake, const Json& value) {
  take_weight(intake, "floodingProxyWeight", "flooding_proxy_weight", 0xffff, value);
}
void take_container_weight(Intake& intake, const Json& value) {
  take_weight(intake, "containerWeight", "container_weight", 0x7fff'ffff, value);
}
void take_limit(Intake& intake, const Json& value) {
  if (is_left_out(intake, "containerLimit", value)) return;
  const auto limit = intake.number("containerLimit", value, -1, 0x7fff'ffff);
  if (limit) intake.record().set("container_limit", *limit < 0 ? kNoLimit : static_cast<uint64_t>(*limit));
}
void take_enforce(Intake& intake, const Json& value) {
  if (is_left_out(intake, "enforceContainerLimit", value)) return;
  if (auto enforce = intake.boolean("enforceContainerLimit", value)) {
    intake.record().set("enforce_container_limit", *enforce);
  }
}
void emit_flooding(const Emission& emission, Json& value) {
  value = to_json(emission.record().get("flooding_proxy_weight"));
}
void emit_container_weight(const Emission& emission, Json& value) {
  value = to_json(emission.record().get("container_weight"));
}
void emit_limit(const Emission& emission, Json& value) {
  value = to_json(emission.record().get("container_limit"));
  if (value == kNoLimit) value = -1;
}
void emit_enforce(const Emission& emission, Json& value) {
  value = to_json(emission.record().get("enforce_container_limit"));
}
constexpr Member special(std::string_view name, void (*emit)(const Emission&, Json&),
                         void (*take)(Intake&, const Json&)) {
  return {.name = name, .shape = Shape::special, .emit = emit, .take = take};
}

void finish_host(Intake& intake) {
  if (intake.intent() == Intent::create && intake.given("id").is_null()) intake.wrong("id", "may not be null");
}

constexpr std::array kHostMembers = {
    kId,
    Member{.name = "name", .field = "name", .direction = Direction::create},
    Member{.name = "addresses", .shape = Shape::special, .direction = Direction::out, .emit = emit_addresses},
    Member{.name = "hostInterfaces", .shape = Shape::special, .direction = Direction::out, .emit = emit_interfaces},
    Member{.name = "alive", .shape = Shape::special, .direction = Direction::out, .emit = emit_alive},
    special("floodingProxyWeight", emit_flooding, take_flooding),
    special("containerWeight", emit_container_weight, take_container_weight),
    special("containerLimit", emit_limit, take_limit),
    special("enforceContainerLimit", emit_enforce, take_enforce),
};
constexpr std::array kHostLinks = {child_link("interfaces", "/interfaces"), child_link("ports", "/ports")};

constexpr std::array<Word, 2> kZoneTypes = {{{"vxlan", "vxlan"}, {"gre", "gre"}}};
void take_zone_type(Intake& intake, const Json& value) {
  const std::string type = intake.text("type", value).value_or("");
  if (type == "vtep") return intake.unsupported("type", "zones of hardware VTEPs");
  if (type != "gre" && type != "vxlan") return intake.wrong("type", "must be one of gre, vxlan, vtep");
  intake.record().set("type", type);
}
void emit_zone_type(const Emission& emission, Json& value) { value = to_json(emission.record().get("type")); }
constexpr std::array kZoneMembers = {
    kId,
    Member{.name = "name", .field = "name", .required = true},
    Member{.name = "type",
           .shape = Shape::special,
           .required = true,
           .words = kZoneTypes,
           .emit = emit_zone_type,
           .take = take_zone_type},
};
constexpr std::array kZoneLinks = {child_link("hosts", "/hosts")};

constexpr std::array<uint8_t, 1> kZoneHostVersions = {1};
constexpr std::array kZoneHostMembers = {
    Member{.name = "tunnelZoneId", .field = "zone", .shape = Shape::reference, .direction = Direction::out},
    Member{.name = "hostId", .field = "host", .shape = Shape::reference, .required = true},
    Member{.name = "ipAddress", .field = "address", .shape = Shape::address, .required = true},
};
constexpr std::array kZoneHostLinks = {reference_link("host", "hosts", "host"),
                                       reference_link("tunnelZone", "tunnel_zones", "zone")};

}  // namespace

// Interface-v1. `status`: 1 up, 2 with a carrier.
Json interface_document(const std::string& base, const Uuid& host, const topology::HostInterface& interface) {
  Json addresses = Json::array();
  for (const IpAddress& address : interface.addresses) addresses.push_back(address.to_string());
  return {{"hostId", host.to_string()},
          {"name", interface.name},
          {"mac", interface.mac == MacAddress() ? Json(nullptr) : Json(interface.mac.to_string())},
          {"mtu", interface.mtu},
          {"type", type_of(interface.kind)},
          {"endpoint", endpoint_of(interface.kind)},
          {"portType", port_type_of(interface.kind)},
          {"addresses", addresses},
          {"status", (interface.up ? 1 : 0) | (interface.carrier ? 2 : 0)},
          {"uri", base + "hosts/" + host.to_string() + "/interfaces/" + encode_segment(interface.name)}};
}

const Resource kHosts{.path = "hosts",
                      .kind = Kind::HOST,
                      .media = "Host",
                      .versions = kVersion3,
                      .verbs = kAllVerbs,
                      .members = kHostMembers,
                      .links = kHostLinks,
                      .finish = finish_host,
                      .missing_is_404 = true,
                      .root_collection = "hosts",
                      .root_template = "hostTemplate"};
const Resource kTunnelZones{.path = "tunnel_zones",
                            .kind = Kind::TUNNEL_ZONE,
                            .media = "TunnelZone",
                            .versions = kVersion1,
                            .verbs = kAllVerbs,
                            .members = kZoneMembers,
                            .links = kZoneLinks,
                            .root_collection = "tunnelZones",
                            .root_template = "tunnelZoneTemplate"};
const Resource kTunnelZoneHosts{.path = {},
                                .kind = Kind::TUNNEL_ZONE_HOST,
                                .media = "TunnelZoneHost",
                                .versions = kZoneHostVersions,
                                .verbs = kNoUpdate,
                                .members = kZoneHostMembers,
                                .links = kZoneHostLinks,
                                .missing_is_404 = true,
                                .declared = true};

}  // namespace viaduct::api::rest
