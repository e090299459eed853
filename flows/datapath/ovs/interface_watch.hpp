// A thread that tells when interfaces of this host or vports of the module came, went or changed.
#pragma once

#include <functional>
#include <mutex>
#include <thread>

#include "flows/datapath/ovs/netlink_socket.hpp"

namespace viaduct::flows::ovs {

class InterfaceWatch {
 public:
  InterfaceWatch(uint32_t vport_group, std::error_code& error);
  ~InterfaceWatch();
  InterfaceWatch(const InterfaceWatch&) = delete;
  InterfaceWatch& operator=(const InterfaceWatch&) = delete;

  // When it returns, the function that was there before is not running any more. Not to be called from the hint.
  void on_change(std::function<void()> hint);

 private:
  void run();

  NetlinkSocket vports_, links_;
  Fd stop_;
  std::mutex mutex_;
  std::function<void()> hint_;
  std::thread thread_;
};

}  // namespace viaduct::flows::ovs
