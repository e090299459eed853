// Which ports of this host speak BGP, and what each is to say: from the topology alone, so the same whenever it is asked.
//
// A router with an AS number speaks by each of its exterior ports that is bound to this host, with those peers that the
// port reaches: on one of its links, or, farther away (multihop), by the most specific static route through the port that
// has a gateway. Peers see one session for each port, with the port's address; all announce the same networks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "routing/bgp/namespace.hpp"
#include "routing/bgp/speaker_config.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

struct SpeakerPlan {
  RouterId router;
  std::string router_name, port_name;  // or ids, for operators
  std::string interface;               // of the port
  routing::bgp::Uplink uplink;         // its MTU is the port's own, 0 for none; the interface's may be less
  routing::bgp::SpeakerConfig config;
  friend bool operator==(const SpeakerPlan&, const SpeakerPlan&) = default;
  // The interface, MAC, MTU and addresses stay: the speaker need not be started anew. Ways to peers beyond the link change
  // while it runs.
  bool same_uplink(const SpeakerPlan& other) const {
    routing::bgp::Uplink theirs = other.uplink;
    theirs.routes = uplink.routes;
    return uplink == theirs && interface == other.interface;
  }
};

struct SpeakerPlans {
  std::map<PortId, SpeakerPlan> speakers;
  std::vector<std::string> problems;  // what operators have asked for and does not happen here, with what helps
};

SpeakerPlans plan_speakers(const topology::Snapshot& topology, HostId host);

// Names of network namespaces and interfaces, which several agents of one machine may share.
std::string speaker_namespace_prefix(HostId host);
std::string speaker_namespace(HostId host, PortId port);
std::string speaker_link_prefix(HostId host);
std::string speaker_link(HostId host, PortId port);

}  // namespace viaduct::actors
