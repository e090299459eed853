#include <algorithm>
#include <cerrno>

#include "flows/datapath/ovs/channel.hpp"
#include "flows/datapath/ovs/control.hpp"
#include "flows/datapath/tunnel_interface.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr uint32_t kLastNumber = 0xff00;  // above are the numbers that probes use

}  // namespace

OvsDatapath::OvsDatapath(std::shared_ptr<State> state, std::unique_ptr<Requests> requests, std::error_code& error)
    : state_(std::move(state)),
      requests_(std::move(requests)),
      links_(error),
      watch_(requests_->families().vport_group, error) {}

Capabilities OvsDatapath::capabilities() const {
  return {.megaflows = true,
          .max_flows = state_->options.max_flows,
          .max_outputs = kMaxOutputs,
          .max_tunnel_outputs = kMaxOutputs,
          .max_dec_ttl = state_->support.decrement_ttl ? kMaxDecrements : 0,
          .check_mtu = state_->support.check_length,
          .vxlan = has_vxlan_,
          .gre = has_gre_};
}

std::error_code OvsDatapath::noted(std::string_view what, std::error_code error) {
  if (error) state_->errors.add_errno(what, error.value());
  return error;
}

PortNumber OvsDatapath::number_of(const std::string& interface) const {
  auto at = std::find_if(ports_.begin(), ports_.end(), [&](auto& port) { return port.second.interface == interface; });
  return at != ports_.end() ? at->first : PortNumber{};
}

// Numbers go round, so that a flow which still outputs to a removed port does not reach the next one that is added.
PortNumber OvsDatapath::free_number() {
  for (uint32_t tried = 0; tried < kLastNumber; ++tried) {
    PortNumber number{next_number_};
    next_number_ = next_number_ % kLastNumber + 1;
    if (!ports_.contains(number)) return number;
  }
  return {};
}

DatapathPort OvsDatapath::describe(PortNumber number, const std::string& interface, bool in_kernel) const {
  Link link = links_.find(interface);
  return {number, interface, link.mtu, link.up && in_kernel, link.index != 0 && in_kernel, tunnel_of(interface)};
}

std::optional<TunnelKind> OvsDatapath::tunnel_of(const std::string& interface) const {
  for (TunnelKind kind : {TunnelKind::vxlan, TunnelKind::gre}) {
    if (interface == tunnel_interface(state_->options.name, kind)) return kind;
  }
  return std::nullopt;
}

DatapathPort OvsDatapath::add_port(const std::string& interface, std::error_code& error) {
  std::lock_guard lock(mutex_);
  return add_locked(interface, error);
}

DatapathPort OvsDatapath::add_tunnel_port(const TunnelPortSpec& spec, std::error_code& error) {
  std::lock_guard lock(mutex_);
  const std::string interface = tunnel_interface(state_->options.name, spec.kind);
  PortNumber known = number_of(interface);
  // The module lets go of a vanished interface later, by itself: the number would still be taken.
  if (known && !is_tunnel_device(interface, spec)) requests_->delete_vport(state_->datapath, known);
  error = noted("add_tunnel_port", make_tunnel_device(interface, spec));
  if (error) return {};
  DatapathPort port = add_locked(interface, error);
  if (!error) error = noted("add_tunnel_port", links_.set_up(interface));
  if (!error) return port;
  if (PortNumber number = number_of(interface)) remove_locked(number);
  remove_tunnel_device(interface, spec.kind);
  return {};
}

DatapathPort OvsDatapath::add_locked(const std::string& interface, std::error_code& error) {
  error.clear();
  if (links_.find(interface).index == 0) {
    error = std::make_error_code(std::errc::no_such_device);
    return {};
  }
  PortNumber number = number_of(interface);
  bool known = static_cast<bool>(number);
  if (!known) number = free_number();
  if (!number) {
    error = std::make_error_code(std::errc::no_space_on_device);
    return {};
  }
  error = noted("add_port", attach(number, interface));
  if (error) {
    if (!known) state_->sockets.remove(number);
    return {};
  }
  if ((error = noted("add_port", take_interface(number, interface)))) return {};
  return describe(number, interface, true);
}

std::error_code OvsDatapath::attach(PortNumber number, const std::string& interface) {
  if (std::error_code error = state_->sockets.add(number)) return error;
  std::vector<uint32_t> ids = state_->sockets.ids(number);
  std::error_code error = requests_->add_vport(state_->datapath, number, interface, ids);
  // The number is taken: by this port, since we chose it. When its interface is another, it belongs to another user.
  if (error == std::errc::file_exists || error == std::errc::device_or_resource_busy) {
    std::optional<Vport> there = requests_->vport(state_->datapath, number);
    if (!there || there->interface != interface) return std::make_error_code(std::errc::device_or_resource_busy);
    error = requests_->set_upcall_ids(state_->datapath, number, ids);
  }
  return error;
}

std::error_code OvsDatapath::take_interface(PortNumber number, const std::string& interface) {
  HostIpv6 before = set_host_ipv6(interface, HostIpv6::off);
  auto [at, added] = ports_.try_emplace(number, Port{interface, before});
  if (!added && before == HostIpv6::on) at->second.host_ipv6 = before;
  at->second.interface = interface;
  noted("set_up", links_.set_up(interface));
  state_->ports.set(number, links_.find(interface).index);
  return requests_->put_marker(state_->datapath, number, interface);
}

std::error_code OvsDatapath::remove_port(PortNumber port) {
  std::lock_guard lock(mutex_);
  return remove_locked(port);
}

std::error_code OvsDatapath::remove_locked(PortNumber port) {
  auto at = ports_.find(port);
  if (at == ports_.end()) return {};
  std::error_code error = requests_->delete_vport(state_->datapath, port);
  if (error && error != std::errc::no_such_device) return noted("remove_port", error);
  state_->ports.set(port, 0);
  delete_flows_of(port);
  requests_->delete_marker(state_->datapath, port);
  state_->sockets.remove(port);
  if (at->second.host_ipv6 == HostIpv6::on) set_host_ipv6(at->second.interface, HostIpv6::on);
  if (std::optional<TunnelKind> kind = tunnel_of(at->second.interface)) {
    error = noted("remove_port", remove_tunnel_device(at->second.interface, *kind));
  }
  ports_.erase(at);
  return error == std::errc::no_such_device ? std::error_code{} : error;
}

std::vector<DatapathPort> OvsDatapath::ports() {
  std::lock_guard lock(mutex_);
  std::error_code error;
  std::vector<Vport> vports = requests_->vports(state_->datapath, error);
  noted("ports", error);
  std::vector<DatapathPort> out;
  for (auto& [number, port] : ports_) {
    auto at = std::find_if(vports.begin(), vports.end(),
                           [&number = number](const Vport& vport) { return vport.number == number; });
    if (at != vports.end()) port.interface = at->interface;  // it may have been renamed
    out.push_back(describe(number, port.interface, at != vports.end()));
    if (at == vports.end()) state_->ports.set(number, 0);
  }
  return out;
}

std::optional<PortStats> OvsDatapath::port_stats(PortNumber port) {
  std::lock_guard lock(mutex_);
  if (!ports_.contains(port)) return std::nullopt;
  std::optional<Vport> vport = requests_->vport(state_->datapath, port);
  PortStats out = vport ? vport->stats : PortStats{};
  UpcallCounts counts = state_->sockets.counts(port);
  out.upcalls = counts.upcalls;
  out.upcalls_lost = counts.lost;
  return out;
}

DatapathStats OvsDatapath::stats() {
  std::lock_guard lock(mutex_);
  return stats_locked();
}

// Without the markers, of which every port has one.
DatapathStats OvsDatapath::stats_locked() {
  DatapathStats out = requests_->datapath_stats(state_->datapath);
  out.flows -= std::min<uint64_t>(out.flows, ports_.size());
  return out;
}

std::unique_ptr<PacketChannel> OvsDatapath::open_channel(unsigned worker) {
  std::error_code error;
  constexpr size_t kReplyBytes = 4 << 20;  // refusals of a whole batch
  NetlinkSocket socket = NetlinkSocket::open(0, kReplyBytes, error);
  if (noted("open_channel", error)) return nullptr;
  return std::make_unique<OvsChannel>(state_, worker, std::move(socket));
}

void OvsDatapath::destroy() {
  std::lock_guard lock(mutex_);
  noted("destroy", requests_->delete_datapath(state_->datapath));
  for (const auto& [number, port] : ports_) {
    state_->ports.set(number, 0);
    state_->sockets.remove(number);
    if (port.host_ipv6 == HostIpv6::on) set_host_ipv6(port.interface, HostIpv6::on);
    if (std::optional<TunnelKind> kind = tunnel_of(port.interface)) {
      noted("destroy", remove_tunnel_device(port.interface, *kind));
    }
  }
  ports_.clear();
  state_->install_times.clear();
  state_->flows = 0;
}

}  // namespace viaduct::flows::ovs
