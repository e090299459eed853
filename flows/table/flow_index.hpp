// The agent's index of installed flows: which flow depends on what, how long it has been idle, whose it is.
//
// Owned by one thread (the flow controller's actor). All methods are pure book-keeping: they say which flows to remove
// and leave the removing to the caller.
//
// Limits: at most `max_flows`. When the table is full, the flow to go is the longest idle one of the port that has the
// most flows, so that one port's scan cannot push out another's connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "flows/match/flow.hpp"
#include "flows/match/tag.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::flows {

struct FlowRecord {
  FlowId id;
  PortNumber in_port;
  uint64_t epoch = 0;  // TagEpochs::now() before the simulation
  TagList tags;
  struct Destination {
    RouterId router;
    IpAddress address;
  };
  SmallVector<Destination, 4> routed;
  // What the flow keeps alive while it carries packets: opaque here, handed back by update().
  std::vector<uint64_t> touches;
};

class FlowIndex;  // completed by the implementation

}  // namespace viaduct::flows
