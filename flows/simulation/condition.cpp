// Whether a packet meets a rule's condition (devices.md 1.5). What a condition asks of the packet's key is in the mask
// already: RuleIndex::reads().
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::Condition;
using topology::FragmentPolicy;
using topology::Match;

template <class T, std::invocable<const T&> F>
bool holds(const Match<T>& match, F&& test) {
  return !match.value || test(*match.value) != match.inverted;
}

bool fragments_match(const Walk& walk, FragmentPolicy policy) {
  switch (policy) {
    case FragmentPolicy::any:
      return true;
    case FragmentPolicy::header:
      return walk.has_layer4();
    case FragmentPolicy::nonheader:
      return walk.key.fragment == Fragment::later;
    case FragmentPolicy::unfragmented:
      return walk.key.fragment == Fragment::none;
  }
  return true;
}

bool has_addresses(const FlowKey& key) { return key.is_ip() || key.eth_type == ethertype::kArp; }

bool mac_matches(const MacAddress& mac, const topology::MacMatch& wanted) {
  return ((mac.as_uint64() ^ wanted.address.as_uint64()) & wanted.mask.as_uint64()) == 0;
}

bool in_group(const PortView* port, PortGroupId group) {
  return port != nullptr && std::find(port->groups.begin(), port->groups.end(), group) != port->groups.end();
}

bool one_of(const PortView* port, const std::vector<PortId>& ports) {
  return port != nullptr && std::find(ports.begin(), ports.end(), port->id) != ports.end();
}

// The answer depends on this address alone, until a prefix of the group changes.
bool in_group(Walk& walk, const IpAddress& address, IpGroupId group) {
  walk.tag(tag::device(group));
  walk.tag(tag::group_address(group, address));
  const IpGroupView* view = walk.network().ip_group(group);
  return view != nullptr && view->contains(address);
}

bool flow_matches(Walk& walk, const Condition& condition) {
  if (condition.forward_flow && is_return(walk)) return false;
  return !condition.return_flow || is_return(walk);
}

bool ports_match(const Walk& walk, const Condition& condition, const RuleContext& context) {
  return holds(condition.port_group, [&](PortGroupId group) { return in_group(walk.first, group); }) &&
         holds(condition.in_port_group, [&](PortGroupId group) { return in_group(context.in, group); }) &&
         holds(condition.out_port_group, [&](PortGroupId group) { return in_group(context.out, group); }) &&
         holds(condition.in_ports, [&](const auto& ports) { return one_of(context.in, ports); }) &&
         holds(condition.out_ports, [&](const auto& ports) { return one_of(context.out, ports); });
}

bool ethernet_matches(const FlowKey& key, const Condition& condition) {
  if (condition.untagged && key.is_tagged()) return false;
  if (condition.vlan && (!key.is_tagged() || key.vlan_id() != *condition.vlan)) return false;
  return holds(condition.eth_type, [&](uint16_t type) { return key.eth_type == type; }) &&
         holds(condition.eth_src, [&](const auto& wanted) { return mac_matches(key.eth_src, wanted); }) &&
         holds(condition.eth_dst, [&](const auto& wanted) { return mac_matches(key.eth_dst, wanted); });
}

bool ip_matches(Walk& walk, const Condition& condition) {
  const FlowKey& key = walk.key;
  const bool ip = has_addresses(key);
  return holds(condition.ip_tos, [&](uint8_t tos) { return key.is_ip() && key.ip_tos == tos; }) &&
         holds(condition.ip_proto, [&](uint8_t proto) { return ip && key.ip_proto == proto; }) &&
         holds(condition.ip_src, [&](const IpPrefix& prefix) { return ip && prefix.contains(key.ip_src); }) &&
         holds(condition.ip_dst, [&](const IpPrefix& prefix) { return ip && prefix.contains(key.ip_dst); }) &&
         holds(condition.ip_src_group, [&](IpGroupId group) { return ip && in_group(walk, key.ip_src, group); }) &&
         holds(condition.ip_dst_group, [&](IpGroupId group) { return ip && in_group(walk, key.ip_dst, group); });
}

// Types and codes of ICMP are no ports: a rule means them when it names the protocol. What has no ports meets neither a range
// nor its opposite: a rule for port 80 leaves ARP and GRE alone.
bool has_ports(const FlowKey& key, const Condition& condition) {
  if (!key.is_ip()) return false;
  const bool named = condition.ip_proto.value && !condition.ip_proto.inverted;
  return named || key.ip_proto == ip_proto::kTcp || key.ip_proto == ip_proto::kUdp || key.ip_proto == ip_proto::kSctp;
}
bool layer4_matches(const Walk& walk, const Condition& condition) {
  if (!condition.l4_src.value && !condition.l4_dst.value) return true;
  const FlowKey& key = walk.key;
  return has_ports(key, condition) && walk.has_layer4() &&
         holds(condition.l4_src, [&](const auto& range) { return range.contains(key.l4_src); }) &&
         holds(condition.l4_dst, [&](const auto& range) { return range.contains(key.l4_dst); });
}

bool quote_matches(Walk& walk, const Condition& condition) {
  if (!condition.icmp_data_src.value && !condition.icmp_data_dst.value) return true;
  walk.know_connection();
  const auto& quote = walk.quote;
  return holds(condition.icmp_data_src, [&](const IpPrefix& prefix) { return quote && prefix.contains(quote->src); }) &&
         holds(condition.icmp_data_dst, [&](const IpPrefix& prefix) { return quote && prefix.contains(quote->dst); });
}

bool has_traversed(const Walk& walk, const Uuid& device) {
  const Tag tag = tag::device(device);
  const auto& tags = walk.verdict.tags;
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

}  // namespace

bool matches(Walk& walk, const Condition& condition, const RuleContext& context) {
  if (!fragments_match(walk, condition.fragments)) return false;
  // What costs least comes first; the connection table is asked last.
  const bool met = ethernet_matches(walk.key, condition) && ports_match(walk, condition, context) &&
                   ip_matches(walk, condition) && layer4_matches(walk, condition) &&
                   (!condition.destination_rewritten || walk.destination_rewritten) &&
                   holds(condition.traversed_device, [&](const Uuid& id) { return has_traversed(walk, id); }) &&
                   quote_matches(walk, condition) && flow_matches(walk, condition);
  return met != condition.inverted;
}

}  // namespace viaduct::flows::simulation
