#include "flows/match/field_set.hpp"

#include <array>
#include <string_view>

namespace viaduct::flows {

namespace {
constexpr std::array<std::string_view, static_cast<size_t>(Field::count_)> kNames{
    "in_port",  "eth_src", "eth_dst", "eth_type", "vlan",   "inner_vlan", "ip_src", "ip_dst",
    "ip_proto", "ip_tos",  "ip_ttl",  "fragment", "l4_src", "l4_dst",     "tunnel",
};
static_assert(!kNames.back().empty());
}  // namespace

FlowKey FieldSet::apply(const FlowKey& key) const {
  FlowKey out;
  if (has(Field::in_port)) out.in_port = key.in_port;
  if (has(Field::eth_src)) out.eth_src = key.eth_src;
  if (has(Field::eth_dst)) out.eth_dst = key.eth_dst;
  if (has(Field::eth_type)) out.eth_type = key.eth_type;
  if (has(Field::vlan)) out.vlan_tci = key.vlan_tci;
  if (has(Field::inner_vlan)) out.inner_vlan_tci = key.inner_vlan_tci;
  if (has(Field::ip_src)) out.ip_src = key.ip_src;
  if (has(Field::ip_dst)) out.ip_dst = key.ip_dst;
  if (has(Field::ip_proto)) out.ip_proto = key.ip_proto;
  if (has(Field::ip_tos)) out.ip_tos = key.ip_tos;
  if (has(Field::ip_ttl)) out.ip_ttl = key.ip_ttl;
  if (has(Field::fragment)) out.fragment = key.fragment;
  if (has(Field::l4_src)) out.l4_src = key.l4_src;
  if (has(Field::l4_dst)) out.l4_dst = key.l4_dst;
  if (has(Field::tunnel)) out.tunnel = key.tunnel;
  return out;
}

std::string FieldSet::to_string() const {
  std::string out;
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (!has(static_cast<Field>(i))) continue;
    if (!out.empty()) out += ',';
    out += kNames[i];
  }
  return out;
}

}  // namespace viaduct::flows
