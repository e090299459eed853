// Chains and rules.
#include <algorithm>
#include <limits>

#include "topology/codec_object.hpp"

namespace viaduct::topology::object_codec {
namespace {

// --- matches: read_value and write_value of each sort ----------------------------------------------

template <class Number>
Error read_value(std::optional<Number>& value, schema::NumberMatch::Reader from) {
  if (from.getValue() > std::numeric_limits<Number>::max()) return std::to_string(from.getValue()) + " is over 255";
  value = static_cast<Number>(from.getValue());
  return {};
}
void write_value(uint16_t value, schema::NumberMatch::Builder to) { to.setValue(value); }

Error read_value(std::optional<Uuid>& value, schema::UuidMatch::Reader from) {
  value = topology::decode(from.getValue());
  return {};
}
template <class Kind>
Error read_value(std::optional<Id<Kind>>& value, schema::UuidMatch::Reader from) {
  value = Id<Kind>(topology::decode(from.getValue()));
  return {};
}
void write_value(const Uuid& value, schema::UuidMatch::Builder to) { topology::encode(value, to.initValue()); }
template <class Kind>
void write_value(const Id<Kind>& value, schema::UuidMatch::Builder to) {
  topology::encode(value.uuid(), to.initValue());
}

Error read_value(std::optional<std::vector<PortId>>& value, schema::UuidListMatch::Reader from) {
  const auto list = from.getValues();
  if (list.size() > kMaxListed) return "more than " + std::to_string(kMaxListed);
  value.emplace();
  for (auto id : list) value->emplace_back(topology::decode(id));
  return {};
}
void write_value(const std::vector<PortId>& value, schema::UuidListMatch::Builder to) {
  auto list = to.initValues(static_cast<unsigned>(value.size()));
  for (unsigned i = 0; i < list.size(); ++i) topology::encode(value[i].uuid(), list[i]);
}

Error read_value(std::optional<MacMatch>& value, schema::MacMatch::Reader from) {
  value.emplace();
  if (Error error = read_mac(value->address, from.getAddress(), "address"); !error.empty()) return error;
  return read_mac(value->mask, from.getMask(), "mask");
}
void write_value(const MacMatch& value, schema::MacMatch::Builder to) {
  to.setAddress(value.address.as_uint64());
  to.setMask(value.mask.as_uint64());
}

Error read_value(std::optional<IpPrefix>& value, schema::PrefixMatch::Reader from) {
  return read_prefix(value.emplace(), from.getValue(), "value");
}
void write_value(const IpPrefix& value, schema::PrefixMatch::Builder to) { topology::encode(value, to.initValue()); }

Error read_value(std::optional<PortRange>& value, schema::RangeMatch::Reader from) {
  value = PortRange{from.getFirst(), from.getLast()};
  return {};
}
void write_value(const PortRange& value, schema::RangeMatch::Builder to) {
  to.setFirst(value.first);
  to.setLast(value.last);
}

// --- conditions ------------------------------------------------------------------------------------

// Reads what is there of a condition's matches, until one makes no sense.
class MatchReader {
 public:
  template <class T, class Reader>
  void read(Match<T>& match, bool present, Reader from, std::string_view field) {
    if (!present || !error_.empty()) return;
    if (const Error error = read_value(match.value, from); !error.empty()) error_ = in(field, error);
    match.inverted = from.getInverted();
  }
  Error take() { return std::move(error_); }

 private:
  Error error_;
};

// `init` makes the schema's struct.
template <class T, class Init>
void write_match(const Match<T>& match, Init&& init) {
  if (!match.value) return;
  auto to = init();
  write_value(*match.value, to);
  to.setInverted(match.inverted);
}

Error read_matches(Condition& condition, schema::Condition::Reader from) {
  MatchReader reader;
  reader.read(condition.port_group, from.hasPortGroup(), from.getPortGroup(), "portGroup");
  reader.read(condition.in_port_group, from.hasInPortGroup(), from.getInPortGroup(), "inPortGroup");
  reader.read(condition.out_port_group, from.hasOutPortGroup(), from.getOutPortGroup(), "outPortGroup");
  reader.read(condition.in_ports, from.hasInPorts(), from.getInPorts(), "inPorts");
  reader.read(condition.out_ports, from.hasOutPorts(), from.getOutPorts(), "outPorts");
  reader.read(condition.eth_type, from.hasEthType(), from.getEthType(), "ethType");
  reader.read(condition.eth_src, from.hasEthSrc(), from.getEthSrc(), "ethSrc");
  reader.read(condition.eth_dst, from.hasEthDst(), from.getEthDst(), "ethDst");
  reader.read(condition.ip_tos, from.hasIpTos(), from.getIpTos(), "ipTos");
  reader.read(condition.ip_proto, from.hasIpProto(), from.getIpProto(), "ipProto");
  reader.read(condition.ip_src, from.hasIpSrc(), from.getIpSrc(), "ipSrc");
  reader.read(condition.ip_dst, from.hasIpDst(), from.getIpDst(), "ipDst");
  reader.read(condition.ip_src_group, from.hasIpSrcGroup(), from.getIpSrcGroup(), "ipSrcGroup");
  reader.read(condition.ip_dst_group, from.hasIpDstGroup(), from.getIpDstGroup(), "ipDstGroup");
  reader.read(condition.l4_src, from.hasL4Src(), from.getL4Src(), "l4Src");
  reader.read(condition.l4_dst, from.hasL4Dst(), from.getL4Dst(), "l4Dst");
  reader.read(condition.traversed_device, from.hasTraversedDevice(), from.getTraversedDevice(), "traversedDevice");
  reader.read(condition.icmp_data_src, from.hasIcmpDataSrc(), from.getIcmpDataSrc(), "icmpDataSrc");
  reader.read(condition.icmp_data_dst, from.hasIcmpDataDst(), from.getIcmpDataDst(), "icmpDataDst");
  return reader.take();
}

void write_matches(const Condition& condition, schema::Condition::Builder to) {
  write_match(condition.port_group, [&] { return to.initPortGroup(); });
  write_match(condition.in_port_group, [&] { return to.initInPortGroup(); });
  write_match(condition.out_port_group, [&] { return to.initOutPortGroup(); });
  write_match(condition.in_ports, [&] { return to.initInPorts(); });
  write_match(condition.out_ports, [&] { return to.initOutPorts(); });
  write_match(condition.eth_type, [&] { return to.initEthType(); });
  write_match(condition.eth_src, [&] { return to.initEthSrc(); });
  write_match(condition.eth_dst, [&] { return to.initEthDst(); });
  write_match(condition.ip_tos, [&] { return to.initIpTos(); });
  write_match(condition.ip_proto, [&] { return to.initIpProto(); });
  write_match(condition.ip_src, [&] { return to.initIpSrc(); });
  write_match(condition.ip_dst, [&] { return to.initIpDst(); });
  write_match(condition.ip_src_group, [&] { return to.initIpSrcGroup(); });
  write_match(condition.ip_dst_group, [&] { return to.initIpDstGroup(); });
  write_match(condition.l4_src, [&] { return to.initL4Src(); });
  write_match(condition.l4_dst, [&] { return to.initL4Dst(); });
  write_match(condition.traversed_device, [&] { return to.initTraversedDevice(); });
  write_match(condition.icmp_data_src, [&] { return to.initIcmpDataSrc(); });
  write_match(condition.icmp_data_dst, [&] { return to.initIcmpDataDst(); });
}

Error read_condition(Condition& condition, schema::Condition::Reader from) {
  condition.inverted = from.getInverted();
  condition.forward_flow = from.getForwardFlow();
  condition.return_flow = from.getReturnFlow();
  condition.destination_rewritten = from.getDestinationRewritten();
  condition.untagged = from.getUntagged();
  if (from.getVlan() != 0) condition.vlan = from.getVlan();
  const Error error = read_enum(condition.fragments, from.getFragments(), FragmentPolicy::unfragmented, "fragments");
  return error.empty() ? read_matches(condition, from) : error;
}
void write_condition(const Condition& condition, schema::Condition::Builder to) {
  to.setInverted(condition.inverted);
  to.setForwardFlow(condition.forward_flow);
  to.setReturnFlow(condition.return_flow);
  to.setDestinationRewritten(condition.destination_rewritten);
  to.setUntagged(condition.untagged);
  to.setVlan(condition.vlan.value_or(0));
  to.setFragments(static_cast<schema::FragmentPolicy>(condition.fragments));
  write_matches(condition, to);
}

// --- targets ---------------------------------------------------------------------------------------

Error read_target(NatTarget& target, schema::NatTarget::Reader from) {
  target.port_first = from.getPortFirst();
  target.port_last = from.getPortLast();
  target.prefix_length = from.getPrefixLength();
  if (Error error = read_address(target.first, from.getFirst(), "first"); !error.empty()) return error;
  target.last = target.first;  // static ones may leave it out
  if (from.getLast().getBytes().size() == 0) return {};
  return read_address(target.last, from.getLast(), "last");
}
void write_target(const NatTarget& target, schema::NatTarget::Builder to) {
  topology::encode(target.first, to.initFirst());
  topology::encode(target.last, to.initLast());
  to.setPortFirst(target.port_first);
  to.setPortLast(target.port_last);
  to.setPrefixLength(target.prefix_length);
}
Error read_targets(std::vector<NatTarget>& targets, capnp::List<schema::NatTarget>::Reader from) {
  if (from.size() > kMaxListed) return "targets: more than " + std::to_string(kMaxListed);
  targets.reserve(from.size());
  for (auto target : from) {
    if (Error error = read_target(targets.emplace_back(), target); !error.empty()) return in("targets", error);
  }
  return {};
}

}  // namespace

Error read(Chain& chain, schema::Chain::Reader from) {
  chain.name = view(from.getName());
  chain.tenant = view(from.getTenant());
  return {};
}
void write(const Chain& chain, schema::Chain::Builder to) {
  to.setName(text_of(chain.name));
  to.setTenant(text_of(chain.tenant));
}

Error read(Rule& rule, schema::Rule::Reader from) {
  read_id(rule.chain, from.getChain());
  rule.position = from.getPosition();
  rule.meter = view(from.getMeter());
  read_id(rule.jump, from.getJump());
  if (Error error = read_enum(rule.action, from.getAction(), RuleAction::jump, "action"); !error.empty()) return error;
  if (Error error = read_enum(rule.nat, from.getNat(), NatKind::reverse_snat, "nat"); !error.empty()) return error;
  if (Error error = read_condition(rule.condition, from.getCondition()); !error.empty()) return in("condition", error);
  return read_targets(rule.targets, from.getTargets());
}
void write(const Rule& rule, schema::Rule::Builder to) {
  topology::encode(rule.chain.uuid(), to.initChain());
  to.setPosition(rule.position);
  if (!rule.meter.empty()) to.setMeter(text_of(rule.meter));
  if (rule.jump) topology::encode(rule.jump.uuid(), to.initJump());
  to.setAction(static_cast<schema::RuleAction>(rule.action));
  to.setNat(static_cast<schema::NatKind>(rule.nat));
  if (rule.condition != Condition{}) write_condition(rule.condition, to.initCondition());
  if (rule.targets.empty()) return;
  auto targets = to.initTargets(static_cast<unsigned>(rule.targets.size()));
  for (unsigned i = 0; i < targets.size(); ++i) write_target(rule.targets[i], targets[i]);
}

}  // namespace viaduct::topology::object_codec
