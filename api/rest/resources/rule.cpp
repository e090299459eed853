// Chains and rules. A rule's condition is a part of its document.
#include <algorithm>
#include <charconv>

#include "api/rest/document.hpp"
#include "api/rest/resources/parts.hpp"

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

// --- position ----------------------------------------------------------------------------------------

// Ours are numbers with gaps, MidoNet's count from 1. A rule is put between its neighbours, in the middle of the gap; where
// there is none the rules behind it move on.
constexpr uint64_t kGap = 1 << 16, kMiddle = uint64_t{1} << 31, kGreatest = 0xffff'ffff;

uint64_t position_of(const Record& rule) {
  const auto* position = std::get_if<uint64_t>(&rule.get("position"));
  return position == nullptr ? 0 : *position;
}

// Spreads all rules evenly anew, with room for one at `index`.
uint64_t spread(const std::vector<Record>& rules, size_t index, std::vector<Operation>& along) {
  const uint64_t step = std::min(kGap, kGreatest / (rules.size() + 2));
  for (size_t i = 0; i < rules.size(); ++i) {
    const uint64_t position = step * (i + (i < index ? 1 : 2));
    if (position_of(rules[i]) == position) continue;
    Operation move{Operation::Action::update, rules[i]};
    move.record.set("position", position);
    along.push_back(std::move(move));
  }
  return step * (index + 1);
}

uint64_t place(const std::vector<Record>& rules, size_t index, std::vector<Operation>& along) {
  if (rules.empty()) return kMiddle;
  const uint64_t before = index == 0 ? 0 : position_of(rules[index - 1]);
  if (index == rules.size()) {
    return before < kGreatest - kGap ? before + kGap : spread(rules, index, along);
  }
  const uint64_t behind = position_of(rules[index]);
  if (index == 0 && behind > kGap) return behind - kGap;
  return behind - before >= 2 ? before + (behind - before) / 2 : spread(rules, index, along);
}

void take_position(Intake& intake, const Json& value) {
  auto asked = intake.number("position", value, 0, kGreatest);
  if (!asked) return;
  const auto& rules = intake.context().rules_of(intake.record().reference("chain"));
  const size_t position = static_cast<size_t>(std::max<int64_t>(*asked, 1));
  if (position > rules.size() + 1) {
    return intake.wrong("position", "must be from 1 to " + std::to_string(rules.size() + 1) + ", as the chain has " +
                                        std::to_string(rules.size()) + " rules");
  }
  intake.record().set("position", place(rules, position - 1, intake.along()));
}
void emit_position(const Emission& emission, Json& value) {
  const auto& rules = emission.context().rules_of(emission.record().reference("chain"));
  const uint64_t own = position_of(emission.record());
  auto at = std::ranges::lower_bound(rules, own, {}, position_of);
  value = at - rules.begin() + 1;
}

// --- translation -------------------------------------------------------------------------------------

// "203.0.113.1-203.0.113.9:1024-65535", "[2001:db8::1]:80", "2001:db8:1::/48".
struct Target {
  std::string first, last;
  int64_t port_first = 0, port_last = 0;
};

Target parse_target(std::string_view text) {
  Target out;
  std::string_view ports;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    ports = text.substr(end + 1);
    text = text.substr(1, end - 1);
  } else if (const size_t colon = text.find(':'); colon != text.npos && text.find(':', colon + 1) == text.npos) {
    ports = text.substr(colon);
    text = text.substr(0, colon);
  }
  if (ports.starts_with(':')) {
    ports.remove_prefix(1);
    const size_t dash = std::min(ports.find('-'), ports.size());
    std::from_chars(ports.data(), ports.data() + dash, out.port_first);
    out.port_last = out.port_first;
    if (dash < ports.size()) std::from_chars(ports.data() + dash + 1, ports.data() + ports.size(), out.port_last);
  }
  const size_t dash = std::min(text.find('-'), text.size());
  out.first = text.substr(0, dash);
  out.last = dash < text.size() ? text.substr(dash + 1) : text;
  return out;
}

std::string to_text(const Target& target) {
  std::string addresses = target.first == target.last ? target.first : target.first + "-" + target.last;
  if (target.port_last == 0) return addresses;
  const bool v6 = addresses.find(':') != std::string::npos;
  std::string ports = std::to_string(target.port_first);
  if (target.port_last != target.port_first) ports += "-" + std::to_string(target.port_last);
  return (v6 ? "[" + addresses + "]" : addresses) + ":" + ports;
}

void take_targets(Intake& intake, const Json& value) {
  if (!value.is_array() || value.empty()) return intake.wrong("natTargets", "must be an array with a target at least");
  std::vector<std::string> targets;
  const Field& field = *intake.record().info().find("targets");
  for (const Json& entry : value) {
    if (!entry.is_object()) return intake.wrong("natTargets", "must be an array of objects");
    auto part = [&](const char* name) -> const Json& {
      static const Json kNull;
      auto at = entry.find(name);
      return at == entry.end() ? kNull : *at;
    };
    auto first = intake.text("natTargets.addressFrom", part("addressFrom"));
    auto last = intake.text("natTargets.addressTo", part("addressTo"));
    auto port_first = intake.number("natTargets.portFrom", part("portFrom"), 0, 65'535);
    auto port_last = intake.number("natTargets.portTo", part("portTo"), 0, 65'535);
    if (!first || !last || !port_first || !port_last) return;
    if (last->empty()) last = first;
    auto parsed = parse_value(field, {to_text({*first, *last, *port_first, *port_last})});
    if (!parsed) return intake.wrong("natTargets", "has a target that makes no sense: " + parsed.failure().message);
    targets.push_back(std::get<std::vector<std::string>>(*parsed).at(0));
  }
  intake.record().set("targets", targets);
}
void emit_targets(const Emission& emission, Json& value) {
  value = Json::array();
  const auto* targets = std::get_if<std::vector<std::string>>(&emission.record().get("targets"));
  if (targets == nullptr) return;
  for (const std::string& text : *targets) {
    const Target target = parse_target(text);
    value.push_back({{"addressFrom", target.first},
                     {"addressTo", target.last},
                     {"portFrom", target.port_first},
                     {"portTo", target.port_last}});
  }
}

constexpr std::array<Word, 3> kFlowActions = {{{"accept", "accept"}, {"continue", "continue"}, {"return", "return"}}};

// --- fragments ---------------------------------------------------------------------------------------

// One address for another: what has no ports can be translated too.
bool is_one_to_one(Intake& intake) {
  const Json& targets = intake.given("natTargets");
  if (!targets.is_array() || targets.size() != 1) return false;
  const auto* texts = std::get_if<std::vector<std::string>>(&intake.record().get("targets"));
  if (texts == nullptr || texts->size() != 1) return false;
  const Target target = parse_target(texts->at(0));
  return target.first == target.last && target.port_last == 0;
}

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

constexpr std::array kRuleMembers = {
    Member{.name = "type", .shape = Shape::special, .direction = Direction::create, .emit = emit_type},
    kId,
    Member{.name = "chainId", .field = "chain", .shape = Shape::reference, .direction = Direction::out},
    Member{
        .name = "position", .field = "position", .shape = Shape::special, .emit = emit_position, .take = take_position},
    Member{.name = "meterName", .shape = Shape::always_null, .direction = Direction::in},
    Member{.name = "jumpChainId", .field = "jump", .shape = Shape::reference, .required = true, .variants = kJump},
    Member{.name = "jumpChainName", .shape = Shape::always_null, .direction = Direction::in, .variants = kJump},
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
