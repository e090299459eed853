// From the topology's tunnel zones and this host's kernel and datapath to the paths that flows use. The tunnel manager's
// state, without the actor and without time.
#pragma once

#include <map>
#include <string>

#include "actors/messages.hpp"
#include "flows/datapath/datapath.hpp"
#include "routing/underlay/local_addresses.hpp"
#include "routing/underlay/peers.hpp"

namespace viaduct::actors {

class TunnelPaths {
 public:
  struct Options {
    HostId host;
    uint16_t vxlan_port = flows::TunnelPortSpec::kVxlanPort;
    uint16_t mtu = 0;
  };
  TunnelPaths(const Options& options, flows::Datapath& datapath, routing::underlay::LocalAddresses& addresses)
      : options_(options), datapath_(datapath), addresses_(addresses) {}

  void set_topology(UnderlayTopology topology);
  // Asks the kernel, makes the tunnel ports that are needed.
  void refresh();

  flows::simulation::TunnelPath path_to(const routing::underlay::PeerPath& peer) const;
  const routing::underlay::Peers& peers() const { return peers_; }
  std::string name_of(HostId host) const;

 private:
  void make_ports();
  routing::underlay::PeerFacts facts();

  const Options options_;
  flows::Datapath& datapath_;
  routing::underlay::LocalAddresses& addresses_;
  UnderlayTopology topology_;
  std::map<topology::TunnelType, flows::PortNumber> ports_;
  std::map<topology::TunnelType, std::string> refused_;  // why there is no port of this kind
  routing::underlay::Peers peers_;
};

}  // namespace viaduct::actors
