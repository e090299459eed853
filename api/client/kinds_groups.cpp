// Groups of ports and addresses.
#include "api/client/kinds_parts.hpp"

namespace viaduct::api {
namespace {

using enum FieldType;

constexpr std::array kPortGroupFields = {
    kName,
    kTenant,
    Field{.name = "stateful",
          .option = "stateful",
          .schema = "stateful",
          .type = boolean,
          .help = "Connections through one port may come back by any other: true or false"},
};
constexpr std::array kPortGroupPortFields = {
    reference_field("group", "group", "group", Kind::PORT_GROUP, "Port group", Presence::required),
    reference_field("port", "port", "port", Kind::PORT, "Port that is in it", Presence::required),
};
constexpr std::array kIpGroupFields = {kName, kTenant};
constexpr std::array kIpGroupAddressFields = {
    reference_field("group", "group", "group", Kind::IP_GROUP, "IP group", Presence::required),
    Field{.name = "prefix",
          .option = "ip",
          .schema = "prefix",
          .type = prefix,
          .help = "Address or prefix that is in it",
          .presence = Presence::required},
};

constexpr std::array<std::string_view, 1> kPortKey = {"port"};
constexpr std::array<std::string_view, 1> kPrefixKey = {"prefix"};
constexpr std::array<std::string_view, 1> kInGroup = {"group"};
constexpr std::array kShownWithPortGroup = {Kind::PORT_GROUP_PORT};
constexpr std::array kShownWithIpGroup = {Kind::IP_GROUP_ADDRESS};

constexpr std::array<KindInfo, 4> kGroupKinds = {{
    {Kind::PORT_GROUP,
     "port-group",
     "port-groups",
     "portGroup",
     "Sets of ports that rules name, or that share connections",
     "  viaduct port-group create uplinks --stateful true\n",
     kPortGroupFields,
     kNameKey,
     {},
     kShownWithPortGroup},
    {Kind::PORT_GROUP_PORT, "port-group-port", "port-group-ports", "portGroupPort", "Ports in port groups",
     "  viaduct port-group-port create --group uplinks --port r1-up1\n", kPortGroupPortFields, kPortKey, kInGroup},
    {Kind::IP_GROUP,
     "ip-group",
     "ip-groups",
     "ipGroup",
     "Sets of addresses that rules name",
     "  viaduct ip-group create partners\n",
     kIpGroupFields,
     kNameKey,
     {},
     kShownWithIpGroup},
    {Kind::IP_GROUP_ADDRESS, "ip-group-address", "ip-group-addresses", "ipGroupAddress", "Addresses in IP groups",
     "  viaduct ip-group-address create --group partners --ip 198.51.100.0/24\n", kIpGroupAddressFields, kPrefixKey,
     kInGroup},
}};

}  // namespace

std::span<const KindInfo> group_kinds() { return kGroupKinds; }

}  // namespace viaduct::api
