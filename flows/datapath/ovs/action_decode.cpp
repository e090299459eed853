#include <linux/openvswitch.h>

#include <algorithm>
#include <utility>

#include "flows/datapath/ovs/action_codec.hpp"
#include "flows/datapath/ovs/set_codec.hpp"
#include "flows/datapath/ovs/tunnel_codec.hpp"

namespace viaduct::flows::ovs {

namespace {

struct Placed {
  size_t position;
  Action action;
};

// Collects what a list says: upcalls know their place, the rest follows in order.
class Decoder {
 public:
  bool list(Bytes actions, size_t depth = 0) {
    if (depth > kMaxMtuChecks) return false;
    while (auto attribute = next_attribute(actions)) {
      if (!one(*attribute, depth)) return false;
    }
    return actions.empty();
  }
  std::optional<DecodedActions> finish() {
    if (tunnel_) return std::nullopt;
    size_t total = placed_.size() + rest_.size();
    std::sort(placed_.begin(), placed_.end(), [](auto& a, auto& b) { return a.position < b.position; });
    DecodedActions out;
    out.upcall_id = upcall_id_;
    auto next_placed = placed_.begin();
    auto next = rest_.begin();
    for (size_t i = 0; i < total; ++i) {
      if (next_placed != placed_.end() && next_placed->position == i) {
        out.actions.push_back((next_placed++)->action);
      } else if (next != rest_.end()) {
        out.actions.push_back(*next++);
      } else {
        return std::nullopt;
      }
    }
    return out;
  }

 private:
  bool one(const Attribute& attribute, size_t depth) {
    switch (attribute.type) {
      case OVS_ACTION_ATTR_OUTPUT:
        return output(attribute.value);
      case OVS_ACTION_ATTR_SET:
        return set_tunnel(attribute.value);
      case OVS_ACTION_ATTR_SET_MASKED:
        return set_header(attribute.value);
      case OVS_ACTION_ATTR_DEC_TTL:
        return decrement(attribute.value);
      case OVS_ACTION_ATTR_CHECK_PKT_LEN:
        return check(attribute.value, depth);
      default:
        return false;
    }
  }
  bool output(Bytes value) {
    uint32_t port;
    if (value.size() != sizeof port) return false;
    std::memcpy(&port, value.data(), sizeof port);
    if (tunnel_) {
      tunnel_->port = {port};
      rest_.push_back(*std::exchange(tunnel_, std::nullopt));
    } else {
      rest_.push_back(Output{{port}});
    }
    return true;
  }
  // It is for the output behind it.
  bool set_tunnel(Bytes value) {
    Attributes set;
    if (tunnel_ || !set.parse(value) || !set.has(OVS_KEY_ATTR_TUNNEL)) return false;
    tunnel_ = decode_set_tunnel(set[OVS_KEY_ATTR_TUNNEL]);
    return tunnel_.has_value();
  }
  bool set_header(Bytes value) {
    std::optional<Action> set = decode_set(value);
    if (set) rest_.push_back(*set);
    return set.has_value();
  }
  bool decrement(Bytes value) {
    Attributes nest;
    return nest.parse(value) && upcall(nest[OVS_DEC_TTL_ATTR_ACTION], UpcallReason::ttl_expired);
  }
  bool check(Bytes value, size_t depth) {
    Attributes nest;
    return nest.parse(value) && upcall(nest[OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER], UpcallReason::too_big) &&
           list(nest[OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL], depth + 1);
  }
  // A list that holds exactly one USERSPACE with a cookie of ours.
  bool upcall(Bytes actions, UpcallReason reason) {
    auto action = next_attribute(actions);
    Attributes nest;
    if (!action || !actions.empty() || action->type != OVS_ACTION_ATTR_USERSPACE || !nest.parse(action->value)) {
      return false;
    }
    auto cookie = Cookie::decode(nest[OVS_USERSPACE_ATTR_USERDATA]);
    auto id = nest.get<uint32_t>(OVS_USERSPACE_ATTR_PID);
    if (!cookie || !id || cookie->reason != reason) return false;
    if (!upcall_id_) upcall_id_ = id;
    placed_.push_back(
        {cookie->position, reason == UpcallReason::too_big ? Action(CheckMtu{cookie->mtu}) : Action(DecrementTtl{})});
    return true;
  }

  std::vector<Placed> placed_;
  std::vector<Action> rest_;
  std::optional<TunnelOutput> tunnel_;
  std::optional<uint32_t> upcall_id_;
};

}  // namespace

std::optional<DecodedActions> decode_actions(Bytes actions) {
  Decoder decoder;
  if (!decoder.list(actions)) return std::nullopt;
  return decoder.finish();
}

}  // namespace viaduct::flows::ovs
