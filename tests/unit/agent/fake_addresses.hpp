// What the kernel would say of the network beneath, said by a test.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "routing/underlay/local_addresses.hpp"

namespace viaduct::actors {

class FakeAddresses final : public routing::underlay::LocalAddresses {
 public:
  using LocalAddress = routing::underlay::LocalAddress;
  using UnderlayRoute = routing::underlay::UnderlayRoute;

  // Tells whoever wants to know.
  void set(std::vector<LocalAddress> addresses) {
    std::lock_guard lock(mutex_);
    addresses_ = std::move(addresses);
    if (hint_) hint_();
  }
  void set_route_mtu(const IpAddress& dst, uint32_t mtu) {
    std::lock_guard lock(mutex_);
    route_mtu_[dst] = mtu;
  }

  std::variant<std::vector<LocalAddress>, std::error_code> addresses() override {
    std::lock_guard lock(mutex_);
    return addresses_;
  }
  void set_interfaces(std::vector<routing::underlay::LocalInterface> interfaces) {
    std::lock_guard lock(mutex_);
    interfaces_ = std::move(interfaces);
    if (hint_) hint_();
  }
  std::variant<std::vector<routing::underlay::LocalInterface>, std::error_code> interfaces() override {
    std::lock_guard lock(mutex_);
    return interfaces_;
  }
  std::variant<UnderlayRoute, std::error_code> route(const IpAddress&, const IpAddress& dst) override {
    std::lock_guard lock(mutex_);
    ++asked_;
    auto found = route_mtu_.find(dst);
    if (found == route_mtu_.end()) return std::make_error_code(std::errc::network_unreachable);
    return UnderlayRoute{"eth0", found->second, false};
  }
  void on_change(std::function<void()> hint) override {
    std::lock_guard lock(mutex_);
    hint_ = std::move(hint);
  }
  int asked() const {
    std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<LocalAddress> addresses_;
  std::vector<routing::underlay::LocalInterface> interfaces_;
  std::map<IpAddress, uint32_t> route_mtu_;
  std::function<void()> hint_;
  int asked_ = 0;
};

}  // namespace viaduct::actors
