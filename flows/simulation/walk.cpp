#include "flows/simulation/walk.hpp"

#include "flows/packet/rewrite.hpp"

namespace viaduct::flows::simulation {

Walk::Walk(const Input& in_input, Verdict& in_verdict, Trace* in_trace)
    : input(in_input), verdict(in_verdict), trace(in_trace), key(in_input.packet.key) {
  FieldSet& mask = verdict.mask;
  untagged = !key.is_tagged();
  if (key.is_tagged() && key.vlan_id() == 0) {
    mask.add(Field::inner_vlan);
    untagged = key.inner_vlan_tci == 0;
  }
  if (key.is_ip()) {
    mask.add({Field::ip_proto, Field::fragment});
    // No flow may swallow neighbour discovery, whatever it is for.
    if (key.eth_type == ethertype::kIpv6 && key.ip_proto == ip_proto::kIcmpv6) mask.add(Field::l4_src);
  }
  neighbour_talk = untagged && (key.eth_type == ethertype::kArp || is_neighbour_discovery(key));
  singular = neighbour_talk;
}

const PortView* Walk::drop(DropReason reason) {
  verdict.outcome = Outcome::drop;
  verdict.drop_reason = reason;
  verdict.actions.clear();
  verdict.cacheable = !singular;
  // A packet whose TTL ends at a router on the way here is answered there, and a flow without actions would not: the
  // drops behind a router are told apart by TTL.
  if (decrements > 0) verdict.mask.add(Field::ip_ttl);
  note_device(Stage::drop, [&] { return std::string(to_string(reason)); });
  return nullptr;
}

const PortView* Walk::drop_once(DropReason reason) {
  singular = true;
  return drop(reason);
}

const PortView* Walk::consume(DropReason reason) {
  verdict.outcome = Outcome::consumed;
  verdict.drop_reason = reason;
  verdict.cacheable = false;
  return nullptr;
}

const PortView* Walk::park(const NeighbourWanted& wanted) {
  verdict.outcome = Outcome::park;
  verdict.wanted = wanted;
  verdict.cacheable = false;
  note_device(Stage::park, [&] { return "until " + wanted.address.to_string() + " is known"; });
  return nullptr;
}

void Walk::only_this_packet() {
  singular = true;
  verdict.cacheable = false;
}

void Walk::put_output(const Action& action) {
  ActionList& actions = verdict.actions;
  if (actions.empty()) {
    if (rewritten) actions.push_back(SetEthernet{key.eth_src, key.eth_dst});
    for (int i = 0; i < decrements; ++i) actions.push_back(DecrementTtl{});
    if (mtu != 0) actions.push_back(CheckMtu{mtu});
  }
  actions.push_back(action);
  verdict.outcome = Outcome::forward;
  verdict.drop_reason = DropReason::none;
  verdict.cacheable = !singular;
}

void Walk::output(HostId host, const TunnelPath& path, uint32_t tunnel_key) {
  constexpr uint8_t kDscp = 0xfc;  // RFC 2474 3; the two bits beside it are ECN's
  uint8_t tos = 0;
  if (network().data().locations.copy_dscp && key.is_ip()) {
    verdict.mask.add(Field::ip_tos);
    tos = key.ip_tos & kDscp;
  }
  put_output(TunnelOutput{path.port, {tunnel_key, path.src, path.dst}, tos});
  note(DeviceKind::none, {}, Stage::output, [&] {
    return "to host " + name_of(network(), host) + " by " + (path.kind == TunnelKind::vxlan ? "vxlan" : "gre") +
           " key " + std::to_string(tunnel_key) + " from " + path.src.to_string() + " to " + path.dst.to_string();
  });
}

void Walk::output(const PortView& port) {
  put_output(Output{port.number});
  note_port(port, Stage::output, [&] { return name_of(port) + ", number " + std::to_string(port.number.value); });
}

void Walk::route_onwards(const PortView& out, const MacAddress& next_hop) {
  last_router = {in, &out, key.eth_src, key.eth_dst};
  key.eth_src = out.mac;
  key.eth_dst = next_hop;
  --key.ip_ttl;
  ++decrements;
  rewritten = true;
  limit_to(out.mtu);
}

void Walk::return_to_last_router() {
  in = last_router.in;
  key.eth_src = last_router.src;
  key.eth_dst = last_router.dst;
  ++key.ip_ttl;
  --decrements;
  rewritten = decrements > 0;
}

void Walk::limit_to(uint16_t bytes) {
  if (bytes != 0 && (mtu == 0 || bytes < mtu)) mtu = bytes;
}

void Walk::emit(const PortView& from, std::vector<uint8_t> frame, EmittedPacket::Limit limit) {
  note_port(from, Stage::emit, [&] {
    return std::to_string(frame.size()) + " bytes by " + name_of(from) +
           (limit == EmittedPacket::Limit::icmp_error ? ", rate limited" : "");
  });
  verdict.emits.push_back({from.id, std::move(frame), limit, from.device_id});
  singular = true;
}

std::vector<uint8_t> Walk::current_frame() const {
  std::vector<uint8_t> frame(input.packet.bytes.begin(), input.packet.bytes.end());
  Packet copy = input.packet;
  copy.bytes = frame;
  if (rewritten) set_ethernet(copy, key.eth_src, key.eth_dst);
  for (int i = 0; i < decrements; ++i) decrement_ttl(copy);
  return frame;
}

std::string name_of(const Network& network, HostId host) {
  const topology::Host* known = network.data().snapshot.find(host);
  return known == nullptr || known->name.empty() ? host.to_string() : known->name;
}

std::string name_of(const PortView& port) { return port.name.empty() ? port.id.to_string() : port.name; }

}  // namespace viaduct::flows::simulation
