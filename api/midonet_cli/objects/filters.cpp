// Chains with their rules; groups of ports and of IP addresses.
#include "api/midonet_cli/objects/parts.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr std::array<Word, 13> kRuleTypes = {{{"accept", "accept"},
                                              {"drop", "drop"},
                                              {"reject", "reject"},
                                              {"return", "return"},
                                              {"jump", "jump"},
                                              {"dnat", "dnat"},
                                              {"snat", "snat"},
                                              {"rev_dnat", "rev_dnat"},
                                              {"rev_snat", "rev_snat"},
                                              {"l2-transform", "l2_transform"},
                                              {"trace", "trace"},
                                              {"continue", "continue"},
                                              {"redirect", "redirect"}}};
constexpr std::array<Word, 4> kActions = {
    {{"accept", "accept"}, {"continue", "continue"}, {"return", "return"}, {"redirect", "redirect"}}};

constexpr Field of_types(Field field, std::string_view types) {
  field.when = types;
  return field;
}
constexpr std::string_view kTransform = "l2-transform";
constexpr std::array kRuleOwnFields = std::to_array<Field>({
    kIdField,
    marked(reference("chain", "chainId", "chain"), kReadOnly | kHidden),
    number("pos", "position"),
    choice("type", "type", kRuleTypes),
    of_types(choice("action", "flowAction", kActions), "dnat snat rev_dnat rev_snat l2-transform"),
    of_types(reference("jump-to", "jumpChainId", "chain"), "jump"),
    of_types(reference("target-port", "targetPortId", "port"), kTransform),
    of_types(flag("ingress", "ingress"), kTransform),
    of_types(flag("fail-open", "failOpen"), kTransform),
    of_types(flag("pop-vlan", "popVlan"), kTransform),
    of_types(number("push-vlan", "pushVlan"), kTransform),
    of_types({.name = "target", .member = "natTargets", .form = Form::targets}, "dnat snat"),
    of_types(text("traceid", "requestId"), "trace"),
    of_types(number("tracelimit", "limit"), "trace"),
});
constexpr auto kRuleFields = join(condition(), kRuleOwnFields);
constexpr Object kRule{.name = "rule", .title = "rule", .fields = kRuleFields};

constexpr std::array kChainFields = std::to_array<Field>({kIdField, kTenantField, kNameField});
constexpr std::array kChainCollections = {
    Collection{.name = "rule", .of = &kRule, .path = "rules", .one = "rules", .parent = "chainId"}};

constexpr std::array kPortGroupFields =
    std::to_array<Field>({kIdField, kTenantField, kNameField, flag("stateful", "stateful")});
constexpr std::array kPortGroupPortFields = std::to_array<Field>({
    marked(reference("port-group", "portGroupId", "port-group"), kReadOnly),
    reference("port", "portId", "port"),
});
constexpr Object kPortGroupPort{.name = "pgport", .title = "member of a port group", .fields = kPortGroupPortFields};
constexpr std::array kPortGroupCollections = {Collection{.name = "member", .of = &kPortGroupPort, .path = "ports"}};

// The version follows from the address.
Result<Done> finish_address(const Json&, Json& document) {
  auto at = document.find("addr");
  if (at == document.end() || !at->is_string()) return usage_error("address: missing", "say which address");
  const auto parsed = IpPrefix::parse(at->get<std::string>());
  if (!parsed) return usage_error("address: '" + at->get<std::string>() + "' is no IPv4 or IPv6 address");
  const int version = parsed->address().is_v6() ? 6 : 4;
  auto wanted = document.find("version");
  if (wanted != document.end() && *wanted != version)
    return usage_error("address: " + at->get<std::string>() + " is not of IPv" + wanted->dump(),
                       version == 6 ? "add it with ipv6" : "add it with ipv4");
  document["version"] = version;
  return Done{};
}
constexpr std::array kAddressFields = std::to_array<Field>({text("address", "addr")});
constexpr Object kAddress{
    .name = "addr", .title = "address of an IP address group", .fields = kAddressFields, .finish = finish_address};
constexpr std::array kIpAddressGroupFields = std::to_array<Field>({kIdField, kNameField});
constexpr std::array kIpAddressGroupCollections = {
    Collection{.name = "ip", .of = &kAddress, .path = "ip_addrs"},
    Collection{.name = "ipv4", .of = &kAddress, .path = "ip_addrs", .version = 4},
    Collection{.name = "ipv6", .of = &kAddress, .path = "ip_addrs", .version = 6},
};

}  // namespace

const Object kChain{
    .name = "chain", .title = "chain", .fields = kChainFields, .collections = kChainCollections, .tenant = "tenantId"};
const Object kPortGroup{.name = "pgroup",
                        .title = "port group",
                        .fields = kPortGroupFields,
                        .collections = kPortGroupCollections,
                        .tenant = "tenantId"};
const Object kIpAddressGroup{.name = "ipg",
                             .title = "IP address group",
                             .fields = kIpAddressGroupFields,
                             .collections = kIpAddressGroupCollections};

}  // namespace viaduct::api::midonet_cli
