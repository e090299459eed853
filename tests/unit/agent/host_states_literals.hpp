// Short ways to write entries of the state tables in tests: small numbers for ids, as in topology/literals.hpp.
#pragma once

#include "tests/unit/topology/literals.hpp"
#include "topology/codec.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

using topology::FloodKey;
using topology::MacClaim;
using topology::NeighbourClaim;
using topology::PortActive;
using topology::StateEntry;
using topology::testing::id;

inline const HostId kHere = id<HostId>(1), kThere = id<HostId>(2), kElsewhere = id<HostId>(3);

inline PortActive active(uint64_t port, uint32_t key) { return {id<PortId>(port), key}; }
inline FloodKey floods(uint64_t bridge, uint32_t key) { return {id<BridgeId>(bridge), key}; }
inline MacClaim mac_claim(uint64_t bridge, uint64_t mac, uint64_t port) {
  return {id<BridgeId>(bridge), 0, MacAddress::from_uint64(mac), id<PortId>(port)};
}
inline NeighbourClaim neighbour_claim(uint64_t device, uint64_t port, std::string_view address, uint64_t mac,
                                      uint64_t confirmed = 0) {
  return {Uuid::from_words(0, device), id<PortId>(port), topology::testing::ip(address), MacAddress::from_uint64(mac),
          confirmed};
}

inline StateEntry of(HostId host, topology::HostFact fact, uint64_t revision = 1, uint64_t device = 0) {
  return {host, Uuid::from_words(0, device), revision, std::move(fact)};
}
inline topology::StatePtr shared(StateEntry entry) { return std::make_shared<const StateEntry>(std::move(entry)); }

inline topology::StateChange came(StateEntry entry) { return {nullptr, shared(std::move(entry))}; }
inline topology::StateChange went(StateEntry entry) { return {shared(std::move(entry)), nullptr}; }
inline topology::StateChange became(StateEntry before, StateEntry after) {
  return {shared(std::move(before)), shared(std::move(after))};
}

}  // namespace viaduct::actors
