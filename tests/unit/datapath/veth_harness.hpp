// The harness of real kernels: the datapath in a fresh network namespace, each guest behind a veth pair in a namespace
// of its own, spoken to by AF_PACKET. Namespaces have no names: they vanish with the process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "conformance.hpp"

namespace viaduct::flows {

class VethHarness : public Harness {
 public:
  static constexpr const char* kUnderlay = "under0";  // the link to other hosts, and their namespace
  // Opens the driver under test. Called in the namespace of the host.
  using Opener = std::function<std::unique_ptr<Datapath>(DatapathOptions)>;

  // Moves the calling thread, and threads that it starts from now on, into a new namespace.
  explicit VethHarness(Opener opener);
  ~VethHarness() override;

  std::unique_ptr<Datapath> open(DatapathOptions options) override { return opener_(std::move(options)); }
  std::string add_interface() override;
  void remove_interface(const std::string& interface) override;
  void restore_interface(const std::string& interface) override;
  void enslave(const std::string& interface) override;
  void set_mtu(const std::string& interface, uint32_t mtu) override;
  void send(const std::string& interface, std::span<const uint8_t> frame, const Offload& offload) override;
  std::optional<WireFrame> receive(const std::string& interface, std::chrono::milliseconds timeout) override;
  bool has_interface(const std::string& interface) override;
  void add_underlay() override;
  void send_tunneled(const Tunneled& packet) override;
  std::optional<Tunneled> receive_tunneled(std::chrono::milliseconds timeout) override;
  void pass_time(std::chrono::milliseconds time) override;

  // Runs `body` with the calling thread in the namespace of the guest; its end of the pair is called "eth0".
  void in_guest(const std::string& interface, const std::function<void()>& body);
  // A command in the namespace of the host, or of a guest. False when it fails.
  bool run(const std::string& command);
  bool run_in_guest(const std::string& interface, const std::string& command);

 private:
  class Guest;

  Opener opener_;
  int host_ = -1;  // namespace
  int interfaces_ = 0;
  std::map<std::string, std::unique_ptr<Guest>> guests_;
};

}  // namespace viaduct::flows
