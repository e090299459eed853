// The sockets to which the module sends upcalls: one for each port and worker. A full one drops what comes for it and
// for nobody else, so its size is the port's credit; reading takes turns between the ports that have something.
//
// A socket's netlink port id stands in the kernel: in the vport, and in each flow that may hand packets up. So the ids
// are computed from the datapath's name, the port and the worker. A daemon that starts again binds the same ids, and
// what its predecessor left works at once. Should an id be taken, another is bound and the datapath writes it into
// vport and flows.
//
// The module counts upcalls per port only since Linux 6.3. Here they are counted when they are read; those that wait
// are estimated from the memory that they take (exact for small packets).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ovs/netlink_socket.hpp"

struct mmsghdr;

namespace viaduct::flows::ovs {

// Of receive buffers, as the kernel counts them.
struct CreditSize {
  size_t small_upcall_bytes = 0;  // what the upcall of a small packet takes
  size_t buffer_bytes = 0;        // what admits kPortCredit of them
};

struct UpcallCounts {
  uint64_t upcalls = 0;
  uint64_t lost = 0;
};

// The id that (`datapath`, `port`, `worker`) binds; `attempt` counts what was tried before.
uint32_t upcall_id(std::string_view datapath, PortNumber port, unsigned worker, unsigned attempt);

// One worker's sockets.
class UpcallQueue {
 public:
  explicit UpcallQueue(std::error_code& error);

  // Any thread.
  void add(PortNumber port, NetlinkSocket socket);
  void remove(PortNumber port);
  uint32_t id(PortNumber port) const;  // 0: no such port
  UpcallCounts counts(PortNumber port, size_t small_upcall_bytes) const;
  void wake();

  // The owner's thread. Fills `ready` with ports that have upcalls, longest waiting first.
  size_t wait(std::span<PortNumber> ready, std::chrono::milliseconds timeout);
  // Receives into `slots` without waiting. Returns how many.
  size_t receive(PortNumber port, std::span<mmsghdr> slots);

 private:
  struct Socket {
    NetlinkSocket netlink;
    uint64_t read = 0;
    mutable uint64_t reported = 0;  // an estimate that turns out too high never makes the counter go back
  };

  Fd epoll_, event_;
  mutable std::mutex mutex_;
  std::unordered_map<PortNumber, std::unique_ptr<Socket>> sockets_;
};

class UpcallSockets {
 public:
  UpcallSockets(std::string datapath, unsigned workers, CreditSize credit, std::error_code& error);

  // Idempotent.
  std::error_code add(PortNumber port);
  void remove(PortNumber port);
  unsigned workers() const { return static_cast<unsigned>(queues_.size()); }
  UpcallQueue& queue(unsigned worker) { return *queues_[worker]; }
  // In the order of the workers; empty when there is no such port.
  std::vector<uint32_t> ids(PortNumber port) const;
  UpcallCounts counts(PortNumber port) const;

 private:
  NetlinkSocket open(PortNumber port, unsigned worker, std::error_code& error) const;

  std::string datapath_;
  CreditSize credit_;
  std::vector<std::unique_ptr<UpcallQueue>> queues_;
};

}  // namespace viaduct::flows::ovs
