#include "topology/host_state.hpp"

#include <initializer_list>

namespace viaduct::topology {

namespace {

std::string joined(std::string_view table, std::initializer_list<std::string> parts) {
  std::string key(kStateKeyPrefix);
  key += table;
  for (const std::string& part : parts) key.append("/").append(part);
  return key;
}

struct KeyOf {
  HostId host;
  std::string operator()(const PortActive& it) const { return joined("port", {it.port.to_string()}); }
  std::string operator()(const FloodKey& it) const {
    return joined("flood", {it.bridge.to_string(), host.to_string()});
  }
  std::string operator()(const MacClaim& it) const {
    return joined("mac", {it.bridge.to_string(), std::to_string(it.vlan), it.mac.to_string()});
  }
  std::string operator()(const NeighbourClaim& it) const {
    return joined("neighbour", {it.device.to_string(), it.port.to_string(), it.address.to_string()});
  }
  std::string operator()(const HostSession&) const { return session_key(host); }
};

}  // namespace

std::string session_key(HostId host) { return joined("host", {host.to_string()}); }

std::string state_key(const StateEntry& entry) { return std::visit(KeyOf{entry.host}, entry.fact); }

}  // namespace viaduct::topology
