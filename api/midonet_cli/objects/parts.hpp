// What the tables of objects share. Internal to them.
#pragma once

#include <array>
#include <utility>

#include "api/midonet_cli/object.hpp"

namespace viaduct::api::midonet_cli {

inline constexpr Field kIdField{.name = "id", .member = "id", .marks = kReadOnly | kHidden};
inline constexpr Field kNameField{.name = "name", .member = "name"};
inline constexpr Field kTenantField{.name = "tenant", .member = "tenantId", .marks = kHidden};
inline constexpr Field kStateField{.name = "state", .member = "adminStateUp", .form = Form::up_down};

constexpr Field reference(std::string_view name, std::string_view member, std::string_view of,
                          std::string_view inverse = {}) {
  return {.name = name, .member = member, .form = Form::reference, .of = of, .inverse = inverse};
}
constexpr Field references(std::string_view name, std::string_view member, std::string_view of,
                           std::string_view inverse = {}) {
  return {.name = name, .member = member, .form = Form::references, .of = of, .inverse = inverse};
}
constexpr Field prefix(std::string_view name, std::string_view address, std::string_view length,
                       std::string_view inverse = {}) {
  return {.name = name, .member = address, .form = Form::prefix, .second = length, .inverse = inverse};
}
constexpr Field number(std::string_view name, std::string_view member, std::string_view inverse = {}) {
  return {.name = name, .member = member, .form = Form::number, .inverse = inverse};
}
constexpr Field text(std::string_view name, std::string_view member, std::string_view inverse = {}) {
  return {.name = name, .member = member, .inverse = inverse};
}
constexpr Field flag(std::string_view name, std::string_view member) {
  return {.name = name, .member = member, .form = Form::boolean};
}
constexpr Field choice(std::string_view name, std::string_view member, std::span<const Word> words) {
  return {.name = name, .member = member, .form = Form::choice, .words = words};
}
constexpr Field marked(Field field, uint8_t marks) {
  field.marks |= marks;
  return field;
}

constexpr Field seen(Field field) { return marked(field, kReadOnly); }

template <size_t A, size_t B>
constexpr std::array<Field, A + B> join(const std::array<Field, A>& a, const std::array<Field, B>& b) {
  std::array<Field, A + B> out{};
  for (size_t i = 0; i < A; ++i) out[i] = a[i];
  for (size_t i = 0; i < B; ++i) out[A + i] = b[i];
  return out;
}

inline constexpr std::array<Word, 4> kFragmentPolicies = {
    {{"any", "any"}, {"header", "header"}, {"nonheader", "nonheader"}, {"unfragmented", "unfragmented"}}};

// Of rules, matches of mirrors and traces: what a packet is to be like.
constexpr auto condition(std::string_view inside = {}) {
  std::array fields = std::to_array<Field>({
      {.name = "inverted", .member = "condInvert", .form = Form::yes_no},
      text("hw-src", "dlSrc", "invDlSrc"),
      text("hw-src-mask", "dlSrcMask"),
      text("hw-dst", "dlDst", "invDlDst"),
      text("hw-dst-mask", "dlDstMask"),
      number("ethertype", "dlType", "invDlType"),
      prefix("src", "nwSrcAddress", "nwSrcLength", "invNwSrc"),
      prefix("dst", "nwDstAddress", "nwDstLength", "invNwDst"),
      number("proto", "nwProto", "invNwProto"),
      number("tos", "nwTos", "invNwTos"),
      {.name = "src-port", .member = "tpSrc", .form = Form::range, .inverse = "invTpSrc"},
      {.name = "dst-port", .member = "tpDst", .form = Form::range, .inverse = "invTpDst"},
      {.name = "flow", .member = "matchForwardFlow", .form = Form::flow, .second = "matchReturnFlow"},
      reference("port-group", "portGroup", "port-group", "invPortGroup"),
      reference("in-port-group", "inPortGroup", "port-group", "invInPortGroup"),
      reference("out-port-group", "outPortGroup", "port-group", "invOutPortGroup"),
      reference("ip-address-group-src", "ipAddrGroupSrc", "ip-address-group", "invIpAddrGroupSrc"),
      reference("ip-address-group-dst", "ipAddrGroupDst", "ip-address-group", "invIpAddrGroupDst"),
      references("in-ports", "inPorts", "port", "invInPorts"),
      references("out-ports", "outPorts", "port", "invOutPorts"),
      text("traversed-device", "traversedDevice", "invTraversedDevice"),
      choice("fragment-policy", "fragmentPolicy", kFragmentPolicies),
      flag("no-vlan", "noVlan"),
      number("vlan", "vlan"),
      prefix("icmp-data-src", "icmpDataSrcIpAddress", "icmpDataSrcIpLength", "invIcmpDataSrcIp"),
      prefix("icmp-data-dst", "icmpDataDstIpAddress", "icmpDataDstIpLength", "invIcmpDataDstIp"),
      flag("match-nw-dst-rewritten", "matchNwDstRewritten"),
  });
  for (Field& field : fields) field.inside = inside;
  return fields;
}

extern const Object kBridge, kRouter, kPort;
extern const Object kChain, kPortGroup, kIpAddressGroup;
extern const Object kHost, kTunnelZone;
extern const Object kLoadBalancer, kHealthMonitor;
extern const Object kSystemState, kTenant, kVtep, kTraceRequest, kMirror, kL2Insertion, kContainer, kContainerGroup,
    kQosPolicy, kPoolStatistic;

}  // namespace viaduct::api::midonet_cli
