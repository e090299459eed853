#include <linux/openvswitch.h>

#include <algorithm>

#include "flows/datapath/ovs/action_codec.hpp"
#include "flows/datapath/ovs/set_codec.hpp"
#include "flows/datapath/ovs/tunnel_codec.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ovs {

namespace {

template <class Kind>
size_t count(const ActionList& actions) {
  return static_cast<size_t>(
      std::count_if(actions.begin(), actions.end(), [](const Action& a) { return std::holds_alternative<Kind>(a); }));
}

size_t first_output(const ActionList& actions) {
  auto at = std::find_if(actions.begin(), actions.end(), [](const Action& a) {
    return std::holds_alternative<Output>(a) || std::holds_alternative<TunnelOutput>(a);
  });
  return static_cast<size_t>(at - actions.begin());
}

bool tunnels_fit(const ActionList& actions) {
  return std::all_of(actions.begin(), actions.end(), [](const Action& action) {
    const auto* output = std::get_if<TunnelOutput>(&action);
    return output == nullptr || (output->tunnel.present() && output->tunnel.key <= Tunnel::kMaxKey &&
                                 output->tunnel.src.family() == output->tunnel.dst.family());
  });
}

bool translates(const Action& action) {
  return std::holds_alternative<SetIp>(action) || std::holds_alternative<SetPorts>(action);
}

// Addresses and ports: of packets that all have them, which the mask must say, and with no upcall from behind that
// would have to restore them. The module's way to layer 3 behind two tags is not relied upon.
bool translatable(const Flow& flow) {
  size_t first =
      static_cast<size_t>(std::find_if(flow.actions.begin(), flow.actions.end(), translates) - flow.actions.begin());
  if (first == flow.actions.size()) return true;
  FieldSet known{Field::eth_type};
  if (count<SetPorts>(flow.actions) > 0) known.add({Field::ip_proto, Field::fragment});
  if (!flow.mask.contains(known) || !applicable(flow.actions.view(), flow.key) || flow.key.inner_vlan_tci != 0) {
    return false;
  }
  for (size_t i = std::max(first, first_output(flow.actions)); i < flow.actions.size(); ++i) {
    if (std::holds_alternative<DecrementTtl>(flow.actions[i])) return false;
  }
  return true;
}

// A decrement behind an output and a rewrite: its cookie has to know the packet's addresses.
bool needs_addresses(const ActionList& actions) {
  bool rewritten = false;
  for (size_t i = 0; i < actions.size(); ++i) {
    rewritten |= std::holds_alternative<SetEthernet>(actions[i]);
    if (rewritten && i > first_output(actions) && std::holds_alternative<DecrementTtl>(actions[i])) return true;
  }
  return false;
}

class Encoder {
 public:
  Encoder(MessageBatch& out, const Flow& flow, uint32_t upcall_id) : out_(out), flow_(flow), upcall_id_(upcall_id) {}

  void put() { put_checks(0); }

 private:
  // The checks from the one at or behind `from` on, and inside of the last one everything else.
  void put_checks(size_t from) {
    for (size_t i = from; i < flow_.actions.size(); ++i) {
      if (const auto* check = std::get_if<CheckMtu>(&flow_.actions[i])) return put_check(*check, i);
    }
    size_t head = first_output(flow_.actions);
    for (size_t i = 0; i < head; ++i) put_decrement(i);
    for (size_t i = 0; i < head; ++i) put_rest(i);
    for (size_t i = head; i < flow_.actions.size(); ++i) {
      put_decrement(i);
      put_rest(i);
    }
  }
  // The module compares the whole frame's length, tags included.
  void put_check(const CheckMtu& check, size_t position) {
    size_t header = wire::eth::kBytes + (flow_.key.vlan_tci != 0 ? wire::eth::kVlanBytes : 0) +
                    (flow_.key.inner_vlan_tci != 0 ? wire::eth::kVlanBytes : 0);
    size_t nest = out_.open_nest(OVS_ACTION_ATTR_CHECK_PKT_LEN);
    out_.put(OVS_CHECK_PKT_LEN_ATTR_PKT_LEN, static_cast<uint16_t>(std::min<size_t>(check.mtu + header, 0xffff)));
    size_t longer = out_.open_nest(OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER);
    put_upcall({.reason = UpcallReason::too_big, .position = static_cast<uint8_t>(position), .mtu = check.mtu});
    out_.close_nest(longer);
    size_t fits = out_.open_nest(OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL);
    put_checks(position + 1);
    out_.close_nest(fits);
    out_.close_nest(nest);
  }
  void put_decrement(size_t position) {
    if (!std::holds_alternative<DecrementTtl>(flow_.actions[position])) return;
    Cookie cookie{.reason = UpcallReason::ttl_expired, .position = static_cast<uint8_t>(position)};
    cookie.decrements = decrements_++;
    cookie.rewritten = rewritten_;
    if (rewritten_) {
      cookie.src = flow_.key.eth_src;
      cookie.dst = flow_.key.eth_dst;
    }
    size_t nest = out_.open_nest(OVS_ACTION_ATTR_DEC_TTL);
    size_t expired = out_.open_nest(OVS_DEC_TTL_ATTR_ACTION);
    put_upcall(cookie);
    out_.close_nest(expired);
    out_.close_nest(nest);
  }
  void put_upcall(const Cookie& cookie) {
    size_t nest = out_.open_nest(OVS_ACTION_ATTR_USERSPACE);
    out_.put(OVS_USERSPACE_ATTR_PID, upcall_id_);
    out_.put(OVS_USERSPACE_ATTR_USERDATA, Bytes(cookie.encode()));
    out_.close_nest(nest);
  }
  void put_rest(size_t position) {
    const Action& action = flow_.actions[position];
    if (const auto* output = std::get_if<Output>(&action)) out_.put(OVS_ACTION_ATTR_OUTPUT, output->port.value);
    if (const auto* output = std::get_if<TunnelOutput>(&action)) {
      put_set_tunnel(out_, *output);
      out_.put(OVS_ACTION_ATTR_OUTPUT, output->port.value);
    }
    if (const auto* set = std::get_if<SetEthernet>(&action)) {
      rewritten_ = true;
      put_set(out_, *set);
    }
    if (const auto* set = std::get_if<SetIp>(&action)) put_set(out_, *set);
    if (const auto* set = std::get_if<SetPorts>(&action)) put_set(out_, *set, flow_.key.ip_proto);
  }

  MessageBatch& out_;
  const Flow& flow_;
  uint32_t upcall_id_;
  uint8_t decrements_ = 0;
  bool rewritten_ = false;
};

}  // namespace

bool executable(const Flow& flow, const ActionSupport& support) {
  size_t decrements = count<DecrementTtl>(flow.actions), checks = count<CheckMtu>(flow.actions);
  if (flow.actions.size() > kMaxActions ||
      count<Output>(flow.actions) + count<TunnelOutput>(flow.actions) > kMaxOutputs)
    return false;
  if (!tunnels_fit(flow.actions)) return false;
  if (!translatable(flow)) return false;
  if (decrements > (support.decrement_ttl ? kMaxDecrements : 0)) return false;
  if (checks > (support.check_length ? kMaxMtuChecks : 0)) return false;
  // The module knows the type of the innermost of two tags only, and decrements nothing there.
  if (decrements > 0 && flow.key.inner_vlan_tci != 0) return false;
  // An upcall goes to a socket of the port where the packet came in.
  if (decrements + checks > 0 && !flow.mask.has(Field::in_port)) return false;
  return !needs_addresses(flow.actions) || flow.mask.contains({Field::eth_src, Field::eth_dst});
}

bool has_upcalls(const ActionList& actions) { return count<DecrementTtl>(actions) + count<CheckMtu>(actions) > 0; }

void put_actions(MessageBatch& out, const Flow& flow, uint32_t upcall_id) {
  size_t nest = out.open_nest(OVS_FLOW_ATTR_ACTIONS);
  Encoder(out, flow, upcall_id).put();
  out.close_nest(nest);
}

void put_outputs(MessageBatch& out, uint16_t type, std::span<const OutputTarget> targets) {
  size_t nest = out.open_nest(type);
  for (const OutputTarget& to : targets) {
    if (to.tunnel != nullptr) put_set_tunnel(out, *to.tunnel);
    out.put(OVS_ACTION_ATTR_OUTPUT, to.port.value);
  }
  out.close_nest(nest);
}

}  // namespace viaduct::flows::ovs
