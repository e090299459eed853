// The ports: numbers, interfaces, the program on them. The truth is in the pinned maps (vd_port by number, numbers by
// interface index), so a restart finds the same ports under the same numbers.
//
// A port whose interface vanishes keeps its number and name, without an interface; add() of an interface of that name
// brings it back.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/error_counts.hpp"
#include "flows/datapath/ebpf/flow_table.hpp"
#include "flows/datapath/ebpf/interfaces.hpp"
#include "flows/datapath/ebpf/kernel_maps.hpp"

namespace viaduct::flows::ebpf {

class PortTable {
 public:
  // All outlive this object.
  PortTable(KernelMaps& maps, FlowTable& flows, ErrorCounts& errors) : maps_(maps), flows_(flows), errors_(errors) {}

  // Takes over the ports of an earlier life: finds their interfaces again and puts today's program in place of theirs.
  void adopt();
  DatapathPort add(const std::string& interface, std::error_code& error);
  // An interface of make_tunnel_device(); it goes when the port is removed.
  DatapathPort add_tunnel(const std::string& interface, const TunnelPortSpec& spec, std::error_code& error);
  std::error_code remove(PortNumber number);
  std::vector<DatapathPort> list();
  std::optional<PortStats> stats(PortNumber number);

  // News of InterfaceWatch.
  void interface_changed(const Interface& interface);
  void interface_vanished(uint32_t ifindex);
  void look_at_all();

 private:
  struct Port {
    std::string interface;
    uint32_t ifindex = 0;  // 0: absent
    std::optional<TunnelKind> tunnel;
    uint32_t mtu = 0;
    bool link_up = false;
  };

  DatapathPort add_locked(const std::string& interface, std::optional<TunnelKind> tunnel, std::error_code& error);
  bool belongs_to_another(const Interface& interface) const;
  PortNumber number_of(const std::string& interface) const;
  PortNumber free_number() const;
  std::error_code attach(PortNumber number, Port& port, const Interface& interface);
  void detach(PortNumber number, Port& port);
  void forget_interface(PortNumber number, Port& port);
  void apply(PortNumber number, Port& port, const Interface& interface);
  void clear_counters(PortNumber number);
  static DatapathPort describe(PortNumber number, const Port& port);

  KernelMaps& maps_;
  FlowTable& flows_;
  ErrorCounts& errors_;
  mutable std::mutex mutex_;
  std::map<PortNumber, Port> ports_;
};

}  // namespace viaduct::flows::ebpf
