// `viaduct why`: what keeps traffic of a port from arriving.
//
//   the packet of the question, simulated ─┐
//   its answer, simulated ─────────────────┤
//   what was dropped, simulated again ─────┼─> causes -> rank -> answer
//   how ports, devices, tunnels, … are ────┘
//
// Changes nothing and sends nothing. The history is of this host; a port that another host has is that one's to explain, and is
// asked there (relay.cpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/admin/request.hpp"
#include "actors/admin/trace_run.hpp"
#include "actors/admin/why_cause.hpp"
#include "actors/agent/agent_state.hpp"
#include "actors/messages.hpp"

namespace viaduct::actors {

// How the host is, as its actors say.
struct WhyFacts {
  topology::Host host;  // this one
  DatapathReport datapath;
  TunnelReport tunnels;
  NatReport nat;
  BgpReport bgp;
  AgentsReport agents;  // of a daemon with the cluster role
  DropReport drops;
  flows::Time now;
};

struct WhyResult {
  std::string error;  // not empty: there is no answer, and why
  std::string port, host, port_host;
  std::vector<Cause> causes;
  std::vector<std::string> notes;
  std::optional<TraceResult> trace;
};
WhyResult run_why(const WhyRequest& request, const topology::Snapshot& snapshot, const AgentState& state,
                  const WhyFacts& facts);

schema::Frame why_reply(uint64_t id, const WhyResult& result, const topology::Snapshot& snapshot);
schema::Frame drops_reply(uint64_t id, const DropReport& drops, size_t limit, const topology::Snapshot& snapshot,
                          flows::Time now);

// --- the parts ------------------------------------------------------------------------------------

// What a question is about, and what is known to answer it. `devices`: those that its packets meet, by how far they are.
struct Inquiry {
  const topology::Port& port;
  const topology::Snapshot& snapshot;
  const flows::simulation::Network& network;
  const AgentState& state;
  const WhyFacts& facts;
  struct Device {
    topology::ObjectRef ref;
    unsigned distance = 0;
  };
  std::vector<Device> devices = {};
  // The packet of the question, if it was simulated: then `devices` are those that it meets, and what others have met counts
  // only when they were for the same address.
  std::optional<flows::FlowKey> packet = {};
  HostId leaves_for = {};  // where it goes, when that is another host
};

// What is wrong with one port, for whoever wants to get through it; nothing when it is well (why_live.cpp).
std::optional<Cause> trouble_of(const topology::Port& port, const Inquiry& inquiry);
// How things are with the inquiry's port and devices (why_live.cpp).
void add_live_causes(const Inquiry& inquiry, std::vector<Cause>& causes);
// What the flow controller remembers (why_drops.cpp).
void add_drop_causes(const Inquiry& inquiry, std::vector<Cause>& causes);
// What became of the packet of the question; fills `result.trace` and the inquiry's devices (why_trace.cpp).
void add_traced_causes(const PacketDescription& packet, Inquiry& inquiry, WhyResult& result);
// The cause behind a drop, where another one explains it: a port that is down, a BGP session (why_root.cpp).
Cause root_of(Cause cause, flows::DropReason reason, const flows::simulation::DropSite& site,
              const flows::FlowKey& example, const Inquiry& inquiry);

}  // namespace viaduct::actors
