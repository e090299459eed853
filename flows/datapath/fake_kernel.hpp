// The part of the fake datapath that outlives a daemon: an imaginary host with interfaces, the ports among them, a flow
// table and the queues to user space. Tests hold it by shared_ptr, play the guests (inject, take_output), and let
// FakeDatapath objects (open_fake) come and go over it.
//
// Forwarding happens in the thread that injects, at the time that the injected clock says. All methods may be called
// from any thread. Like the real ones it refuses a link that is down, drops what no flow matches (after the upcall), and
// performs a flow's checks (TTL, MTU) before its rewrites.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/fake_flow_table.hpp"
#include "flows/match/apply.hpp"

namespace viaduct::flows {

struct FakeFrame {
  std::vector<uint8_t> bytes;
  Offload offload;
};

struct FakeUpcall {
  FakeFrame frame;
  PortNumber in_port;
  UpcallReason reason = UpcallReason::miss;
  std::chrono::steady_clock::time_point received;
  Tunnel tunnel = {};
};

// What leaves by a tunnel port: the frame inside, and the outer header.
struct FakeTunneled {
  TunnelKind kind = TunnelKind::vxlan;
  FakeFrame frame;
  Tunnel tunnel;
  uint8_t tos = 0;
  uint16_t udp_port = TunnelPortSpec::kVxlanPort;
};

class FakeKernel {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  // Frames that left by one interface and wait for take_output(); more are dropped and counted (capture_overflow).
  static constexpr size_t kMaxCaptured = 65536;

  // Without a clock it is steady_clock.
  explicit FakeKernel(Clock clock = {});

  // --- the imaginary host ---
  void add_interface(const std::string& name, uint32_t mtu = 1500);
  void remove_interface(const std::string& name);
  bool has_interface(const std::string& name) const;
  enum class Link : uint8_t { down, up };
  void set_link(const std::string& name, Link link);
  // It belongs to a Linux bridge: no port can be made of it.
  void enslave(const std::string& name);

  // --- the guests ---
  // False when there is no such port or its link is down: the frame is lost as on a cable.
  bool inject(const std::string& interface, std::span<const uint8_t> frame, Offload offload = {});
  bool inject(PortNumber port, std::span<const uint8_t> frame, Offload offload = {});
  std::vector<FakeFrame> take_output(const std::string& interface);
  // Waits (in real time) for a frame.
  std::optional<FakeFrame> wait_output(const std::string& interface, std::chrono::milliseconds timeout);

  // --- other hosts ---
  // What leaves by tunnel ports goes there, one by one, outside of any lock; without a wire it waits for
  // take_tunneled(). See FakeUnderlay.
  using Wire = std::function<void(const FakeTunneled&)>;
  void set_wire(Wire wire);
  // Comes in by the tunnel port of this kind. False when there is none or its link is down.
  bool inject_tunneled(const FakeTunneled& packet);
  std::vector<FakeTunneled> take_tunneled();
  std::optional<FakeTunneled> wait_tunneled(std::chrono::milliseconds timeout);

  // --- failures ---
  // The next installs are refused: InstallResult::error.
  void fail_installs(size_t how_many);
  // Tunnel ports of this kind are refused from now on; success: not any more.
  void refuse_tunnels(TunnelKind kind, std::error_code why);

  // --- for FakeDatapath ---
  void configure(const DatapathOptions& options);
  DatapathPort add_port(const std::string& interface, std::error_code& error);
  DatapathPort add_tunnel_port(const std::string& interface, const TunnelPortSpec& spec, std::error_code& error);
  void remove_port(PortNumber port);
  std::vector<DatapathPort> ports() const;
  std::optional<PortStats> port_stats(PortNumber port) const;
  DatapathStats stats() const;
  std::vector<std::pair<std::string, uint64_t>> error_counts() const;
  void on_interface_change(std::function<void()> hint);
  size_t poll(unsigned worker, size_t max, std::chrono::milliseconds timeout, std::vector<FakeUpcall>& out);
  void wake(unsigned worker);
  InstallResult install(const FlowInstall& flow);
  size_t execute(PacketOut& packet);
  size_t remove_flows(std::span<const FlowId> ids, const Datapath::StatsVisitor& last);
  void dump(const Datapath::FlowVisitor& visit) const;
  void flush_flows();
  void reset();

 private:
  struct Interface {
    uint32_t mtu = 1500;
    bool up = true;
    bool enslaved = false;
    std::deque<FakeFrame> output;
  };
  struct Port {
    std::string interface;
    std::optional<TunnelPortSpec> tunnel;
    PortStats stats;
    uint32_t queued = 0;
  };
  struct Queue {
    std::map<PortNumber, std::deque<FakeUpcall>> by_port;
    PortNumber last_served;
    bool woken = false;
    std::condition_variable ready;
  };
  static constexpr size_t kMaxWorkers = 16;

  DatapathPort make_port(const std::string& interface, const std::optional<TunnelPortSpec>& tunnel);
  bool inject_locked(PortNumber number, Port& port, const FakeFrame& frame, const Tunnel& tunnel);
  bool receive(PortNumber number, const FakeFrame& frame);
  void forward(const Packet& packet, FakeFlowTable::Entry& entry);
  void upcall(Port& port, const Packet& packet, UpcallReason reason);
  size_t send(std::span<const Action> actions, std::span<uint8_t> frame, const Offload& offload);
  bool output(const OutputTarget& to, std::span<const uint8_t> frame, const Offload& offload);
  void capture(const Port& port, Interface& interface, const TunnelOutput* tunnel, FakeFrame frame);
  void carry();
  size_t take_upcalls(Queue& queue, size_t max, std::vector<FakeUpcall>& out);
  DatapathPort describe(PortNumber number, const Port& port) const;
  void hint();

  mutable std::mutex mutex_;
  Clock clock_;
  unsigned workers_ = 1;
  FakeFlowTable table_{0};
  std::map<std::string, Interface> interfaces_;
  std::map<PortNumber, Port> ports_;
  PortNumber next_port_{1};
  std::array<Queue, kMaxWorkers> queues_;
  DatapathStats stats_;
  std::map<std::string, uint64_t> errors_;
  size_t installs_to_fail_ = 0;
  std::map<TunnelKind, std::error_code> tunnels_refused_;
  std::mutex hint_mutex_;
  std::function<void()> hint_;
  std::condition_variable output_ready_;
  std::shared_ptr<const Wire> wire_;
  std::deque<FakeTunneled> tunneled_;
};

}  // namespace viaduct::flows
