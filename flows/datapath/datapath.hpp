// The datapath: the table of flows in the kernel (or, for tests, in process), its ports, and the way by which packets
// that match no flow reach user space.
//
// Three implementations pass one conformance suite (tests/unit/datapath): `fake` (in process), `ebpf` (tc programs,
// pinned maps) and `ovs` (the Open vSwitch kernel module over generic netlink).
//
// Two faces, because two kinds of threads use it:
//  - Datapath, the control face: ports, dumps, removal. Its methods may block in the kernel for milliseconds, are
//    called from the datapath and flow-controller actors, and are safe to call from several threads.
//  - PacketChannel, one per packet worker: upcalls in, flows and packets out. A channel belongs to one thread, except
//    wake(). Nothing in it allocates in the common case.
//
// Flows outlive the process: destroying a Datapath leaves ports and flows in the kernel, and the next open() of the
// same name finds them (adoption, DESIGN "Datapaths"). destroy() removes everything.
//
// Fairness: a port may have at most kPortCredit upcalls waiting. What comes beyond that is dropped in the kernel and
// counted for that port (PortStats::upcalls_lost), so a noisy port delays another by at most its own credit.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "flows/match/flow.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows {

inline constexpr uint32_t kPortCredit = 256;
// The longest frame that the slow path carries; a longer one is dropped and counted (upcall_truncated).
inline constexpr size_t kMaxUpcallBytes = 65535 + 18;

struct DatapathPort {
  PortNumber number;
  std::string interface;
  uint32_t mtu = 0;                       // bytes behind the Ethernet header
  bool link_up = false;                   // administratively up and with a carrier
  bool present = true;                    // the interface exists
  std::optional<TunnelKind> tunnel = {};  // made by add_tunnel_port()
};

// A port for packets between hosts: one of each kind in a datapath. It is flow-based: each packet that leaves by it says
// by TunnelOutput where to, and each that comes in has its FlowKey::tunnel set. Its interface is made by the datapath,
// named after it ("<name>-vxlan", "<name>-gre"; tunnel_interface.hpp), and taken over by the next life like any port.
struct TunnelPortSpec {
  static constexpr uint16_t kVxlanPort = 6677;  // MidoNet's for its overlay; 4789 is left to VTEPs

  TunnelKind kind = TunnelKind::vxlan;  // gre: between IPv4 addresses only
  uint16_t udp_port = kVxlanPort;       // vxlan
  friend bool operator==(const TunnelPortSpec&, const TunnelPortSpec&) = default;
};

struct PortStats {
  uint64_t rx_packets = 0, rx_bytes = 0;  // from the guest into the datapath
  uint64_t tx_packets = 0, tx_bytes = 0;  // towards the guest
  uint64_t upcalls = 0;
  uint64_t upcalls_lost = 0;  // no credit, or the queue to user space was full
};

struct DatapathStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t lost = 0;  // upcalls that never reached user space, all ports
  uint64_t flows = 0;
};

struct Capabilities {
  bool megaflows = false;  // distinct masks are matched as such; otherwise rounded up to few classes
  size_t max_flows = 0;
  size_t max_outputs = 0;         // Output and TunnelOutput actions a flow may have; a longer list stays in user space
  size_t max_tunnel_outputs = 0;  // of those, to other hosts
  size_t max_dec_ttl = 0;         // DecrementTtl actions a flow may have
  bool check_mtu = false;
  bool vxlan = false, gre = false;  // the kinds of tunnel ports that this kernel has
};

enum class UpcallReason : uint8_t {
  miss,         // no flow
  ttl_expired,  // a flow's DecrementTtl
  too_big,      // a flow's CheckMtu
};

struct Upcall {
  PortNumber in_port;
  UpcallReason reason = UpcallReason::miss;
  std::span<uint8_t> frame;  // valid until the channel's next poll(); may be rewritten in place
  Offload offload;
  std::chrono::steady_clock::time_point received;
  Tunnel tunnel = {};  // when in_port is a tunnel port
};

struct PacketOut {
  std::span<uint8_t> frame;  // execute() may rewrite it in place
  Offload offload;
  PortNumber in_port;  // none for packets made by the agent
  std::span<const Action> actions;
};

struct FlowStats {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  std::chrono::nanoseconds idle{};  // since the last packet; since installation when there was none
  uint8_t tcp_flags = 0;            // of all its TCP packets, or-ed
};

enum class InstallResult : uint8_t {
  installed,
  replaced,  // the same id was there: its actions are now these
  overlaps,  // another megaflow covers the key (a race between workers): treat as installed by someone else
  table_full,
  unsupported,  // beyond Capabilities, or actions that its packets cannot take: keep the flow in user space
  error,        // the kernel said no; counted by errno in Datapath::error_counts()
};

// A flow to install, and the packet that it was made for. A datapath without megaflows matches more fields than the
// flow asks for and takes their values from `packet_key`; the flow stays one flow by its id, with as many entries in
// the kernel as there were distinct packets. A datapath with megaflows ignores `packet_key`.
struct FlowInstall {
  Flow flow;
  FlowKey packet_key;  // unmasked; flow.matches(packet_key)
};

// One worker's side: upcalls in, flows and packets out. See the head of this file.
class PacketChannel {
 public:
  virtual ~PacketChannel() = default;
  // Waits until there is an upcall, wake() is called, or `timeout` has passed. Fills `out` from the front and says
  // how many; ports take turns.
  virtual size_t poll(std::span<Upcall> out, std::chrono::milliseconds timeout) = 0;
  // Ends a running or the next poll() at once. Any thread.
  virtual void wake() = 0;
  // `results` is as long as `flows`.
  virtual void install(std::span<const FlowInstall> flows, std::span<InstallResult> results) = 0;
  // Sends each packet through its actions. Returns how many the kernel refused.
  virtual size_t execute(std::span<PacketOut> packets) = 0;
};

class Datapath {
 public:
  virtual ~Datapath() = default;

  virtual std::string_view kind() const = 0;  // "ebpf", "ovs", "fake"
  virtual Capabilities capabilities() const = 0;

  // Takes the interface into the datapath: from now on nothing else of this host sees its packets. Adding one that is
  // already in gives the same number as before, also after a restart. Errors: no_such_device (no such interface),
  // device_or_resource_busy (it belongs to a Linux bridge or another datapath), others from the kernel.
  virtual DatapathPort add_port(const std::string& interface, std::error_code& error) = 0;
  // Makes the tunnel port of this kind, or changes the one that there is. Errors: not_supported (the kernel has no such
  // tunnels), address_in_use (the UDP port belongs to somebody else, or in GRE another flow-based device is there),
  // device_or_resource_busy (an interface of that name is something else), others from the kernel. A packet that comes
  // in without a key is dropped and counted (no_tunnel).
  virtual DatapathPort add_tunnel_port(const TunnelPortSpec& spec, std::error_code& error) = 0;
  // Gives the interface back and deletes the flows that come in by it. Removing what is absent succeeds.
  virtual std::error_code remove_port(PortNumber port) = 0;
  // Also ports found from an earlier life. A port whose interface vanished stays listed with present = false until
  // removed.
  virtual std::vector<DatapathPort> ports() = 0;
  virtual std::optional<PortStats> port_stats(PortNumber port) = 0;
  virtual DatapathStats stats() = 0;
  // Everything that went wrong since the daemon started, by name: "send.ENOBUFS", "install.E2BIG", "layout_rebuilt",
  // ... Only counters above zero; names are stable and fit a metric label.
  virtual std::vector<std::pair<std::string, uint64_t>> error_counts() = 0;
  // Called, from a thread of the datapath's own, when an interface of this host appeared, vanished or changed state:
  // a hint to look at ports() and to retry bindings. At most one function; empty to stop.
  virtual void on_interface_change(std::function<void()> hint) = 0;

  // `worker` in [0, workers of this datapath). Channels are opened before the first port is added, or, when ports were
  // adopted, before their upcalls are read.
  virtual std::unique_ptr<PacketChannel> open_channel(unsigned worker) = 0;

  // Returns how many were there. `last` (may be empty) gets each removed flow's final statistics.
  using StatsVisitor = std::function<void(const FlowId&, const FlowStats&)>;
  virtual size_t remove_flows(std::span<const FlowId> ids, const StatsVisitor& last) = 0;
  virtual void dump_stats(const StatsVisitor& visit) = 0;
  // With keys and actions: adoption after a restart, and `viaduct flows`. A flow that cannot be understood (made by
  // another version) is removed and counted, not shown.
  using FlowVisitor = std::function<void(const Flow&, const FlowStats&)>;
  virtual void dump_flows(const FlowVisitor& visit) = 0;
  virtual void flush_flows() = 0;
  // Removes ports, flows and everything else that this datapath left in the kernel.
  virtual void destroy() = 0;
};

struct DatapathOptions {
  std::string name = "viaduct";  // several may live on one host (tests)
  unsigned workers = 1;
  size_t max_flows = 131072;
};

}  // namespace viaduct::flows
