// What a condition asks for: whether there can be a packet that has it.
#include <array>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58, kSctp = 132;
constexpr uint16_t kIpv4 = 0x0800, kArp = 0x0806, kIpv6 = 0x86dd;

// One condition and where to say what is wrong with it.
struct ConditionSubject {
  const Condition& condition;
  ObjectRef ref;
  Inspection& inspection;
  void report(BrokenRule rule, std::string_view field, std::string message, std::string cure) const {
    inspection.report(rule, ref, field, std::move(message), std::move(cure));
  }
};

template <class T>
bool asks_for(const Match<T>& match, const T& value) {
  return match.value && !match.inverted && *match.value == value;
}

// --- ports -----------------------------------------------------------------------------------------

bool is_icmp(uint8_t protocol) { return protocol == kIcmp || protocol == kIcmpv6; }
bool has_ports(uint8_t protocol) {
  return protocol == kTcp || protocol == kUdp || protocol == kSctp || is_icmp(protocol);
}

void check_range(const ConditionSubject& subject, const Match<PortRange>& match, std::string_view field) {
  if (!match.value) return;
  const PortRange& range = *match.value;
  const std::string text = std::to_string(range.first) + "-" + std::to_string(range.last);
  if (range.first > range.last) {
    subject.report(BrokenRule::range_empty, field, text + " is empty: the first is greater than the last.",
                   "Write the lesser one first.");
  }
  const Match<uint8_t>& protocol = subject.condition.ip_proto;
  if (!protocol.value || protocol.inverted) return;  // of whatever has ports
  if (!has_ports(*protocol.value)) {
    subject.report(BrokenRule::l4_without_protocol, field,
                   "It asks for ports, and protocol " + std::to_string(*protocol.value) + " has none.",
                   "Make ip_proto one of TCP (6), UDP (17), SCTP (132), ICMP (1) and ICMPv6 (58), or leave it out.");
  } else if (is_icmp(*protocol.value) && range.last > 255) {
    subject.report(BrokenRule::range_out_of_bounds, field, text + ": types and codes of ICMP end at 255.",
                   "Use 0 to 255: the type in l4_src, the code in l4_dst.");
  }
}

void check_ports(const ConditionSubject& subject) {
  const Condition& c = subject.condition;
  check_range(subject, c.l4_src, "l4_src");
  check_range(subject, c.l4_dst, "l4_dst");
  const bool has_header = c.fragments == FragmentPolicy::header || c.fragments == FragmentPolicy::unfragmented;
  if ((!c.l4_src.value && !c.l4_dst.value) || has_header) return;
  subject.report(BrokenRule::fragments_without_ports, "fragments",
                 "It asks for ports, and is for later fragments too, which have none.",
                 "Make the fragment policy header or unfragmented.");
}

// --- families --------------------------------------------------------------------------------------

// Which packets there can be, as far as the fields tell.
enum : unsigned { kIsIpv4 = 1, kIsIpv6 = 2, kIsArp = 4, kIsOther = 8, kIsAny = 15 };

unsigned class_of(uint16_t eth_type) {
  return eth_type == kIpv4 ? kIsIpv4 : eth_type == kIpv6 ? kIsIpv6 : eth_type == kArp ? kIsArp : kIsOther;
}

// Narrows down, field by field; says so once nothing is left.
class Possible {
 public:
  explicit Possible(const ConditionSubject& subject) : subject_(subject) {}

  void narrow(std::string_view field, unsigned to) {
    if (left_ == 0) return;
    fields_ += (fields_.empty() ? "" : ", ") + std::string(field);
    if ((left_ &= to) != 0) return;
    subject_.report(BrokenRule::match_contradicts, field, "No packet has all that is asked for: " + fields_ + ".",
                    "Use one address family in a rule, with the eth_type and the protocol of it.");
  }
  void prefix(std::string_view field, const Match<IpPrefix>& match, unsigned also) {
    if (match.value) narrow(field, match.value->family() == IpFamily::v4 ? kIsIpv4 | also : kIsIpv6);
  }

 private:
  const ConditionSubject& subject_;
  unsigned left_ = kIsAny;
  std::string fields_;
};

// ARP has addresses, and an operation in place of the protocol.
void check_families(const ConditionSubject& subject) {
  const Condition& c = subject.condition;
  Possible possible(subject);
  if (c.eth_type.value) {
    const unsigned own = class_of(*c.eth_type.value);
    possible.narrow("eth_type", !c.eth_type.inverted ? own : own == kIsOther ? kIsAny : kIsAny & ~own);
  }
  if (c.ip_proto.value) {
    const bool icmp = asks_for(c.ip_proto, kIcmp), icmpv6 = asks_for(c.ip_proto, kIcmpv6);
    possible.narrow("ip_proto", kIsArp | (icmpv6 ? 0u : kIsIpv4) | (icmp ? 0u : kIsIpv6));
  }
  if (c.ip_tos.value) possible.narrow("ip_tos", kIsIpv4 | kIsIpv6);
  if (c.l4_src.value) possible.narrow("l4_src", kIsIpv4 | kIsIpv6);
  if (c.l4_dst.value) possible.narrow("l4_dst", kIsIpv4 | kIsIpv6);
  possible.prefix("ip_src", c.ip_src, kIsArp);
  possible.prefix("ip_dst", c.ip_dst, kIsArp);
  possible.prefix("icmp_data_src", c.icmp_data_src, 0);
  possible.prefix("icmp_data_dst", c.icmp_data_dst, 0);
}

void check_host_bits(const ConditionSubject& subject, const Match<IpPrefix>& match, std::string_view field) {
  if (!match.value || !match.value->has_host_bits()) return;
  subject.report(BrokenRule::prefix_has_host_bits, field,
                 match.value->to_string() + " has bits behind its prefix length.",
                 "Write " + match.value->network().to_string() + ".");
}

// --- the rest --------------------------------------------------------------------------------------

void check_mac(const ConditionSubject& subject, const Match<MacMatch>& match, std::string_view field) {
  if (!match.value) return;
  const uint64_t address = match.value->address.as_uint64(), mask = match.value->mask.as_uint64();
  if (mask != 0 && (address & ~mask) == 0) return;
  subject.report(BrokenRule::mac_mask_invalid, field,
                 mask == 0 ? "The mask lets every address through."
                           : match.value->address.to_string() + " has bits outside of the mask " +
                                 match.value->mask.to_string() + ".",
                 "Leave the field out for every address; else clear the bits that do not count.");
}

void check_list(const ConditionSubject& subject, const Match<std::vector<PortId>>& match, std::string_view field) {
  if (!match.value) return;
  if (match.value->empty()) {
    subject.report(BrokenRule::ports_missing, field, "The list of ports is empty.",
                   "Name at least one port, or leave the field out.");
  } else if (match.value->size() > kMaxRulePorts) {
    subject.report(BrokenRule::too_many_entries, field, "It names " + std::to_string(match.value->size()) + " ports.",
                   "Put the ports into a port group; a rule names at most " + std::to_string(kMaxRulePorts) + ".");
  }
}

void check_tag(const ConditionSubject& subject) {
  const Condition& c = subject.condition;
  if (!c.vlan) return;
  if (*c.vlan == 0 || *c.vlan > kMaxVlan) {
    subject.report(BrokenRule::vlan_out_of_range, "vlan", "VLAN " + std::to_string(*c.vlan) + " does not exist.",
                   "Use 1 to 4094.");
  } else if (c.untagged) {
    subject.report(BrokenRule::match_contradicts, "vlan", "It is for frames without a tag and for those of a VLAN.",
                   "Leave out untagged or vlan.");
  }
}

}  // namespace

void check_condition(const Rule& rule, Inspection& inspection) {
  const Condition& c = rule.condition;
  const ConditionSubject subject{c, ref_of(rule), inspection};
  check_ports(subject);
  check_families(subject);
  const auto prefixes =
      std::to_array<std::pair<const Match<IpPrefix>*, std::string_view>>({{&c.ip_src, "ip_src"},
                                                                          {&c.ip_dst, "ip_dst"},
                                                                          {&c.icmp_data_src, "icmp_data_src"},
                                                                          {&c.icmp_data_dst, "icmp_data_dst"}});
  for (const auto& [match, field] : prefixes) check_host_bits(subject, *match, field);
  check_mac(subject, c.eth_src, "eth_src");
  check_mac(subject, c.eth_dst, "eth_dst");
  check_list(subject, c.in_ports, "in_ports");
  check_list(subject, c.out_ports, "out_ports");
  check_tag(subject);
  if (c.forward_flow && c.return_flow) {
    subject.report(BrokenRule::match_contradicts, "return_flow", "No packet is of the forward and of the return flow.",
                   "Leave out one of them.");
  }
  if (c.traversed_device.value && c.traversed_device.value->is_nil()) {
    subject.report(BrokenRule::unknown_reference, "traversed_device", "It names nothing.",
                   "Name a port, bridge, router or chain, or leave the field out.");
  }
}

}  // namespace viaduct::topology::rules
