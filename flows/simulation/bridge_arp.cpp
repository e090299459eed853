// What bridges do with ARP and neighbour discovery: learn who has which address, and answer for those who are known,
// so that the question reaches nobody else (ARP suppression, RFC 9161 in EVPN's words).
//
// Whom a bridge answers for: its routers and static entries always; learned bindings only when a guest asks. A router
// that asks wants to hear from the owner itself, or a binding would confirm itself for ever; a guest that asks whether
// an address is free (RFC 5227 probe, RFC 4862 DAD) is answered by its owner.
#include "flows/packet/build.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

struct Answer {
  MacAddress mac;
  NodeKind kind = NodeKind::host;
  const char* how = "";
};

bool is_host(const IpAddress& ip) {
  return !ip.is_any() && !ip.is_multicast() && !ip.is_limited_broadcast() && !ip.is_loopback();
}

void learn_binding(Walk& walk, const BridgeView& bridge, const IpAddress& ip, const MacAddress& mac) {
  if (!is_host(ip) || mac.is_multicast() || mac.is_zero()) return;
  if (bridge.router_addresses.find(ip) != nullptr || bridge.static_neighbours.find(ip) != nullptr) return;
  walk.verdict.writes.push_back(LearnNeighbour{{bridge.id.uuid(), PortId{}, ip}, mac});
  walk.note_device(Stage::bridge_learn, [&] { return ip.to_string() + " has " + mac.to_string(); });
}

struct Question {
  IpAddress target;
  MacAddress asker;
  bool probe;  // asks whether the address is free
};

std::optional<Answer> learned_answer(const Walk& walk, const BridgeView& bridge, const Question& question) {
  if (question.probe || !walk.in->exterior) return std::nullopt;
  const auto known = walk.input.state.neighbours.find({bridge.id.uuid(), PortId{}, question.target});
  if (!known || known->state != NeighbourState::reachable || known->mac == question.asker) return std::nullopt;
  // Behind the same port the owner hears the question itself.
  const auto place = walk.input.state.macs.find({bridge.id, 0, known->mac});
  if (place && place->port == walk.in->id) return std::nullopt;
  return Answer{known->mac, NodeKind::host, "learned"};
}

std::optional<Answer> answer_for(const Walk& walk, const BridgeView& bridge, const Question& question) {
  if (const RouterLink* link = bridge.router_addresses.find(question.target)) {
    if (link->bridge_port == walk.in->id) return std::nullopt;
    return Answer{link->mac, NodeKind::router, "router"};
  }
  if (const PinnedNeighbour* pinned = bridge.static_neighbours.find(question.target)) {
    if (pinned->mac == question.asker) return std::nullopt;
    return Answer{pinned->mac, NodeKind::host, "static"};
  }
  return learned_answer(walk, bridge, question);
}

bool answered(Walk& walk, const Question& question, const Answer& answer, FrameBytes frame) {
  walk.note_device(Stage::arp_suppressed,
                   [&] { return question.target.to_string() + " has " + answer.mac.to_string() + ", " + answer.how; });
  walk.emit(*walk.in, std::move(frame));
  walk.consume(DropReason::consumed_by_bridge);
  return true;
}

bool overhear_arp(Walk& walk, const BridgeView& bridge) {
  const auto arp = parse_arp(walk.input.packet);
  if (!arp) return false;
  learn_binding(walk, bridge, arp->sender_ip, arp->sender_mac);
  // A request to one MAC asks just that owner, whether it is still there.
  if (arp->operation != Arp::request || arp->is_gratuitous() || !walk.key.eth_dst.is_multicast()) return false;
  const Question question{arp->target_ip, arp->sender_mac, arp->sender_ip.is_any()};
  const auto answer = answer_for(walk, bridge, question);
  return answer && answered(walk, question, *answer, make_arp_reply(*arp, answer->mac));
}

void learn_from_advertisement(Walk& walk, const BridgeView& bridge, const NeighbourDiscovery& nd) {
  if (!nd.link_layer) return;
  if (!nd.override_) {  // RFC 4861 7.2.5: says nothing against what is known
    const auto known = walk.input.state.neighbours.find({bridge.id.uuid(), PortId{}, nd.target});
    if (known && known->mac != *nd.link_layer) return;
  }
  learn_binding(walk, bridge, nd.target, *nd.link_layer);
}

bool overhear_neighbour_discovery(Walk& walk, const BridgeView& bridge) {
  const auto nd = parse_neighbour_discovery(walk.input.packet);
  if (!nd) return false;
  if (nd->is_advertisement) {
    learn_from_advertisement(walk, bridge, *nd);
    return false;
  }
  if (nd->link_layer && !nd->is_dad()) learn_binding(walk, bridge, nd->source, *nd->link_layer);
  if (!walk.key.eth_dst.is_multicast()) return false;
  const MacAddress asker = nd->link_layer.value_or(walk.key.eth_src);
  const Question question{nd->target, asker, nd->is_dad()};
  const auto answer = answer_for(walk, bridge, question);
  return answer &&
         answered(walk, question, *answer, make_neighbour_advertisement(*nd, asker, answer->mac, answer->kind));
}

}  // namespace

bool overhear(Walk& walk, const BridgeView& bridge) {
  return walk.key.eth_type == ethertype::kArp ? overhear_arp(walk, bridge) : overhear_neighbour_discovery(walk, bridge);
}

}  // namespace viaduct::flows::simulation
