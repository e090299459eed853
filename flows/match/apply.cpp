#include "flows/match/apply.hpp"

#include <optional>

#include "flows/packet/headers.hpp"
#include "flows/packet/rewrite.hpp"

namespace viaduct::flows {

namespace {

struct Applier {
  std::span<uint8_t> frame;
  const Offload& offload;
  OutputSink sink;
  std::optional<Packet> parsed = std::nullopt;  // only what is behind the Ethernet header needs it

  ApplyResult operator()(const SetEthernet& set) const {
    wire::store_mac(frame.data() + wire::eth::kSrc, set.src);
    wire::store_mac(frame.data() + wire::eth::kDst, set.dst);
    return ApplyResult::done;
  }
  ApplyResult operator()(const SetIp& set) {
    return set_ip(packet(), set.src, set.dst) ? ApplyResult::done : ApplyResult::malformed;
  }
  ApplyResult operator()(const SetPorts& set) {
    return set_ports(packet(), set.src, set.dst) ? ApplyResult::done : ApplyResult::malformed;
  }
  ApplyResult operator()(const DecrementTtl&) {
    switch (decrement_ttl(packet())) {
      case TtlResult::decremented:
        return ApplyResult::done;
      case TtlResult::expired:
        return ApplyResult::ttl_expired;
      case TtlResult::not_ip:
        break;
    }
    return ApplyResult::malformed;
  }
  ApplyResult operator()(const CheckMtu&) const { return ApplyResult::done; }
  ApplyResult operator()(const Output& output) const {
    sink({output.port, nullptr}, frame, offload);
    return ApplyResult::done;
  }
  ApplyResult operator()(const TunnelOutput& output) const {
    sink({output.port, &output}, frame, offload);
    return ApplyResult::done;
  }

  Packet& packet() {
    if (!parsed) parsed = parse(frame, {}, offload);
    return *parsed;
  }
};

bool takes(const FlowKey& key, const SetIp& set) {
  return key.is_ip() && set.src.family() == set.dst.family() && set.src.is_v4() == (key.eth_type == ethertype::kIpv4);
}

bool takes(const FlowKey& key, const SetPorts&) {
  if (!key.is_ip() || key.fragment == Fragment::later) return false;
  return key.ip_proto == ip_proto::kTcp || key.ip_proto == ip_proto::kUdp ||
         (key.ip_proto == ip_proto::kSctp && key.fragment == Fragment::none);
}

}  // namespace

bool applicable(std::span<const Action> actions, const FlowKey& key) {
  for (const Action& action : actions) {
    const auto* ip = std::get_if<SetIp>(&action);
    const auto* ports = std::get_if<SetPorts>(&action);
    if ((ip != nullptr && !takes(key, *ip)) || (ports != nullptr && !takes(key, *ports))) return false;
  }
  return true;
}

ApplyResult apply(std::span<const Action> actions, std::span<uint8_t> frame, const Offload& offload, OutputSink sink) {
  if (frame.size() < wire::eth::kBytes) return ApplyResult::malformed;
  Applier applier{frame, offload, sink};
  for (const Action& action : actions) {
    ApplyResult result = std::visit(applier, action);
    if (result != ApplyResult::done) return result;
  }
  return ApplyResult::done;
}

}  // namespace viaduct::flows
