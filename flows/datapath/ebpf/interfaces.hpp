// This host's network interfaces: facts, the few settings that a port needs, and news about them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

struct nl_sock;

namespace viaduct::flows::ebpf {

struct Interface {
  uint32_t ifindex = 0;
  std::string name;
  uint32_t mtu = 0;
  bool link_up = false;   // administratively up and with a carrier
  bool enslaved = false;  // member of a bridge, bond, ...
  // A veth whose peer lives in another namespace, with the offloads on both sides as they are by default: packets may be
  // handed to the peer without passing this end's transmit path.
  bool reaches_peer = false;
};

// no_such_device when there is none of this name.
std::optional<Interface> find_interface(const std::string& name, std::error_code& error);
std::error_code set_link_up(const std::string& name);

enum class Ipv6 : uint8_t { off, on };
// Whether the host speaks IPv6 on the interface by itself (router solicitations, MLD, an address): a port must not. Says
// whether it was changed; a host without IPv6 has nothing to change.
bool set_ipv6(const std::string& name, Ipv6 wanted);

// Tells of interfaces that appeared, changed or vanished, from a thread of its own.
class InterfaceWatch {
 public:
  struct Listener {
    std::function<void(const Interface&)> changed;
    std::function<void(uint32_t ifindex)> vanished;
    std::function<void()> lost;   // news were lost: look at everything
    std::function<void()> after;  // a batch of news was delivered
  };

  static std::unique_ptr<InterfaceWatch> start(Listener listener, std::error_code& error);
  InterfaceWatch(const InterfaceWatch&) = delete;
  InterfaceWatch& operator=(const InterfaceWatch&) = delete;
  ~InterfaceWatch();

 private:
  InterfaceWatch(nl_sock* socket, int stop, Listener listener);
  void run();
  void receive();

  nl_sock* socket_;
  int stop_;  // eventfd
  Listener listener_;
  std::thread thread_;
};

}  // namespace viaduct::flows::ebpf
