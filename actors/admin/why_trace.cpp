// The packet of the question, and the answer that it would get, through the network as it is.
#include <algorithm>

#include "actors/admin/replies.hpp"
#include "actors/admin/why_run.hpp"
#include "actors/agent/flow_prover.hpp"

namespace viaduct::actors {

namespace sim = flows::simulation;
using flows::DropReason;
using flows::FlowKey;
using topology::Kind;

namespace {

void add_device(Inquiry& inquiry, const topology::ObjectRef& ref) {
  const bool known = std::any_of(inquiry.devices.begin(), inquiry.devices.end(),
                                 [&](const auto& device) { return device.ref == ref; });
  if (!known) inquiry.devices.push_back({ref, static_cast<unsigned>(inquiry.devices.size())});
}

void take_devices(const sim::Trace& trace, Inquiry& inquiry) {
  for (const auto& step : trace.steps) {
    if (step.depth > 0) continue;
    if (step.device_kind == sim::DeviceKind::bridge) add_device(inquiry, {Kind::bridge, step.device});
    if (step.device_kind == sim::DeviceKind::router) add_device(inquiry, {Kind::router, step.device});
  }
}

// How a packet of this key is when the actions are done.
FlowKey behind(FlowKey key, const flows::ActionList& actions) {
  for (const auto& action : actions) {
    if (const auto* ethernet = std::get_if<flows::SetEthernet>(&action)) {
      key.eth_src = ethernet->src;
      key.eth_dst = ethernet->dst;
    } else if (const auto* ip = std::get_if<flows::SetIp>(&action)) {
      key.ip_src = ip->src;
      key.ip_dst = ip->dst;
    } else if (const auto* ports = std::get_if<flows::SetPorts>(&action)) {
      key.l4_src = ports->src;
      key.l4_dst = ports->dst;
    }
  }
  return key;
}

// What a machine says to this packet; nothing to what is no question.
std::optional<FlowKey> answer_to(FlowKey key, flows::PortNumber at) {
  if (!key.is_ip() || key.eth_dst.is_multicast() || key.fragment != flows::Fragment::none) return std::nullopt;
  const bool v6 = key.eth_type == flows::ethertype::kIpv6;
  if (key.ip_proto == flows::ip_proto::kIcmp || key.ip_proto == flows::ip_proto::kIcmpv6) {
    constexpr uint16_t kEcho = 8, kReply = 0, kEcho6 = 128, kReply6 = 129;
    if (key.l4_src != (v6 ? kEcho6 : kEcho)) return std::nullopt;
    key.l4_src = v6 ? kReply6 : kReply;
  } else {
    std::swap(key.l4_src, key.l4_dst);
  }
  std::swap(key.eth_src, key.eth_dst);
  std::swap(key.ip_src, key.ip_dst);
  key.ip_ttl = 0;  // the specimen's own
  key.vlan_tci = key.inner_vlan_tci = 0;
  key.in_port = at;
  key.tunnel = {};
  return key;
}

struct Simulated {
  sim::Verdict verdict;
  sim::Trace trace;
  FlowKey key;
  uint32_t bytes = 0;
};

Simulated simulate(std::vector<uint8_t> frame, flows::PortNumber port, const Inquiry& inquiry, bool give_up) {
  Simulated out;
  flows::Packet packet = flows::parse(frame, port);
  const flows::StateView view = inquiry.state.view();
  sim::simulate({inquiry.network, view, packet, inquiry.facts.now, give_up}, out.verdict, &out.trace);
  out.key = packet.key;
  out.bytes = static_cast<uint32_t>(frame.size());
  return out;
}

Cause cause_of(const Simulated& simulated, const Inquiry& inquiry, Way way) {
  const auto& verdict = simulated.verdict;
  Cause cause =
      actors::cause_of(verdict.drop_reason, verdict.drop_site, simulated.key, simulated.bytes, inquiry.snapshot);
  cause.certainty = Certainty::traced;
  cause.way = way;
  cause = root_of(cause, verdict.drop_reason, verdict.drop_site, simulated.key, inquiry);
  if (way == Way::back) cause.text = "the answer: " + cause.text;
  return cause;
}

// It waits for a fact: what if that does not come?
void parked(const Simulated& first, const std::vector<uint8_t>& frame, flows::PortNumber port, const Inquiry& inquiry,
            WhyResult& result) {
  const Simulated given_up = simulate(frame, port, inquiry, true);
  if (given_up.verdict.outcome != sim::Outcome::drop) return;
  Cause cause = cause_of(given_up, inquiry, Way::forward);
  const bool nat = std::holds_alternative<sim::NatBlockWanted>(first.verdict.wanted);
  // A neighbour that was not asked for lately, or a block of ports that nobody has asked for: the next packet does.
  const bool asked = nat && !inquiry.facts.nat.problems.empty();
  cause.certainty = asked ? Certainty::traced : Certainty::likely;
  if (!asked) {
    cause.text += nat ? "; this host holds none of its ports yet" : "; nobody has asked for it lately";
    result.notes.push_back("the packet would wait for a fact; ask again when one has been sent");
  }
  result.causes.push_back(std::move(cause));
}

void answered(const Simulated& simulated, flows::PortNumber port, const Inquiry& inquiry, WhyResult& result) {
  if (!simulated.verdict.opens.empty()) {
    result.notes.push_back("the packet would open a connection: its answer was not simulated");
    return;
  }
  const auto key = answer_to(behind(simulated.key, simulated.verdict.actions), port);
  if (!key) return;
  const Simulated back = simulate(specimen(*key), port, inquiry, false);
  if (back.verdict.outcome == sim::Outcome::drop) result.causes.push_back(cause_of(back, inquiry, Way::back));
}

void forwarded(const Simulated& simulated, Inquiry& inquiry, WhyResult& result) {
  unsigned outputs = 0;
  flows::PortNumber last;
  for (const auto& action : simulated.verdict.actions) {
    if (const auto* output = std::get_if<flows::Output>(&action)) {
      ++outputs;
      last = output->port;
    } else if (const auto* away = std::get_if<flows::TunnelOutput>(&action)) {
      ++outputs;
      last = {};
      if (const HostId* host = inquiry.network.peer_at(away->tunnel.dst)) inquiry.leaves_for = *host;
    }
  }
  const auto* port = last ? inquiry.network.at(last) : nullptr;
  if (outputs == 1 && port != nullptr) answered(simulated, last, inquiry, result);
}

}  // namespace

void add_traced_causes(const PacketDescription& packet, Inquiry& inquiry, WhyResult& result) {
  const sim::PortView* port = inquiry.network.port(inquiry.port.id);
  if (port == nullptr || !port->number) {
    result.notes.push_back("the port is not active on this host: the packet was not simulated");
    return;
  }
  std::string error;
  const auto frame = frame_of({inquiry.port.id, packet}, inquiry.snapshot, inquiry.network, inquiry.state, error);
  if (!frame) {
    // Without what it takes to make a frame, the rest of the answer may say why that is not known.
    result.notes.push_back("the packet was not simulated: " + error);
    return;
  }
  result.trace = trace_frame(*frame, *port, inquiry.network, inquiry.state, inquiry.facts.now);
  const Simulated simulated = simulate(*frame, port->number, inquiry, false);
  inquiry.devices.clear();
  inquiry.packet = simulated.key;
  take_devices(simulated.trace, inquiry);
  switch (simulated.verdict.outcome) {
    case sim::Outcome::drop:
      result.causes.push_back(cause_of(simulated, inquiry, Way::forward));
      return;
    case sim::Outcome::park:
      return parked(simulated, *frame, port->number, inquiry, result);
    case sim::Outcome::consumed:
      result.notes.push_back("a virtual device answers the packet: it goes no further");
      return;
    case sim::Outcome::forward:
      return forwarded(simulated, inquiry, result);
  }
}

}  // namespace viaduct::actors
