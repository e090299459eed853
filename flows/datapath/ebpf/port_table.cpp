#include "flows/datapath/ebpf/port_table.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "flows/datapath/ebpf/pins.hpp"
#include "flows/datapath/ebpf/tc_filter.hpp"
#include "flows/datapath/tunnel_device.hpp"

namespace viaduct::flows::ebpf {

namespace {

// The program reads them at any time.
void set_flags(vd_port& port, uint32_t flags) { std::atomic_ref(port.flags).fetch_or(flags); }
void clear_flags(vd_port& port, uint32_t flags) { std::atomic_ref(port.flags).fetch_and(~flags); }

uint32_t tunnel_flag(TunnelKind kind) { return kind == TunnelKind::vxlan ? kVdPortVxlan : kVdPortGre; }

std::optional<TunnelKind> tunnel_of(uint32_t flags) {
  if ((flags & kVdPortVxlan) != 0) return TunnelKind::vxlan;
  if ((flags & kVdPortGre) != 0) return TunnelKind::gre;
  return std::nullopt;
}

// All but the queue: upcalls of the old port may still wait, and give their credit back when they are read.
void release(vd_port& port) {
  std::atomic_ref(port.flags).store(0);
  port.ifindex = 0;
  port.mtu = 0;
  std::memset(port.name, 0, sizeof port.name);
  std::atomic_ref(port.sent_packets).store(0);
  std::atomic_ref(port.sent_bytes).store(0);
}

}  // namespace

void PortTable::adopt() {
  std::lock_guard lock(mutex_);
  for (uint32_t value = 1; value < kVdMaxPorts; ++value) {
    PortNumber number{value};
    vd_port& shared = maps_.port(number);
    if ((shared.flags & kVdPortUsed) == 0) continue;
    Port& port = ports_[number];
    port.interface.assign(shared.name, strnlen(shared.name, sizeof shared.name));
    port.ifindex = shared.ifindex;
    port.tunnel = tunnel_of(shared.flags);
    std::error_code error;
    std::optional<Interface> found = find_interface(port.interface, error);
    // Another index behind the name, or another name behind the index: not the interface that was taken.
    if (!found || found->ifindex != port.ifindex || found->enslaved) {
      forget_interface(number, port);
    } else if ((error = attach(number, port, *found))) {
      errors_.count_errno("adopt_port", error.value());
      forget_interface(number, port);
    }
  }
}

DatapathPort PortTable::add(const std::string& interface, std::error_code& error) {
  std::lock_guard lock(mutex_);
  return add_locked(interface, std::nullopt, error);
}

DatapathPort PortTable::add_tunnel(const std::string& interface, const TunnelPortSpec& spec, std::error_code& error) {
  std::lock_guard lock(mutex_);
  error = make_tunnel_device(interface, spec);
  if (error) {
    errors_.count_errno("add_tunnel_port", error.value());
    return {};
  }
  DatapathPort port = add_locked(interface, spec.kind, error);
  if (error) remove_tunnel_device(interface, spec.kind);
  return port;
}

DatapathPort PortTable::add_locked(const std::string& interface, std::optional<TunnelKind> tunnel,
                                   std::error_code& error) {
  std::optional<Interface> found = find_interface(interface, error);
  if (!found) return {};
  if (found->enslaved || belongs_to_another(*found)) {
    error = std::make_error_code(std::errc::device_or_resource_busy);
    return {};
  }
  PortNumber number = number_of(interface);
  bool is_new = !number;
  if (is_new) number = free_number();
  if (!number) {
    error = std::make_error_code(std::errc::no_space_on_device);
    return {};
  }
  Port& port = ports_[number];
  if (port.ifindex == found->ifindex) {
    apply(number, port, *found);
    return describe(number, port);
  }
  port.interface = found->name;
  port.tunnel = tunnel;
  if ((error = attach(number, port, *found))) {
    errors_.count_errno("add_port", error.value());
    detach(number, port);
    if (is_new) {
      release(maps_.port(number));
      ports_.erase(number);
    }
    return {};
  }
  return describe(number, port);
}

// In this order a death in between leaves a port that adopt() completes.
std::error_code PortTable::attach(PortNumber number, Port& port, const Interface& interface) {
  vd_port& shared = maps_.port(number);
  std::strncpy(shared.name, interface.name.c_str(), sizeof shared.name - 1);
  shared.ifindex = interface.ifindex;
  set_flags(shared, kVdPortUsed | (port.tunnel ? tunnel_flag(*port.tunnel) : 0));
  port.ifindex = interface.ifindex;
  if (set_ipv6(interface.name, Ipv6::off)) set_flags(shared, kVdPortIpv6Silenced);
  if (bpf_map_update_elem(maps_.port_numbers(), &interface.ifindex, &number.value, BPF_ANY) != 0)
    return {errno, std::generic_category()};
  bool made_clsact = false;
  const KernelMaps::Programs& programs = port.tunnel ? maps_.tunnel_programs() : maps_.port_programs();
  if (std::error_code error = attach_programs(interface.ifindex, programs, made_clsact)) return error;
  if (made_clsact) set_flags(shared, kVdPortOwnsClsact);
  if (std::error_code error = set_link_up(interface.name)) return error;
  apply(number, port, interface);
  set_flags(shared, kVdPortPresent);
  return {};
}

void PortTable::apply(PortNumber number, Port& port, const Interface& interface) {
  port.mtu = interface.mtu;
  port.link_up = interface.link_up;
  vd_port& shared = maps_.port(number);
  shared.mtu = interface.mtu;
  if (interface.reaches_peer)
    set_flags(shared, kVdPortPeer);
  else
    clear_flags(shared, kVdPortPeer);
}

void PortTable::forget_interface(PortNumber number, Port& port) {
  vd_port& shared = maps_.port(number);
  clear_flags(shared, kVdPortPresent | kVdPortPeer | kVdPortOwnsClsact | kVdPortIpv6Silenced);
  uint32_t owner = 0;
  // Its index may be another port's by now.
  if (bpf_map_lookup_elem(maps_.port_numbers(), &port.ifindex, &owner) == 0 && owner == number.value)
    bpf_map_delete_elem(maps_.port_numbers(), &port.ifindex);
  shared.ifindex = 0;
  port.ifindex = 0;
  port.link_up = false;
}

void PortTable::detach(PortNumber number, Port& port) {
  vd_port& shared = maps_.port(number);
  uint32_t flags = std::atomic_ref(shared.flags).load();
  if (port.ifindex != 0) {
    clear_flags(shared, kVdPortPresent);
    std::error_code error =
        detach_programs(port.ifindex, (flags & kVdPortOwnsClsact) != 0 ? Clsact::remove : Clsact::keep);
    if (error) errors_.count_errno("remove_port", error.value());
    if ((flags & kVdPortIpv6Silenced) != 0) set_ipv6(port.interface, Ipv6::on);
  }
  forget_interface(number, port);
}

std::error_code PortTable::remove(PortNumber number) {
  std::lock_guard lock(mutex_);
  auto at = ports_.find(number);
  if (at == ports_.end()) return {};
  detach(number, at->second);
  std::error_code error;
  if (at->second.tunnel && (error = remove_tunnel_device(at->second.interface, *at->second.tunnel)))
    errors_.count_errno("remove_port", error.value());
  flows_.remove_port(number);
  clear_counters(number);
  release(maps_.port(number));
  ports_.erase(at);
  return error;
}

// A filter whose datapath has no maps any more is a left-over, and will be replaced.
bool PortTable::belongs_to_another(const Interface& interface) const {
  std::string owner = owner_of(interface.ifindex);
  return !owner.empty() && owner != maps_.config().name && pins_exist(owner);
}

PortNumber PortTable::number_of(const std::string& interface) const {
  for (const auto& [number, port] : ports_) {
    if (port.interface == interface) return number;
  }
  return {};
}

// Round and round, so that a number rests as long as possible before it is used again. Zero when there is none.
PortNumber PortTable::free_number() const {
  uint32_t& next = maps_.config().next_port;
  for (uint32_t tried = 0; tried < kVdMaxPorts; ++tried) {
    PortNumber number{next % kVdMaxPorts};
    next = (next + 1) % kVdMaxPorts;
    if (number && !ports_.contains(number) && !flows_.refers_to(number)) return number;
  }
  return {};
}

DatapathPort PortTable::describe(PortNumber number, const Port& port) {
  return {number, port.interface, port.mtu, port.link_up, port.ifindex != 0, port.tunnel};
}

std::vector<DatapathPort> PortTable::list() {
  std::lock_guard lock(mutex_);
  std::vector<DatapathPort> out;
  out.reserve(ports_.size());
  for (const auto& [number, port] : ports_) out.push_back(describe(number, port));
  return out;
}

std::optional<PortStats> PortTable::stats(PortNumber number) {
  {
    std::lock_guard lock(mutex_);
    if (!ports_.contains(number)) return std::nullopt;
  }
  std::vector<vd_port_counters> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  PortStats out;
  if (bpf_map_lookup_elem(maps_.port_counters(), &number.value, per_cpu.data()) != 0) return std::nullopt;
  for (const vd_port_counters& one : per_cpu) {
    out.rx_packets += one.rx_packets;
    out.rx_bytes += one.rx_bytes;
    out.tx_packets += one.tx_packets;
    out.tx_bytes += one.tx_bytes;
    out.upcalls += one.upcalls;
    out.upcalls_lost += one.upcalls_lost;
  }
  vd_port& shared = maps_.port(number);
  out.tx_packets += std::atomic_ref(shared.sent_packets).load(std::memory_order_relaxed);
  out.tx_bytes += std::atomic_ref(shared.sent_bytes).load(std::memory_order_relaxed);
  return out;
}

void PortTable::clear_counters(PortNumber number) {
  std::vector<vd_port_counters> zero(static_cast<size_t>(libbpf_num_possible_cpus()));
  bpf_map_update_elem(maps_.port_counters(), &number.value, zero.data(), BPF_ANY);
}

void PortTable::interface_changed(const Interface& interface) {
  std::lock_guard lock(mutex_);
  for (auto& [number, port] : ports_) {
    if (port.ifindex == interface.ifindex) return apply(number, port, interface);
  }
}

void PortTable::interface_vanished(uint32_t ifindex) {
  std::lock_guard lock(mutex_);
  for (auto& [number, port] : ports_) {
    if (port.ifindex == ifindex) return forget_interface(number, port);
  }
}

void PortTable::look_at_all() {
  std::lock_guard lock(mutex_);
  for (auto& [number, port] : ports_) {
    if (port.ifindex == 0) continue;
    std::error_code error;
    std::optional<Interface> found = find_interface(port.interface, error);
    if (found && found->ifindex == port.ifindex)
      apply(number, port, *found);
    else
      forget_interface(number, port);
  }
}

}  // namespace viaduct::flows::ebpf
