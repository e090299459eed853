// The agent role of a daemon: this host's datapath and everything that decides what its flows are.
//
//   cluster link -> topology mirror -> network -> packet workers -> flow controller -> datapath
//        ^               ^  |                        |
//        |               |  +-> tunnel manager       +-> devices (time), learned state (disk)
//   state publisher <----+------ what was learned ---+
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "actors/agent/agent_state.hpp"
#include "actors/agent/cluster_link.hpp"
#include "actors/agent/connection_store.hpp"
#include "actors/agent/learned_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/daemons/config.hpp"
#include "actors/daemons/datapath_choice.hpp"
#include "actors/daemons/flow_log_parts.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime/node.hpp"
#include "observability/bgp_probe.hpp"
#include "observability/health_probe.hpp"
#include "observability/port_probe.hpp"
#include "observability/probes.hpp"
#include "routing/underlay/local_addresses.hpp"
#include "topology/model/host.hpp"
#include "topology/store/feed_cache.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

// Null, with the reason in `error`, when the datapath is not possible here.
using OpenDatapath = std::function<std::unique_ptr<flows::Datapath>(const Config&, std::string& error)>;

class AgentRole {
 public:
  AgentRole(const Config& config, observability::Registry& registry);

  enum class Cache : uint8_t {
    kept,     // the cluster is elsewhere: what it said is kept on disk
    needless  // the database is in this process
  };
  bool open(const topology::Host& host, Cache cache, const OpenDatapath& datapath, std::string& error);

  // Who serves this agent.
  struct Cluster {
    GatewayActor local;  // in this process, or
    Secret local_secret;
    std::shared_ptr<const Identity> identity;   // to prove itself to the nodes of agent.cluster
    observability::Journal* journal = nullptr;  // these are told what it has of this host
  };
  void spawn(caf::actor_system& system, const Cluster& cluster, observability::SupervisorProbe& supervisor);
  // Before operators are let in: where the cluster is in this process, this host is registered when they ask; where a
  // damaged cache makes the cluster indispensable, the text says why there is none.
  std::string wait_for_network(caf::actor_system& system);
  std::vector<ChildSpec> children(caf::actor_system& system);
  // The configuration has changed where it may, or the files that it names.
  void reconfigure(const std::shared_ptr<const Identity>& identity);
  // As ClusterRole::release().
  void release();

  AgentState& state() { return state_; }
  flows::Datapath& datapath() { return *datapath_; }
  const FlowControllerActor& flows() const { return flows_; }
  const DatapathActor& ports() const { return ports_; }
  const DevicesActor& devices() const { return devices_; }
  const ConnectionsActor& connections() const { return connections_; }
  const TopologyMirrorActor& mirror() const { return mirror_; }
  const TunnelManagerActor& tunnels() const { return tunnels_; }
  const NatLeaserActor& nat_leaser() const { return nat_leaser_; }
  const BgpSpeakersActor& speakers() const { return speakers_; }
  const ClusterLinkActor& link() const { return link_; }

 private:
  bool open_learned(std::string& error);
  bool open_connections(std::string& error);
  bool open_cache(std::string& error);
  void load_cache();
  void spawn_tunnels(caf::actor_system& system);
  std::vector<NodeAddress> nodes() const;
  void spawn_link(caf::actor_system& system, const Cluster& cluster);

  const Config& config_;
  observability::Registry& registry_;
  observability::MirrorProbe mirror_probe_;
  observability::FlowControllerProbe flow_probe_;
  observability::DatapathProbe datapath_probe_;
  observability::TunnelProbe tunnel_probe_;
  observability::PublisherProbe publisher_probe_;
  observability::NatProbe nat_probe_;
  observability::HealthProbe health_probe_;
  observability::BgpProbe bgp_probe_;
  observability::ReplicationProbe replication_probe_;
  observability::ClusterLinkProbe link_probe_;
  observability::ConnectionProbe connection_probe_;
  topology::Host host_;
  std::unique_ptr<topology::store::Store> memory_;     // what this host has learned
  std::unique_ptr<topology::store::FeedCache> cache_;  // what the cluster has said
  std::string cache_damage_;                           // empty: none
  std::shared_ptr<const topology::FeedBatch> cached_;  // from an earlier life
  AgentState state_;
  std::unique_ptr<LearnedState> learned_;
  std::unique_ptr<ConnectionStore> kept_connections_;
  std::unique_ptr<flows::Datapath> datapath_;
  std::unique_ptr<routing::underlay::LocalAddresses> addresses_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<FlowLog> flow_log_;  // null: none
  std::unique_ptr<observability::PortProbe> port_probe_;
  std::vector<observability::ExportedCallback> exported_;
  std::promise<void> first_network_;
  bool served_here_ = false;  // by the cluster role of this process
  FlowControllerActor flows_;
  DevicesActor devices_;
  DatapathActor ports_;
  LearnedStateActor keeper_;
  ConnectionsActor connections_;
  TunnelManagerActor tunnels_;
  StatePublisherActor publisher_;
  NatLeaserActor nat_leaser_;
  HealthCheckerActor health_checker_;
  FlowReplicatorActor replicator_;
  BgpSpeakersActor speakers_;
  TopologyMirrorActor mirror_;
  ClusterLinkActor link_;
};

}  // namespace viaduct::actors
