// What every datapath must do, as one value-parameterised suite. A program that tests a driver implements Harness,
// links viaduct_datapath_conformance and writes
//
//   INSTANTIATE_TEST_SUITE_P(Ebpf, DatapathConformance, testing::Values(HarnessFactory{"ebpf", &make_harness}),
//                            harness_name);
//
// Nothing sleeps: what should happen is waited for with a deadline; what should not is shown by a marker frame that is
// sent after it and arrives first.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "frames.hpp"
#include "tests/unit/eventually.hpp"

namespace viaduct::flows {

struct WireFrame {
  frames::Bytes bytes;
  Offload offload;
};

// A frame in its outer packet, as it is between two hosts.
struct Tunneled {
  TunnelKind kind = TunnelKind::vxlan;
  frames::Bytes frame = {};
  Tunnel tunnel = {};
  uint8_t tos = 0, ttl = 64;
  uint16_t udp_port = TunnelPortSpec::kVxlanPort;  // vxlan
  bool dont_fragment = false;                      // IPv4
  bool checksum = false;                           // vxlan: there is one outside
};

// One host with a datapath of one name, and guests behind its interfaces. Guests are silent: only what send() sends
// comes in.
class Harness {
 public:
  virtual ~Harness() = default;
  // The harness chooses options.name, the same every time, so that a second open() adopts what the first left.
  virtual std::unique_ptr<Datapath> open(DatapathOptions options) = 0;
  // A fresh interface with a guest behind it, up; MTU 1500.
  virtual std::string add_interface() = 0;
  virtual void remove_interface(const std::string& interface) = 0;
  // Again, by the same name, after remove_interface.
  virtual void restore_interface(const std::string& interface) = 0;
  // Makes it a member of a Linux bridge.
  virtual void enslave(const std::string& interface) = 0;
  // Of both ends.
  virtual void set_mtu(const std::string& interface, uint32_t mtu) = 0;
  // The guest behind `interface` sends a frame.
  virtual void send(const std::string& interface, std::span<const uint8_t> frame, const Offload& offload) = 0;
  // What the guest behind `interface` receives next.
  virtual std::optional<WireFrame> receive(const std::string& interface, std::chrono::milliseconds timeout) = 0;
  virtual bool has_interface(const std::string& interface) = 0;
  // A link to other hosts: this one becomes frames::Host::outer(1), and 2 to 4 are there, with no datapath of any kind.
  virtual void add_underlay() = 0;
  virtual void send_tunneled(const Tunneled& packet) = 0;
  // What the other hosts receive next.
  virtual std::optional<Tunneled> receive_tunneled(std::chrono::milliseconds timeout) = 0;
  // Lets time pass on the datapath's clock.
  virtual void pass_time(std::chrono::milliseconds time) = 0;
};

struct HarnessFactory {
  const char* name;
  // Null when the machine cannot run it; `why_not` is then the reason.
  std::unique_ptr<Harness> (*make)(std::string& why_not);
};

inline std::string harness_name(const testing::TestParamInfo<HarnessFactory>& info) { return info.param.name; }

class DatapathConformance : public testing::TestWithParam<HarnessFactory> {
 protected:
  static constexpr std::chrono::milliseconds kSoon{3000};

  struct Guest {
    std::string interface;
    PortNumber port;
    frames::Host host;
  };
  struct Seen {
    PortNumber in_port;
    UpcallReason reason;
    frames::Bytes bytes;
    Offload offload;
    std::chrono::steady_clock::time_point received;
    Tunnel tunnel;
  };

  void SetUp() override;
  void TearDown() override;

  void open(DatapathOptions options = {});
  // The daemon dies; the kernel goes on.
  void kill();
  Guest guest();
  frames::Udp udp(const Guest& from, const Guest& to) const { return {from.host, to.host}; }

  void send(const Guest& from, const frames::Bytes& frame, const Offload& offload = {});
  // Within kSoon.
  std::optional<Seen> next_upcall();
  std::optional<frames::Bytes> next_frame(const Guest& to);
  // Shows that nothing else is on its way to user space: a marker is the next upcall.
  void expect_no_upcall(const Guest& from);

  FlowInstall flow_for(const Guest& from, const frames::Bytes& frame, FieldSet mask, const ActionList& actions);
  // Of a frame that comes in by a tunnel port.
  FlowInstall flow_for(PortNumber port, const Tunnel& tunnel, const frames::Bytes& frame, FieldSet mask,
                       const ActionList& actions);
  InstallResult install(const FlowInstall& flow);
  InstallResult install(const Guest& from, const frames::Bytes& frame, FieldSet mask, const ActionList& actions) {
    return install(flow_for(from, frame, mask, actions));
  }
  // Installs a flow with `actions` for `frame`, sends it, and expects `result` at `to`, with the same offload.
  void expect_rewritten(const Guest& from, const frames::Bytes& frame, FieldSet mask, const ActionList& actions,
                        const Guest& to, const frames::Bytes& result, const Offload& offload = {});
  size_t execute(frames::Bytes frame, const ActionList& actions, const Offload& offload = {});
  std::vector<std::pair<FlowId, FlowStats>> flow_stats();
  std::vector<Flow> flows();

  std::unique_ptr<Harness> harness_;
  std::unique_ptr<Datapath> datapath_;
  std::vector<std::unique_ptr<PacketChannel>> channels_;
  std::deque<Seen> seen_;
  uint8_t guests_ = 0;
  uint16_t markers_ = 0;
};

}  // namespace viaduct::flows
