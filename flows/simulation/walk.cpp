#include "flows/simulation/walk.hpp"

#include "flows/packet/connection_fields.hpp"
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
  verdict.drop_site = drop_site();
  verdict.actions.clear();
  verdict.cacheable = !singular;
  forget_connections();
  // A packet whose TTL ends at a router on the way here is answered there, and a flow without actions would not: the
  // drops behind a router are told apart by TTL.
  if (decrements > 0) verdict.mask.add(Field::ip_ttl);
  note_device(Stage::drop, [&] { return std::string(to_string(reason)); });
  return nullptr;
}

DropSite Walk::drop_site() const {
  DropSite site;
  if (first != nullptr) site.entered = first->id;
  if (out != nullptr) site.out = out->id;
  if (at.kind != DeviceKind::none) {
    site.kind = at.kind;
    site.device = at.id;
  } else if (in != nullptr) {
    site.kind = in->device == PortDevice::bridge ? DeviceKind::bridge : DeviceKind::router;
    site.device = in->device_id;
  }
  site.host = other_host;
  site.next_hop = next_hop;
  if (rule == nullptr) return site;
  site.chain = rule_chain;
  site.rule = rule->id;
  site.position = rule->position;
  return site;
}

const PortView* Walk::drop_once(DropReason reason) {
  singular = true;
  return drop(reason);
}

const PortView* Walk::consume(DropReason reason) {
  verdict.outcome = Outcome::consumed;
  verdict.drop_reason = reason;
  verdict.cacheable = false;
  forget_connections();
  return nullptr;
}

void Walk::forget_connections() {
  verdict.opens.clear();
  verdict.closes.clear();
  SmallVector<Touch, 4> touches;
  for (const Touch& touch : verdict.touches) {
    if (!std::holds_alternative<ConnectionUse>(touch)) touches.push_back(touch);
  }
  verdict.touches = touches;
}

const PortView* Walk::park(const Wanted& wanted) {
  verdict.outcome = Outcome::park;
  forget_connections();  // it is simulated again from the start
  verdict.wanted = wanted;
  verdict.cacheable = false;
  note_device(Stage::park, [&] {
    if (const auto* neighbour = std::get_if<NeighbourWanted>(&wanted)) {
      return "until " + neighbour->address.to_string() + " is known";
    }
    return "until this host has ports of " + std::get<NatBlockWanted>(wanted).address.to_string();
  });
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
    put_rewrites();
    for (int i = 0; i < decrements; ++i) actions.push_back(DecrementTtl{});
    if (mtu != 0) actions.push_back(CheckMtu{mtu});
  }
  actions.push_back(action);
  verdict.outcome = Outcome::forward;
  verdict.drop_reason = DropReason::none;
  verdict.cacheable = !singular;
}

void Walk::put_rewrites() {
  const FlowKey& before = input.packet.key;
  if (key.ip_src != before.ip_src || key.ip_dst != before.ip_dst) {
    verdict.actions.push_back(SetIp{key.ip_src, key.ip_dst});
  }
  if (!borrowed_ports && (key.l4_src != before.l4_src || key.l4_dst != before.l4_dst)) {
    verdict.actions.push_back(SetPorts{key.l4_src, key.l4_dst});
  }
  if (!connection_known || (!has_icmp_id && !quote)) return;
  std::vector<uint8_t> frame(input.packet.bytes.begin(), input.packet.bytes.end());
  Packet copy = input.packet;
  copy.bytes = frame;
  if (has_icmp_id) set_icmp_id(copy, icmp_id);
  if (quote) rewrite_icmp_quote(copy, *quote);
  if (!std::equal(frame.begin(), frame.end(), input.packet.bytes.begin())) verdict.frame = std::move(frame);
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

void Walk::output_to_speaker(const PortView& port) {
  tag(tag::datapath_port(port.speaker.number));
  put_output(Output{port.speaker.number});
  note_port(port, Stage::output, [&] { return "speaker of " + name_of(port); });
}

void Walk::enter(const PortView& port) {
  in = &port;
  out = nullptr;
  stand_at(port);
  entered = {key, icmp_id, quote};
  destination_rewritten = false;
}

void Walk::know_connection() {
  if (connection_known || !key.is_ip() || input.packet.error != DropReason::none) return;
  connection_known = true;
  const Packet& packet = input.packet;
  if (key.fragment != Fragment::none) know_fragment();
  if (const auto id = flows::icmp_id(packet)) {
    has_icmp_id = true;
    icmp_id = entered.icmp_id = *id;
  } else {
    quote = entered.quote = parse_icmp_quote(packet);
  }
  if (has_icmp_id || quote) only_this_packet();
  original = {packet.key, icmp_id, quote};
  if (borrowed_ports) original.key.l4_src = key.l4_src, original.key.l4_dst = key.l4_dst;
}

// Fragments of one packet go the way of the first one, which has the ports.
void Walk::know_fragment() {
  only_this_packet();
  const auto id = fragment_identification(input.packet);
  if (!id) return;
  const FlowKey& before = input.packet.key;
  const ConnectionKey at{ConnectionKind::fragment,
                         before.ip_proto,
                         static_cast<uint16_t>(*id >> 16),
                         static_cast<uint16_t>(*id),
                         before.ip_src,
                         before.ip_dst,
                         Uuid{}};
  if (key.fragment == Fragment::first) {
    // The address says which ports: two numbers of 16 bits.
    ConnectionEntry entry;
    entry.address = IpAddress::v4(uint32_t{before.l4_src} << 16 | before.l4_dst);
    return open_connection(*this, at, entry, Direction::forward);
  }
  const auto first_one = input.state.connections.find(at);
  if (!first_one) return;
  const uint32_t ports = first_one->address.v4_host_order();
  borrowed_ports = true;
  key.l4_src = entered.key.l4_src = static_cast<uint16_t>(ports >> 16);
  key.l4_dst = entered.key.l4_dst = static_cast<uint16_t>(ports);
}

void Walk::route_onwards(const PortView& out, const MacAddress& next_hop) {
  last_router = {in, &out, entered};
  key.eth_src = out.mac;
  key.eth_dst = next_hop;
  --key.ip_ttl;
  ++decrements;
  rewritten = true;
  limit_to(out.mtu);
}

void Walk::return_to_last_router() {
  in = last_router.in;
  entered = last_router.entered;
  key = entered.key;
  icmp_id = entered.icmp_id;
  quote = entered.quote;
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

std::vector<uint8_t> Walk::frame_of(const Headers& headers) const {
  std::vector<uint8_t> frame(input.packet.bytes.begin(), input.packet.bytes.end());
  Packet copy = input.packet;
  copy.bytes = frame;
  const FlowKey& before = input.packet.key;
  const FlowKey& after = headers.key;
  if (after.eth_src != before.eth_src || after.eth_dst != before.eth_dst) {
    set_ethernet(copy, after.eth_src, after.eth_dst);
  }
  if (has_icmp_id) set_icmp_id(copy, headers.icmp_id);
  if (headers.quote) rewrite_icmp_quote(copy, *headers.quote);
  if (after.ip_src != before.ip_src || after.ip_dst != before.ip_dst) set_ip(copy, after.ip_src, after.ip_dst);
  if (!borrowed_ports && (after.l4_src != before.l4_src || after.l4_dst != before.l4_dst)) {
    set_ports(copy, after.l4_src, after.l4_dst);
  }
  for (int ttl = before.ip_ttl; ttl > after.ip_ttl; --ttl) decrement_ttl(copy);
  return frame;
}

std::string name_of(const Network& network, HostId host) {
  const topology::Host* known = network.data().snapshot.find(host);
  return known == nullptr || known->name.empty() ? host.to_string() : known->name;
}

std::string name_of(const PortView& port) { return port.name.empty() ? port.id.to_string() : port.name; }

}  // namespace viaduct::flows::simulation
