// Hosts with their interfaces and bindings; tunnel zones.
#include "api/midonet_cli/objects/parts.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr std::array kInterfaceFields = std::to_array<Field>({
    seen(text("iface", "name")),
    {.name = "host-id",
     .member = "hostId",
     .form = Form::reference,
     .of = "host",
     .marks = kReadOnly,
     .also = "host_id"},
    seen(number("status", "status")),
    {.name = "addresses", .member = "addresses", .form = Form::texts, .marks = kReadOnly},
    seen(text("mac", "mac")),
    seen(number("mtu", "mtu")),
    seen(text("type", "type")),
    seen(text("endpoint", "endpoint")),
});
constexpr Object kInterface{.name = "interface", .title = "interface", .fields = kInterfaceFields};

constexpr std::array kBindingFields = std::to_array<Field>({
    seen(reference("host", "hostId", "host")),
    text("interface", "interfaceName"),
    reference("port", "portId", "port"),
});
constexpr Object kBinding{.name = "binding", .title = "binding", .fields = kBindingFields};

constexpr std::array kHostFields = std::to_array<Field>({
    kIdField,
    seen(kNameField),
    seen(flag("alive", "alive")),
    {.name = "addresses", .member = "addresses", .form = Form::texts, .marks = kReadOnly},
    marked(number("flooding-proxy-weight", "floodingProxyWeight"), kKept),
    marked(number("container-weight", "containerWeight"), kKept),
    {.name = "container-limit", .member = "containerLimit", .form = Form::limit},
    flag("enforce-container-limit", "enforceContainerLimit"),
});
constexpr std::array kHostCollections = {
    Collection{.name = "interface", .of = &kInterface, .path = "interfaces", .verbs = kList},
    Collection{.name = "binding", .of = &kBinding, .path = "ports"},
};

constexpr std::array<Word, 3> kZoneTypes = {{{"gre", "gre"}, {"vxlan", "vxlan"}, {"vtep", "vtep"}}};
constexpr std::array kZoneFields = std::to_array<Field>({
    kIdField,
    marked(kNameField, kKept),
    choice("type", "type", kZoneTypes),
});
constexpr std::array kZoneMemberFields = std::to_array<Field>({
    seen(reference("zone", "tunnelZoneId", "tunnel-zone")),
    reference("host", "hostId", "host"),
    text("address", "ipAddress"),
});
constexpr Object kMember{.name = "memb", .title = "member of a tunnel zone", .fields = kZoneMemberFields};
constexpr std::array kZoneCollections = {Collection{.name = "member", .of = &kMember, .path = "hosts"}};

}  // namespace

const Object kHost{.name = "host", .title = "host", .fields = kHostFields, .collections = kHostCollections};
const Object kTunnelZone{
    .name = "tzone", .title = "tunnel zone", .fields = kZoneFields, .collections = kZoneCollections};

}  // namespace viaduct::api::midonet_cli
