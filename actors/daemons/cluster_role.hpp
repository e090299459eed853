// The cluster role of a daemon: the network state database, who writes into it, and what agents connect to.
//
//   etcd or RocksDB -> topology store -> subscriptions      (spawned by it)
//                  \-> state tables   -> gateway -> agents' sessions
//                  \-> record of this node, for the other nodes
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/cluster/gateway.hpp"
#include "actors/daemons/config.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime/node.hpp"
#include "observability/probes.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

class ClusterRole {
 public:
  ClusterRole(const Config& config, observability::Registry& registry);

  // False with the reason in `error`.
  bool open(std::string& error);
  // `identity` may be null: then no other host is served. Null identity and cluster.listen set is refused by `error`.
  bool spawn(caf::actor_system& system, const std::string& node, const std::shared_ptr<const Identity>& identity,
             observability::Journal& journal, std::string& error);
  // For agents that come from now on.
  void renew(const std::shared_ptr<const Identity>& identity) { caf::anon_send(gateway_, NewIdentity{identity}); }
  std::vector<ChildSpec> children() const;
  // Lets go of the actors, which have ended: the actor system waits for those that somebody holds.
  void release();

  const TopologyStoreActor& store() const { return store_; }
  const StateTablesActor& tables() const { return tables_; }
  GatewayActor gateway() const { return gateway_; }
  QuestionRelayActor relay() const { return gateway_; }
  const Secret& local_secret() const { return local_; }
  bool embedded() const { return config_.etcd.endpoints.empty(); }

 private:
  bool listen(std::string& error);

  const Config& config_;
  observability::Registry& registry_;
  observability::StoreProbe store_probe_;
  observability::GatewayProbe gateway_probe_;
  std::unique_ptr<observability::EtcdProbe> etcd_probe_;  // null: the store is embedded
  std::unique_ptr<topology::store::Store> nsdb_;
  Secret local_ = random_secret();
  TopologyStoreActor store_;
  StateTablesActor tables_;
  NodeRecordActor record_;
  GatewayRunning gateway_;
};

}  // namespace viaduct::actors
