// The ports that this host may give out for dynamic SNAT.
//
// A device's NAT address has 1,024 blocks of 64 ports. Hosts lease blocks through the state tables, each block is one
// host's, so no two hosts give out the same address and port. Inside a block a port serves any number of connections, as
// long as their remote ends differ (ConnectionTable's snat_reverse entries say so).
//
// Threads as in state_tables.hpp: workers read, the actor that leases writes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::flows {

inline constexpr unsigned kNatBlockPorts = 64;
inline constexpr unsigned kNatBlocks = 65'536 / kNatBlockPorts;

struct NatBlock {
  Uuid device;
  IpAddress address;
  uint16_t block = 0;  // its ports: block * kNatBlockPorts and the 63 behind it
  friend auto operator<=>(const NatBlock&, const NatBlock&) = default;
};

class NatBlocks {
 public:
  explicit NatBlocks(size_t addresses = 4'096, uint64_t seed = 0);
  // Bit i: this host has block word * 64 + i.
  uint64_t leased(const Uuid& device, const IpAddress& address, unsigned word) const;
  // False when the table is full.
  bool add(const NatBlock& block);
  void remove(const NatBlock& block);
  // All of these blocks of the address are some host's: there is no point in asking for one of them for now. What was
  // said last of an address holds.
  bool spent(const Uuid& device, const IpAddress& address, uint16_t first, uint16_t last) const;
  void set_spent(const Uuid& device, const IpAddress& address, uint16_t first, uint16_t last);
  void clear_spent(const Uuid& device, const IpAddress& address);
  void for_each(const std::function<void(const NatBlock&)>& visit) const;
  size_t size() const;  // blocks

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace viaduct::flows
