// Chains and rules. A rule's condition is a part of its document.
#include <algorithm>

#include "api/rest/document.hpp"
#include "api/rest/resources/parts.hpp"
#include "api/rest/resources/rule_members.hpp"

namespace viaduct::api::rest {
namespace {

constexpr std::array kChainMembers = {kId, kTenantId, kMemberName};
constexpr std::array kChainLinks = {child_link("rules", "/rules")};

// --- types -------------------------------------------------------------------------------------------

constexpr uint8_t kPlain = 1, kJump = 2, kTranslate = 4, kReverse = 8;

std::string text_of(const Record& record, std::string_view field) {
  const auto* text = std::get_if<std::string>(&record.get(field));
  return text == nullptr ? std::string() : *text;
}

uint8_t variant(const Record& record) {
  const std::string nat = text_of(record, "nat");
  if (nat == "dnat" || nat == "snat") return kTranslate;
  if (nat == "reverse-dnat" || nat == "reverse-snat") return kReverse;
  return text_of(record, "action") == "jump" ? kJump : kPlain;
}

struct Type {
  std::string_view wire, nat, action;  // action empty: the member flowAction says
};
constexpr std::array<Type, 9> kTypes = {{{"accept", "none", "accept"},
                                         {"drop", "none", "drop"},
                                         {"reject", "none", "reject"},
                                         {"return", "none", "return"},
                                         {"jump", "none", "jump"},
                                         {"dnat", "dnat", ""},
                                         {"snat", "snat", ""},
                                         {"rev_dnat", "reverse-dnat", ""},
                                         {"rev_snat", "reverse-snat", ""}}};

uint8_t variant_of(Intake& intake) {
  const std::string wire = intake.text("type", intake.given("type")).value_or("");
  if (wire == "l2_transform" || wire == "trace") {
    intake.unsupported("type", "rules of the type " + wire);
    return 0;
  }
  auto type = std::ranges::find_if(kTypes, [&](const Type& each) { return each.wire == wire; });
  if (type == kTypes.end()) return 0;
  intake.record().set("nat", std::string(type->nat));
  if (!type->action.empty()) intake.record().set("action", std::string(type->action));
  return variant(intake.record());
}
void emit_type(const Emission& emission, Json& value) {
  const std::string nat = text_of(emission.record(), "nat"), action = text_of(emission.record(), "action");
  for (const Type& type : kTypes) {
    if (type.nat == nat && (type.action.empty() || type.action == action)) value = std::string(type.wire);
  }
  if (value.is_null()) value = action;  // "continue": the tool's, which MidoNet does not have
}

constexpr std::array<Word, 3> kFlowActions = {{{"accept", "accept"}, {"continue", "continue"}, {"return", "return"}}};

// --- fragments ---------------------------------------------------------------------------------------

void finish(Intake& intake) {
  Record& record = intake.record();
  const bool ports = !intake.given("tpSrc").is_null() || !intake.given("tpDst").is_null();
  const bool translates = variant(record) == kTranslate;
  const bool one_to_one = translates && !ports && is_one_to_one(intake);
  const Json& given = intake.given("fragmentPolicy");
  std::string policy = intake.text("fragmentPolicy", given).value_or("");
  if (policy.empty()) {
    policy = translates ? (one_to_one ? "any" : "unfragmented") : (ports ? "header" : "any");
  } else if (policy != "any" && policy != "header" && policy != "nonheader" && policy != "unfragmented") {
    return intake.wrong("fragmentPolicy", "must be one of any, header, nonheader, unfragmented");
  } else if (translates && !one_to_one && policy != "unfragmented") {
    return intake.wrong("fragmentPolicy", "must be unfragmented: the rule translates ports, or to several addresses");
  } else if (ports && (policy == "any" || policy == "nonheader")) {
    return intake.wrong("fragmentPolicy", "must be header or unfragmented: later fragments have no ports");
  }
  record.set("fragments", policy);
}

// --- conditions --------------------------------------------------------------------------------------

constexpr Member flag(std::string_view name, std::string_view field) {
  return {.name = name, .field = field, .shape = Shape::boolean};
}
constexpr Member inverted(std::string_view name, std::string_view field) {
  return {.name = name, .field = field, .shape = Shape::inverted};
}
constexpr Member part(std::string_view name, std::string_view field, Shape shape, int64_t least = 0) {
  return {.name = name, .field = field, .shape = shape, .least = least};
}
void emit_vlan(const Emission& emission, Json& value) {
  const auto* vlan = std::get_if<uint64_t>(&emission.record().get("vlan"));
  value = vlan == nullptr || *vlan == 0 ? Json(nullptr) : Json(*vlan);
}
void take_vlan(Intake& intake, const Json& value) {
  if (auto vlan = intake.number("vlan", value, 0, 4094)) intake.record().set("vlan", static_cast<uint64_t>(*vlan));
}
void emit_fragments(const Emission& emission, Json& value) { value = text_of(emission.record(), "fragments"); }

// The id says which chain it is; MidoNet does not resolve the name either.
void emit_jump_name(const Emission& emission, Json& value) {
  const std::string& name = emission.context().name_of(Kind::CHAIN, emission.record().reference("jump"));
  if (!name.empty()) value = name;
}
void take_jump_name(Intake& intake, const Json& value) { intake.text("jumpChainName", value); }

constexpr std::array kRuleMembers = {
    Member{.name = "type", .shape = Shape::special, .direction = Direction::create, .emit = emit_type},
    kId,
    Member{.name = "chainId", .field = "chain", .shape = Shape::reference, .direction = Direction::out},
    Member{
        .name = "position", .field = "position", .shape = Shape::special, .emit = emit_position, .take = take_position},
    Member{.name = "meterName", .field = "meter"},
    Member{.name = "jumpChainId", .field = "jump", .shape = Shape::reference, .required = true, .variants = kJump},
    Member{.name = "jumpChainName",
           .shape = Shape::special,
           .variants = kJump,
           .emit = emit_jump_name,
           .take = take_jump_name},
    Member{.name = "flowAction",
           .field = "action",
           .shape = Shape::choice,
           .required = true,
           .words = kFlowActions,
           .variants = kTranslate | kReverse},
    Member{.name = "natTargets",
           .field = "targets",
           .shape = Shape::special,
           .variants = kTranslate,
           .emit = emit_targets,
           .take = take_targets},
    flag("condInvert", "inverted"),
    flag("matchForwardFlow", "forward_flow"),
    flag("matchReturnFlow", "return_flow"),
    part("inPorts", "in_ports", Shape::references),
    inverted("invInPorts", "in_ports"),
    part("outPorts", "out_ports", Shape::references),
    inverted("invOutPorts", "out_ports"),
    part("portGroup", "port_group", Shape::reference),
    inverted("invPortGroup", "port_group"),
    part("inPortGroup", "in_port_group", Shape::reference),
    inverted("invInPortGroup", "in_port_group"),
    part("outPortGroup", "out_port_group", Shape::reference),
    inverted("invOutPortGroup", "out_port_group"),
    part("ipAddrGroupSrc", "ip_src_group", Shape::reference),
    inverted("invIpAddrGroupSrc", "ip_src_group"),
    part("ipAddrGroupDst", "ip_dst_group", Shape::reference),
    inverted("invIpAddrGroupDst", "ip_dst_group"),
    part("traversedDevice", "traversed_device", Shape::reference),
    inverted("invTraversedDevice", "traversed_device"),
    flag("noVlan", "untagged"),
    Member{.name = "vlan", .field = "vlan", .shape = Shape::special, .emit = emit_vlan, .take = take_vlan},
    part("dlType", "eth_type", Shape::named_number, 1536),
    inverted("invDlType", "eth_type"),
    part("dlSrc", "eth_src", Shape::masked_mac),
    part("dlSrcMask", "eth_src", Shape::mac_mask),
    inverted("invDlSrc", "eth_src"),
    part("dlDst", "eth_dst", Shape::masked_mac),
    part("dlDstMask", "eth_dst", Shape::mac_mask),
    inverted("invDlDst", "eth_dst"),
    part("nwTos", "ip_tos", Shape::named_number),
    inverted("invNwTos", "ip_tos"),
    part("nwProto", "ip_proto", Shape::named_number),
    inverted("invNwProto", "ip_proto"),
    part("nwSrcAddress", "ip_src", Shape::prefix_address),
    part("nwSrcLength", "ip_src", Shape::prefix_length),
    inverted("invNwSrc", "ip_src"),
    part("nwDstAddress", "ip_dst", Shape::prefix_address),
    part("nwDstLength", "ip_dst", Shape::prefix_length),
    inverted("invNwDst", "ip_dst"),
    flag("matchNwDstRewritten", "destination_rewritten"),
    Member{.name = "fragmentPolicy", .field = "fragments", .shape = Shape::special, .emit = emit_fragments},
    part("tpSrc", "l4_src", Shape::range),
    inverted("invTpSrc", "l4_src"),
    part("tpDst", "l4_dst", Shape::range),
    inverted("invTpDst", "l4_dst"),
    part("icmpDataSrcIpAddress", "icmp_data_src", Shape::prefix_address),
    part("icmpDataSrcIpLength", "icmp_data_src", Shape::prefix_length),
    inverted("invIcmpDataSrcIp", "icmp_data_src"),
    part("icmpDataDstIpAddress", "icmp_data_dst", Shape::prefix_address),
    part("icmpDataDstIpLength", "icmp_data_dst", Shape::prefix_length),
    inverted("invIcmpDataDstIp", "icmp_data_dst"),
};

}  // namespace

const Resource kChains{.path = "chains",
                       .kind = Kind::CHAIN,
                       .media = "Chain",
                       .versions = kVersion1,
                       .verbs = kNoUpdate,
                       .members = kChainMembers,
                       .links = kChainLinks,
                       .missing_is_404 = true,
                       .root_collection = "chains",
                       .root_template = "chainTemplate"};
const Resource kRules{.path = "rules",
                      .kind = Kind::RULE,
                      .media = "Rule",
                      .versions = kVersion2,
                      .verbs = kGet | kRemove,
                      .members = kRuleMembers,
                      .links = {},
                      .variant = variant,
                      .variant_of = variant_of,
                      .finish = finish,
                      .missing_is_404 = true,
                      .root_template = "ruleTemplate"};

}  // namespace viaduct::api::rest
