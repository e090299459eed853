#include "actors/admin/why_cause.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "actors/admin/replies.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::actors {

using flows::DropReason;
using flows::FlowKey;
using flows::simulation::DeviceKind;
using topology::Kind;
using topology::ObjectRef;

std::string_view to_string(Certainty certainty) {
  switch (certainty) {
    case Certainty::traced:
      return "traced";
    case Certainty::now:
      return "now";
    case Certainty::likely:
      return "likely";
    case Certainty::earlier:
      return "earlier";
  }
  return "unknown";
}

std::string place_name(const topology::Snapshot& snapshot, const ObjectRef& ref) {
  if (ref.id.is_nil()) return "this host";
  return std::string(topology::to_string(ref.kind)) + " " + name_or_id(snapshot, ref);
}

ObjectRef ref_of(const flows::simulation::DropSite& site) {
  switch (site.kind) {
    case DeviceKind::bridge:
      return {Kind::bridge, site.device};
    case DeviceKind::router:
      return {Kind::router, site.device};
    case DeviceKind::chain:
      return {Kind::chain, site.device};
    case DeviceKind::load_balancer:
      return {Kind::load_balancer, site.device};
    case DeviceKind::port:
    case DeviceKind::none:
      break;
  }
  return {Kind::port, site.device};
}

std::string describe(const FlowKey& key, uint32_t bytes) {
  std::string text;
  if (key.is_ip() || key.eth_type == flows::ethertype::kArp) {
    text = key.ip_src.to_string() + " > " + key.ip_dst.to_string();
    if (key.eth_type == flows::ethertype::kArp) {
      text += " ARP";
    } else {
      text += " protocol " + std::to_string(key.ip_proto);
    }
    if (key.is_ip() && (key.l4_src != 0 || key.l4_dst != 0)) {
      const bool icmp = key.ip_proto == flows::ip_proto::kIcmp || key.ip_proto == flows::ip_proto::kIcmpv6;
      text +=
          (icmp ? " type " : " ") + std::to_string(key.l4_src) + (icmp ? " code " : " > ") + std::to_string(key.l4_dst);
    }
  } else {
    text = key.eth_src.to_string() + " > " + key.eth_dst.to_string();
  }
  return bytes == 0 ? text : text + ", " + std::to_string(bytes) + " bytes";
}

bool is_noise(DropReason reason, const FlowKey& example) {
  switch (reason) {
    case DropReason::none:
    case DropReason::consumed_by_bridge:
    case DropReason::consumed_by_router:
    case DropReason::neighbour_ignored:
    case DropReason::icmp_rate_limited:
    case DropReason::not_routing_talk:
    case DropReason::multicast_at_router:
    case DropReason::l2_broadcast_at_router:
      return true;
    case DropReason::next_hop_unresolved:
    case DropReason::nat_ports_exhausted:
      return false;
    default:
      break;
  }
  if (!example.eth_dst.is_multicast() || example.eth_type == flows::ethertype::kArp) return false;
  // RFC 4861: a solicitation from somebody asks for a machine; duplicate address detection has no source.
  constexpr uint16_t kSolicitation = 135;
  return !(example.ip_proto == flows::ip_proto::kIcmpv6 && example.l4_src == kSolicitation && !example.ip_src.is_any());
}

Cause cause_of(DropReason reason, const flows::simulation::DropSite& site, const FlowKey& example, uint32_t bytes,
               const topology::Snapshot& snapshot) {
  const ReasonWords words = words_of(reason);
  Cause out{std::string(flows::to_string(reason))};
  const bool tunnel = reason == DropReason::packet_too_big && !site.host.is_nil();
  if (tunnel) out.name = cause::kTunnelMtu;
  out.device = ref_of(site);
  out.chain = site.chain;
  out.rule = site.rule;
  out.position = site.position;
  out.text = place_name(snapshot, out.device) + ": " + std::string(words.what);
  if (!site.rule.is_nil()) {
    out.text += "; rule " + std::to_string(site.position) + " of chain " +
                name_or_id(snapshot, {Kind::chain, site.chain.uuid()});
  }
  if (site.next_hop) out.text += "; next hop " + site.next_hop->to_string();
  if (!site.out.is_nil() && site.out.uuid() != site.device) {
    out.text += "; by port " + name_or_id(snapshot, {Kind::port, site.out.uuid()});
  }
  if (!site.host.is_nil()) out.text += "; host " + name_or_id(snapshot, {Kind::host, site.host.uuid()});
  const bool to_address = reason == DropReason::no_route || reason == DropReason::blackhole_route ||
                          reason == DropReason::reject_route || reason == DropReason::no_pool_member;
  if (to_address && example.is_ip()) out.text += "; to " + example.ip_dst.to_string();
  out.cure = tunnel ? "raise the underlay's MTU, or lower the machines' and the router ports' (viaduct status: tunnels)"
                    : std::string(words.cure);
  out.example = describe(example, bytes);
  out.noise = is_noise(reason, example);
  return out;
}

namespace {

bool same(const Cause& a, const Cause& b) {
  return a.name == b.name && a.device == b.device && a.rule == b.rule && a.way == b.way && a.host == b.host;
}

// Ages of one second are alike: of what happens now, the nearest and the most.
long recency(const Cause& cause) { return cause.packets == 0 ? 0 : std::lround(std::floor(cause.last_seconds)); }

}  // namespace

void rank(std::vector<Cause>& causes) {
  std::vector<Cause> out;
  std::stable_sort(causes.begin(), causes.end(),
                   [](const Cause& a, const Cause& b) { return a.certainty < b.certainty; });
  for (Cause& cause : causes) {
    auto known = std::find_if(out.begin(), out.end(), [&](const Cause& other) { return same(other, cause); });
    if (known == out.end()) {
      out.push_back(std::move(cause));
      continue;
    }
    if (cause.packets == 0) continue;
    known->first_seconds =
        known->packets == 0 ? cause.first_seconds : std::max(known->first_seconds, cause.first_seconds);
    known->last_seconds = known->packets == 0 ? cause.last_seconds : std::min(known->last_seconds, cause.last_seconds);
    known->packets += cause.packets;
    if (known->example.empty()) known->example = cause.example;
  }
  const auto key = [](const Cause& cause) {
    return std::tuple(cause.noise && cause.certainty != Certainty::traced, cause.certainty, recency(cause),
                      cause.way == Way::back, cause.distance, ~cause.packets);
  };
  std::stable_sort(out.begin(), out.end(), [&](const Cause& a, const Cause& b) { return key(a) < key(b); });
  causes = std::move(out);
}

}  // namespace viaduct::actors
