// Port groups and IP address groups, with what is in them.
#include "api/rest/document.hpp"
#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

constexpr std::array kPortGroupMembers = {kId, kTenantId, kMemberName,
                                          Member{.name = "stateful", .field = "stateful", .shape = Shape::boolean}};
constexpr std::array kPortGroupLinks = {child_link("ports", "/ports")};

constexpr std::array kPortGroupPortMembers = {
    Member{.name = "portGroupId", .field = "group", .shape = Shape::reference, .direction = Direction::out},
    Member{.name = "portId", .field = "port", .shape = Shape::reference, .required = true},
};
constexpr std::array kPortGroupPortLinks = {reference_link("portGroup", "port_groups", "group"),
                                            reference_link("port", "ports", "port")};

constexpr std::array kIpGroupMembers = {
    kId,
    Member{.name = "name", .field = "name", .required = true},
    later_ids("ipAddrPorts"),
    later_id("inboundChainId"),
    later_id("outboundChainId"),
    later_ids("ruleIds"),
};
constexpr std::array kIpGroupLinks = {child_link("addrs", "/ip_addrs")};

// An address; what the tool has put into the group may be a prefix.
void emit_address(const Emission& emission, Json& value) {
  const auto* prefix = std::get_if<IpPrefix>(&emission.record().get("prefix"));
  if (prefix != nullptr) value = prefix->is_host() ? prefix->address().to_string() : prefix->to_string();
}
void take_address(Intake& intake, const Json& value) {
  auto text = intake.text("addr", value);
  if (!text) return;
  auto prefix = IpPrefix::parse(*text);
  if (!prefix) return intake.wrong("addr", "must be an IPv4 or IPv6 address");
  auto version = intake.number("version", intake.given("version"), 4, 6);
  if (!version) return;
  if (*version != (prefix->address().is_v6() ? 6 : 4)) return intake.wrong("version", "is not the address's");
  intake.record().set("prefix", *prefix);
}
void emit_version(const Emission& emission, Json& value) {
  const auto* prefix = std::get_if<IpPrefix>(&emission.record().get("prefix"));
  value = prefix != nullptr && prefix->address().is_v6() ? 6 : 4;
}
constexpr std::array kIpGroupAddressMembers = {
    Member{.name = "version", .shape = Shape::special, .direction = Direction::out, .emit = emit_version},
    Member{.name = "ipAddrGroupId", .field = "group", .shape = Shape::reference, .direction = Direction::out},
    Member{.name = "addr", .shape = Shape::special, .required = true, .emit = emit_address, .take = take_address},
};
constexpr std::array kIpGroupAddressLinks = {reference_link("ipAddrGroup", "ip_addr_groups", "group")};

}  // namespace

const Resource kPortGroups{.path = "port_groups",
                           .kind = Kind::PORT_GROUP,
                           .media = "PortGroup",
                           .versions = kVersion1,
                           .verbs = kAllVerbs,
                           .members = kPortGroupMembers,
                           .links = kPortGroupLinks,
                           .root_collection = "portGroups",
                           .root_template = "portGroupTemplate"};
const Resource kPortGroupPorts{.path = {},
                               .kind = Kind::PORT_GROUP_PORT,
                               .media = "PortGroupPort",
                               .versions = kVersion1,
                               .verbs = kNoUpdate,
                               .members = kPortGroupPortMembers,
                               .links = kPortGroupPortLinks,
                               .missing_is_404 = true};
const Resource kIpGroups{.path = "ip_addr_groups",
                         .kind = Kind::IP_GROUP,
                         .media = "IpAddrGroup",
                         .versions = kVersion1,
                         .verbs = kNoUpdate,
                         .members = kIpGroupMembers,
                         .links = kIpGroupLinks,
                         .root_collection = "ipAddrGroups",
                         .root_template = "ipAddrGroupTemplate"};
const Resource kIpGroupAddresses{.path = {},
                                 .kind = Kind::IP_GROUP_ADDRESS,
                                 .media = "IpAddrGroupAddr",
                                 .versions = kVersion1,
                                 .verbs = kNoUpdate,
                                 .members = kIpGroupAddressMembers,
                                 .links = kIpGroupAddressLinks};

}  // namespace viaduct::api::rest
