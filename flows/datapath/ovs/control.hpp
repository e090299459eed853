// The control face: see Datapath.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "flows/datapath/ovs/interface_watch.hpp"
#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/datapath/ovs/links.hpp"
#include "flows/datapath/ovs/requests.hpp"
#include "flows/datapath/ovs/state.hpp"
#include "flows/datapath/tunnel_device.hpp"

namespace viaduct::flows::ovs {

class OvsDatapath final : public Datapath {
 public:
  OvsDatapath(std::shared_ptr<State> state, std::unique_ptr<Requests> requests, std::error_code& error);

  // Takes over what an earlier life left: its ports get sockets, and flows that hand packets to sockets which are gone
  // are told the new ones. Before this, nothing of this datapath comes up.
  std::error_code adopt();

  std::string_view kind() const override { return "ovs"; }
  Capabilities capabilities() const override;
  DatapathPort add_port(const std::string& interface, std::error_code& error) override;
  DatapathPort add_tunnel_port(const TunnelPortSpec& spec, std::error_code& error) override;
  std::error_code remove_port(PortNumber port) override;
  std::vector<DatapathPort> ports() override;
  std::optional<PortStats> port_stats(PortNumber port) override;
  DatapathStats stats() override;
  std::vector<std::pair<std::string, uint64_t>> error_counts() override { return state_->errors.all(); }
  void on_interface_change(std::function<void()> hint) override { watch_.on_change(std::move(hint)); }
  std::unique_ptr<PacketChannel> open_channel(unsigned worker) override;
  size_t remove_flows(std::span<const FlowId> ids, const StatsVisitor& last) override;
  void dump_stats(const StatsVisitor& visit) override;
  void dump_flows(const FlowVisitor& visit) override;
  void flush_flows() override;
  void destroy() override;

 private:
  struct Port {
    std::string interface;
    HostIpv6 host_ipv6 = HostIpv6::off;  // what it was before we took it
  };
  struct Dumped {
    Flow flow;
    FlowStats stats;
    TagTypes tags;
    std::optional<uint32_t> upcall_id;
  };

  DatapathPort add_locked(const std::string& interface, std::error_code& error);
  // By its name: what an earlier life made is known by it too.
  std::optional<TunnelKind> tunnel_of(const std::string& interface) const;
  PortNumber number_of(const std::string& interface) const;
  PortNumber free_number();
  DatapathPort describe(PortNumber number, const std::string& interface, bool in_kernel) const;
  // Sockets first, then the vport that names them.
  std::error_code attach(PortNumber number, const std::string& interface);
  std::error_code take_interface(PortNumber number, const std::string& interface);
  std::error_code listen_to(const Vport& vport);
  void adopt_markers();
  void refresh_stale_flows();
  std::error_code remove_locked(PortNumber port);
  void delete_flows_of(PortNumber port);

  std::optional<Dumped> decode(const RawFlow& raw, MaskResolver& masks) const;
  // Every flow but the markers. `foreign`: there was one that has no id, so another program works here.
  std::vector<Dumped> all_flows(bool& foreign);
  // The same under the mutex. With a foreign flow the table is flushed: nothing in it is to be trusted.
  std::vector<Dumped> all_flows_locked();
  void flush_locked();
  DatapathStats stats_locked();
  void delete_raw(std::span<const FlowId> ids);
  std::error_code noted(std::string_view what, std::error_code error);

  std::shared_ptr<State> state_;
  std::unique_ptr<Requests> requests_;
  Links links_;
  InterfaceWatch watch_;
  const bool has_vxlan_ = has_tunnel_devices(TunnelKind::vxlan), has_gre_ = has_tunnel_devices(TunnelKind::gre);
  std::mutex mutex_;  // of what follows
  std::map<PortNumber, Port> ports_;
  uint32_t next_number_ = 1;
};

}  // namespace viaduct::flows::ovs
