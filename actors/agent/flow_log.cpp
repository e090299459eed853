#include "actors/agent/flow_log.hpp"

#include <chrono>

#include "flows/simulation/network_views.hpp"
#include "observability/flow_log/sampling.hpp"
#include "observability/flow_log/writer.hpp"

namespace viaduct::actors {

using flows::DropReason;
using flows::FlowKey;
using flows::simulation::DropSite;
using flows::simulation::Network;
using flows::simulation::Verdict;
namespace flow_log = observability::flow_log;

namespace {

constexpr unsigned kSecondBits = 26;  // of a serial: so many records a second before it runs ahead of the clock

std::string_view name_of(flows::simulation::DeviceKind kind) {
  using flows::simulation::DeviceKind;
  switch (kind) {
    case DeviceKind::port:
      return "port";
    case DeviceKind::bridge:
      return "bridge";
    case DeviceKind::router:
      return "router";
    case DeviceKind::chain:
      return "chain";
    case DeviceKind::load_balancer:
      return "load_balancer";
    case DeviceKind::none:
      break;
  }
  return "none";
}

// As the packet is when it leaves first.
flow_log::Tuple translated(const flow_log::Tuple& before, const flows::ActionList& actions) {
  flow_log::Tuple after = before;
  for (const flows::Action& action : actions) {
    if (const auto* ip = std::get_if<flows::SetIp>(&action)) {
      after.src = ip->src;
      after.dst = ip->dst;
    } else if (const auto* ports = std::get_if<flows::SetPorts>(&action)) {
      after.src_port = ports->src;
      after.dst_port = ports->dst;
    } else if (std::holds_alternative<flows::Output>(action) || std::holds_alternative<flows::TunnelOutput>(action)) {
      break;
    }
  }
  return after;
}

bool is_tagged(uint16_t tci) { return (tci & FlowKey::kVlanPresent) != 0; }
constexpr uint16_t kVlanId = 0x0fff;

void put_headers(const FlowKey& key, flow_log::Record& out) {
  out.ip_version = key.eth_type == flows::ethertype::kIpv4 ? 4 : key.eth_type == flows::ethertype::kIpv6 ? 6 : 0;
  out.ether_type = key.eth_type;
  out.protocol = key.ip_proto;
  out.vlan_tags = static_cast<uint8_t>(is_tagged(key.vlan_tci) + is_tagged(key.inner_vlan_tci));
  out.vlan = key.vlan_tci & kVlanId;
  out.inner_vlan = key.inner_vlan_tci & kVlanId;
  out.src_mac = key.eth_src;
  out.dst_mac = key.eth_dst;
}

void put_ingress(const FlowKey& key, const Network& network, flow_log::Record& out) {
  out.ingress_number = key.in_port.value;
  if (key.tunnel.present()) {
    if (const HostId* host = network.peer_at(key.tunnel.src)) out.from_host = host->uuid();
  } else if (const auto* port = network.at(key.in_port)) {
    out.ingress = port->id.uuid();
    out.add_device(port->device_id);
  }
}

void put_egress(const Verdict& verdict, const Network& network, flow_log::Record& out) {
  Uuid last;
  for (const flows::Action& action : verdict.actions) {
    if (const auto* output = std::get_if<flows::Output>(&action)) {
      const auto* port = network.at(output->port);
      out.add({port == nullptr ? Uuid() : port->id.uuid(), output->port.value});
      if (port != nullptr) last = port->device_id;
    } else if (const auto* tunnel = std::get_if<flows::TunnelOutput>(&action)) {
      const HostId* host = network.peer_at(tunnel->tunnel.dst);
      out.add({Uuid(), 0, host == nullptr ? Uuid() : host->uuid(), tunnel->tunnel.key});
    }
  }
  out.add_device(last);
}

void put_drop(DropReason reason, const DropSite& site, flow_log::Record& out) {
  out.outcome = flow_log::Outcome::dropped;
  out.reason = flows::to_string(reason);
  out.place_kind = name_of(site.kind);
  out.place = site.device;
  out.chain = site.chain.uuid();
  out.rule = site.rule.uuid();
  out.position = site.position;
  using flows::simulation::DeviceKind;
  if (site.kind == DeviceKind::bridge || site.kind == DeviceKind::router) out.add_device(site.device);
}

}  // namespace

uint8_t forwarding_status(DropReason reason) {
  constexpr uint8_t kForwarded = 64, kDropped = 128;
  enum : uint8_t { kDenied = 1, kRule = 2, kUnroutable = 3, kAdjacency = 4, kTooBig = 5, kChecksum = 6, kHeader = 8 };
  enum : uint8_t { kTtl = 9, kPolicer = 10, kReversePath = 12, kForUs = 13, kOutput = 14 };
  switch (reason) {
    case DropReason::none:
      return kForwarded;
    case DropReason::rejected_by_rule:
      return kDropped + kDenied;
    case DropReason::dropped_by_rule:
      return kDropped + kRule;
    case DropReason::no_route:
    case DropReason::blackhole_route:
    case DropReason::reject_route:
      return kDropped + kUnroutable;
    case DropReason::next_hop_unresolved:
      return kDropped + kAdjacency;
    case DropReason::packet_too_big:
      return kDropped + kTooBig;
    case DropReason::bad_checksum:
      return kDropped + kChecksum;
    case DropReason::malformed:
      return kDropped + kHeader;
    case DropReason::ttl_exceeded:
      return kDropped + kTtl;
    case DropReason::icmp_rate_limited:
      return kDropped + kPolicer;
    case DropReason::martian_source:
      return kDropped + kReversePath;
    case DropReason::not_to_local_service:
      return kDropped + kForUs;
    case DropReason::port_down:
    case DropReason::port_inactive:
    case DropReason::port_unplugged:
      return kDropped + kOutput;
    default:
      return kDropped;
  }
}

void FlowLogEnds::add(const flow_log::Ended& end) {
  std::lock_guard lock(mutex_);
  if (ends_.size() < capacity_) {
    ends_.push_back(end);
  } else {
    ++lost_;
  }
}

std::vector<flow_log::Ended> FlowLogEnds::take(uint64_t& lost) {
  std::lock_guard lock(mutex_);
  lost += std::exchange(lost_, 0);
  return std::exchange(ends_, {});
}

FlowLogTap::FlowLogTap(const FlowLogInlet& inlet, unsigned worker)
    : settings_(inlet.settings),
      worker_(uint64_t{worker} << (64 - kWorkerBits)),
      next_(static_cast<uint64_t>(
                std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                    .count())
            << kSecondBits),
      probe_(inlet.registry),
      ring_(flow_log::Writer::kRecordsOfASource) {}

bool FlowLogTap::note(const Decision& decision, Record& out) {
  const FlowKey& key = decision.packet.key;
  const bool dropped = decision.drop != DropReason::none;
  const bool asks = key.eth_type == flows::ethertype::kArp || flows::is_neighbour_discovery(key);
  if (asks && !dropped) return false;
  const flow_log::Tuple before{key.ip_src, key.ip_dst, key.l4_src, key.l4_dst};
  const flow_log::Tuple after = dropped ? before : translated(before, decision.verdict.actions);
  const uint64_t hash = flow_log::sample_hash(before, after, key.ip_proto);
  if (!flow_log::is_sampled(hash, dropped ? settings_.sample_drops : settings_.sample)) {
    probe_.sampled_out();
    return false;
  }
  out.decided = decision.now;
  out.before = before;
  out.after = after;
  out.frame_bytes = static_cast<uint32_t>(decision.packet.bytes.size());
  out.forwarding_status = forwarding_status(decision.drop);
  put_headers(key, out);
  put_ingress(key, decision.network, out);
  for (const auto& routed : decision.verdict.routed) out.add_device(routed.router.uuid());
  if (dropped) {
    put_drop(decision.drop, decision.site, out);
  } else {
    put_egress(decision.verdict, decision.network, out);
  }
  return true;
}

// What drops does not: a scan would become a flow for each of its packets.
flows::FieldSet FlowLogTap::mask_of(const flows::Packet& packet, const Verdict& verdict) const {
  using flows::Field;
  flows::FieldSet mask = verdict.mask;
  if (!settings_.per_connection || !packet.key.is_ip() || verdict.outcome != flows::simulation::Outcome::forward) {
    return mask;
  }
  mask.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::fragment, Field::l4_src, Field::l4_dst});
  return mask;
}

uint64_t FlowLogTap::push(Record& record) {
  const uint64_t serial = worker_ | (next_++ & ((uint64_t{1} << (64 - kWorkerBits)) - 1));
  record.serial = serial;
  if (ring_.try_push(std::move(record))) return serial;
  probe_.ring_full();
  return 0;
}

}  // namespace viaduct::actors
