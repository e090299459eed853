// In which order flows were last used, in all and by port, and which port has the most.
//
// Two intrusive lists over one array, so that using, adding and removing a flow is O(1), and the longest idle one of all
// or of a port is at hand. Flows are numbers that the caller gives out, small and used again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "flows/match/chunked_vector.hpp"
#include "flows/packet/port_number.hpp"

namespace viaduct::flows {

using Time = std::chrono::steady_clock::time_point;

class FlowAges {
 public:
  // A time before that of the latest use counts as that: the lists stay sorted.
  void add(uint32_t flow, PortNumber port, Time now);
  void use(uint32_t flow, Time now);
  void remove(uint32_t flow);

  Time last_used(uint32_t flow) const { return flows_[flow].last_used; }
  PortNumber port(uint32_t flow) const { return flows_[flow].port; }
  std::optional<uint32_t> oldest() const;
  // The longest idle flow of the port.
  std::optional<uint32_t> oldest(PortNumber port) const;
  // The one to go for a new flow of `newcomer`: the longest idle one of the port that has the most flows, where the
  // newcomer's port counts as having the new one already and goes first among equals. Nothing when there are no flows.
  std::optional<uint32_t> victim(PortNumber newcomer) const;
  size_t count(PortNumber port) const;
  // The port that has the most flows; none when there are no flows.
  PortNumber fullest() const { return ranking_.empty() ? PortNumber{} : ranking_.rbegin()->second; }
  // Longest idle first.
  std::vector<uint32_t> flows_of(PortNumber port) const;
  size_t memory_bytes() const;

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Neighbours {
    uint32_t previous = kNone, next = kNone;
  };
  struct Flow {
    Time last_used;
    PortNumber port;
    Neighbours in_all, in_port;
  };
  struct List {
    uint32_t head = kNone, tail = kNone;
    uint32_t count = 0;
  };

  void append(List& list, Neighbours Flow::*links, uint32_t flow);
  void unlink(List& list, Neighbours Flow::*links, uint32_t flow);
  void rank(PortNumber port, uint32_t before, uint32_t after);

  ChunkedVector<Flow> flows_;
  List all_;
  std::unordered_map<PortNumber, List> ports_;
  std::set<std::pair<uint32_t, PortNumber>> ranking_;  // (flows, port)
};

}  // namespace viaduct::flows
