// The network between hosts that are FakeKernels: what one sends by a tunnel port arrives by the same kind of tunnel port
// of the host that has the destination address.
//
//   FakeUnderlay underlay;
//   underlay.connect(IpAddress::v4(0xc0000201), a);
//   underlay.connect(IpAddress::v4(0xc0000202), b);
//
// Packets arrive before the call returns that sent them (inject, execute), in the order in which they were sent, and
// what they set off on the other host as well. When another thread is delivering at that moment, it delivers these too.
// All methods may be called from any thread. A path is one direction; it is up until told otherwise.
#pragma once

#include <cstdint>
#include <memory>

#include "flows/datapath/fake_kernel.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::flows {

class FakeUnderlay {
 public:
  // Packets on their way when nobody delivers; more are dropped and counted.
  static constexpr size_t kMaxQueued = 65536;
  enum class Path : uint8_t { down, up };

  struct Stats {
    uint64_t delivered = 0;
    uint64_t path_down = 0;     // dropped: set_path()
    uint64_t no_host = 0;       // dropped: nobody has the destination address
    uint64_t no_port = 0;       // dropped: that host has no tunnel port of this kind
    uint64_t wrong_source = 0;  // dropped: the source is not an address of the sender
    uint64_t queue_full = 0;    // dropped
  };

  FakeUnderlay();
  FakeUnderlay(const FakeUnderlay&) = delete;
  FakeUnderlay& operator=(const FakeUnderlay&) = delete;
  ~FakeUnderlay();

  // Several addresses may lead to one host.
  void connect(const IpAddress& address, const std::shared_ptr<FakeKernel>& host);
  void disconnect(const IpAddress& address);
  void set_path(const IpAddress& from, const IpAddress& to, Path path);
  Stats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace viaduct::flows
