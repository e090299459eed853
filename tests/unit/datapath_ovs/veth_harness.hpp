// The conformance suite's host for the Open vSwitch module: veth pairs in this network namespace, one end a port, the
// other end a packet socket that plays the guest. Meant for a guest kernel that is the test's own (tests/kernel).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "conformance.hpp"

namespace viaduct::flows {

class VethHarness final : public Harness {
 public:
  VethHarness();
  ~VethHarness() override;

  std::unique_ptr<Datapath> open(DatapathOptions options) override;
  std::string add_interface() override;
  void remove_interface(const std::string& interface) override;
  void restore_interface(const std::string& interface) override;
  void enslave(const std::string& interface) override;
  void set_mtu(const std::string& interface, uint32_t mtu) override;
  void send(const std::string& interface, std::span<const uint8_t> frame, const Offload& offload) override;
  std::optional<WireFrame> receive(const std::string& interface, std::chrono::milliseconds timeout) override;
  void pass_time(std::chrono::milliseconds time) override;

  static constexpr const char* kDatapath = "vt-ovs";

 private:
  class Guest;
  void create(const std::string& interface);

  std::map<std::string, std::unique_ptr<Guest>> guests_;
  unsigned made_ = 0;
  bool bridge_ = false;
};

// Null, and why, where the module is absent or may not be used.
std::unique_ptr<Harness> make_ovs_harness(std::string& why_not);

}  // namespace viaduct::flows
