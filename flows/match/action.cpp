#include "flows/match/action.hpp"

namespace viaduct::flows {

namespace {
struct Printer {
  std::string operator()(const SetEthernet& set) const {
    return "set_eth(src=" + set.src.to_string() + ",dst=" + set.dst.to_string() + ")";
  }
  std::string operator()(const SetIp& set) const {
    return "set_ip(src=" + set.src.to_string() + ",dst=" + set.dst.to_string() + ")";
  }
  std::string operator()(const SetPorts& set) const {
    return "set_ports(src=" + std::to_string(set.src) + ",dst=" + std::to_string(set.dst) + ")";
  }
  std::string operator()(const DecrementTtl&) const { return "dec_ttl"; }
  std::string operator()(const CheckMtu& check) const { return "check_mtu(" + std::to_string(check.mtu) + ")"; }
  std::string operator()(const Output& output) const { return "output(" + std::to_string(output.port.value) + ")"; }
  std::string operator()(const TunnelOutput& output) const {
    return "tunnel(" + std::to_string(output.port.value) + "," + output.tunnel.to_string() +
           (output.tos == 0 ? ")" : ",tos=" + std::to_string(output.tos) + ")");
  }
};
}  // namespace

std::string to_string(const Action& action) { return std::visit(Printer{}, action); }

std::string to_string(std::span<const Action> actions) {
  if (actions.empty()) return "drop";
  std::string out;
  for (const Action& action : actions) {
    if (!out.empty()) out += ',';
    out += to_string(action);
  }
  return out;
}

}  // namespace viaduct::flows
