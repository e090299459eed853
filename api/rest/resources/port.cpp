// Ports of bridges and routers: one resource, whose documents tell which by "type".
#include <random>

#include "api/rest/document.hpp"
#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

constexpr uint8_t kOnBridge = 1, kOnRouter = 2;

uint8_t variant(const Record& record) { return record.reference("router").is_nil() ? kOnBridge : kOnRouter; }

uint8_t variant_of(Intake& intake) {
  const std::string type = intake.text("type", intake.given("type")).value_or("");
  uint8_t asked = 0;
  if (type == "Bridge" || type == "ExteriorBridge" || type == "InteriorBridge") asked = kOnBridge;
  if (type == "Router" || type == "ExteriorRouter" || type == "InteriorRouter") asked = kOnRouter;
  if (type == "Vxlan") {
    intake.wrong("type", "such ports come with the bindings of a VTEP");
    return 0;
  }
  if (asked != 0 && asked != variant(intake.record())) {
    intake.wrong(
        "type", asked == kOnBridge ? "is Bridge, and the device is a router" : "is Router, and the device is a bridge");
    return 0;
  }
  return asked;
}

void emit_type(const Emission& emission, Json& value) {
  value = variant(emission.record()) == kOnBridge ? "Bridge" : "Router";
}
void emit_device(const Emission& emission, Json& value) {
  const Record& record = emission.record();
  value = record.reference(variant(record) == kOnBridge ? "bridge" : "router").to_string();
}
std::string device_link(const Emission& emission) {
  const Record& record = emission.record();
  return variant(record) == kOnBridge ? emission.uri_of("bridges", record.reference("bridge"))
                                      : emission.uri_of("routers", record.reference("router"));
}
std::string binding_link(const Emission& emission) {
  const std::string host = emission.uri_of("hosts", emission.record().reference("host"));
  return host.empty() ? host : host + "/ports/" + emission.record().id().to_string();
}
std::string peering_link(const Emission& emission) {
  return device_link(emission) + "/ports/" + emission.record().id().to_string() + "/peering_table";
}

void emit_active(const Emission& emission, Json& value) {
  const Record& record = emission.record();
  const Uuid device = record.reference(variant(record) == kOnBridge ? "bridge" : "router");
  value = !record.reference("host").is_nil() && emission.context().facts().is_active(record.id(), device);
}
void emit_zero(const Emission&, Json& value) { value = 0; }

// A binding or a link that is there is not changed by a PUT: hosts/{id}/ports and ports/{id}/link do that.
template <class T>
bool is_stored(Intake& intake, std::string_view field) {
  return intake.intent() == Intent::update && std::holds_alternative<T>(intake.record().get(field));
}
void take_host(Intake& intake, const Json& value) {
  if (is_stored<Uuid>(intake, "host")) return;
  auto host = intake.id("hostId", value);
  if (host) intake.record().set("host", host->is_nil() ? Value{} : Value(*host));
}
void take_interface(Intake& intake, const Json& value) {
  const auto* stored = std::get_if<std::string>(&intake.record().get("interface"));
  if (intake.intent() == Intent::update && stored != nullptr && !stored->empty()) return;
  if (auto name = intake.text("interfaceName", value)) intake.record().set("interface", *name);
}
void take_peer(Intake& intake, const Json& value) {
  if (is_stored<Uuid>(intake, "peer")) return;
  auto peer = intake.id("peerId", value);
  if (peer) intake.record().set("peer", peer->is_nil() ? Value{} : Value(*peer));
}
// A UUID of OpenStack's; the tool may have given another name.
void emit_vif(const Emission& emission, Json& value) {
  const std::string vif = std::get<std::string>(emission.record().get("vif"));
  value = vif.empty() ? Json(nullptr) : Json(vif);
}
void take_vif(Intake& intake, const Json& value) {
  auto id = intake.id("vifId", value);
  if (id) intake.record().set("vif", id->is_nil() ? std::string() : id->to_string());
}
void emit_host(const Emission& emission, Json& value) { value = to_json(emission.record().get("host")); }
void emit_peer(const Emission& emission, Json& value) { value = to_json(emission.record().get("peer")); }
void emit_interface(const Emission& emission, Json& value) {
  const auto* name = std::get_if<std::string>(&emission.record().get("interface"));
  value = name == nullptr || name->empty() ? Json(nullptr) : Json(*name);
}

// --- of router ports ---------------------------------------------------------------------------------

const IpPrefix* first_v4(const Record& record) {
  const auto* prefixes = std::get_if<std::vector<IpPrefix>>(&record.get("addresses"));
  if (prefixes == nullptr) return nullptr;
  for (const IpPrefix& prefix : *prefixes) {
    if (!prefix.address().is_v6()) return &prefix;
  }
  return nullptr;
}
void emit_address(const Emission& emission, Json& value) {
  if (const IpPrefix* prefix = first_v4(emission.record())) value = prefix->address().to_string();
}
void emit_network(const Emission& emission, Json& value) {
  if (const IpPrefix* prefix = first_v4(emission.record())) value = prefix->network().address().to_string();
}
void emit_length(const Emission& emission, Json& value) {
  const IpPrefix* prefix = first_v4(emission.record());
  value = prefix == nullptr ? 0 : prefix->length();
}

MacAddress random_mac() {
  std::random_device random;
  return *MacAddress::parse([&] {
    char text[18];
    const unsigned bits = random();
    snprintf(text, sizeof text, "ac:ca:ba:%02x:%02x:%02x", bits & 0xff, bits >> 8 & 0xff, bits >> 16 & 0xff);
    return std::string(text);
  }());
}
void take_mac(Intake& intake, const Json& value) {
  const std::string text = intake.text("portMac", value).value_or("");
  if (text.empty()) {
    if (intake.intent() == Intent::create) intake.record().set("mac", random_mac());
    return;
  }
  if (auto mac = intake.mac("portMac", value)) intake.record().set("mac", *mac);
}
void emit_mac(const Emission& emission, Json& value) { value = to_json(emission.record().get("mac")); }

// A list of subnets that is not empty wins over the older form: one address and a length.
void finish(Intake& intake) {
  Record& record = intake.record();
  if (variant(record) == kOnBridge) return;
  const auto* subnets = std::get_if<std::vector<IpPrefix>>(&record.get("addresses"));
  if (subnets != nullptr && !subnets->empty()) return;
  const Json& address = intake.given("portAddress");
  if (address.is_null() || address == "") {
    return intake.wrong("portSubnet", "is empty, and there is no portAddress: give one of them");
  }
  auto parsed = intake.address("portAddress", address);
  if (!parsed) return;
  auto length = intake.number("networkLength", intake.given("networkLength"), 0, parsed->width_bits());
  if (length) record.set("addresses", std::vector<IpPrefix>{IpPrefix(*parsed, static_cast<int>(*length))});
}

constexpr std::array<uint8_t, 2> kVersions = {3, 4};
constexpr std::array kMembers = {
    Member{.name = "type", .shape = Shape::special, .direction = Direction::create, .emit = emit_type},
    kId,
    Member{.name = "deviceId", .shape = Shape::special, .direction = Direction::out, .emit = emit_device},
    kAdminStateUp,
    reference_member("inboundFilterId", "inbound_filter"),
    reference_member("outboundFilterId", "outbound_filter"),
    Member{.name = "tunnelKey", .shape = Shape::special, .direction = Direction::out, .emit = emit_zero},
    Member{.name = "vifId", .shape = Shape::special, .emit = emit_vif, .take = take_vif},
    Member{.name = "hostId", .field = "host", .shape = Shape::special, .emit = emit_host, .take = take_host},
    Member{.name = "interfaceName",
           .field = "interface",
           .shape = Shape::special,
           .emit = emit_interface,
           .take = take_interface},
    Member{.name = "peerId", .field = "peer", .shape = Shape::special, .emit = emit_peer, .take = take_peer},
    later_ids("inboundMirrorIds"),
    later_ids("outboundMirrorIds"),
    later_ids("postInFilterMirrorIds"),
    later_ids("preOutFilterMirrorIds"),
    Member{.name = "insertionIds", .shape = Shape::always_empty, .direction = Direction::out},
    later_id("qosPolicyId"),
    Member{.name = "active", .shape = Shape::special, .direction = Direction::out, .emit = emit_active},
    Member{.name = "vlanId", .field = "vlan", .shape = Shape::number, .variants = kOnBridge},
    Member{.name = "portSubnet", .field = "addresses", .shape = Shape::cidrs, .variants = kOnRouter},
    Member{.name = "portAddress", .shape = Shape::special, .variants = kOnRouter, .emit = emit_address},
    Member{.name = "networkAddress", .shape = Shape::special, .variants = kOnRouter, .emit = emit_network},
    Member{.name = "networkLength", .shape = Shape::special, .variants = kOnRouter, .emit = emit_length},
    Member{.name = "portMac",
           .field = "mac",
           .shape = Shape::special,
           .variants = kOnRouter,
           .emit = emit_mac,
           .take = take_mac},
    Member{.name = "rtrPortVni", .shape = Shape::always_null, .variants = kOnRouter},
    Member{.name = "offRampVxlan", .shape = Shape::always_null, .variants = kOnRouter},
    Member{.name = "serviceContainerId", .shape = Shape::always_null, .variants = kOnRouter},
    Member{.name = "bgpStatus", .shape = Shape::always_null, .direction = Direction::out, .variants = kOnRouter},
};
constexpr std::array kLinks = {
    Link{.name = "device", .make = device_link},
    reference_link("host", "hosts", "host"),
    reference_link("peer", "ports", "peer"),
    child_link("link", "/link"),
    child_link("portGroups", "/port_groups"),
    Link{.name = "hostInterfacePort", .make = binding_link},
    reference_link("inboundFilter", "chains", "inbound_filter"),
    reference_link("outboundFilter", "chains", "outbound_filter"),
    Link{.name = "peeringTable", .variants = kOnRouter, .make = peering_link},
    Link{.name = "serviceContainer", .variants = kOnRouter, .make = [](const Emission&) { return std::string(); }},
};

}  // namespace

const Resource kPorts{.path = "ports",
                      .kind = Kind::PORT,
                      .media = "Port",
                      .versions = kVersions,
                      .verbs = kList | kGet | kUpdate | kRemove,
                      .members = kMembers,
                      .links = kLinks,
                      .variant = variant,
                      .variant_of = variant_of,
                      .finish = finish,
                      .missing_is_404 = true,
                      .root_collection = "ports",
                      .root_template = "portTemplate"};

}  // namespace viaduct::api::rest
