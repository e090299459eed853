// A cluster node's actors on a database that several nodes may share, and what an agent has that joins it.
#pragma once

#include <set>

#include "actors/cluster/gateway.hpp"
#include "actors/cluster/state_tables.hpp"
#include "actors/cluster/topology_store.hpp"
#include "nsdb.hpp"
#include "observability/metrics.hpp"
#include "tests/unit/actors/actor_bench.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors::cluster_test {

// topology store, state tables and gateway
class ClusterNode {
 public:
  struct Options {
    std::string name = "node";
    std::shared_ptr<const Identity> identity = nullptr;
    std::chrono::seconds lease{10};
  };
  ClusterNode(caf::actor_system& system, store::Store& nsdb, const Options& options) : self_(system) {
    std::string error;
    store = spawn_topology_store(system, {nsdb, store_probe_}, error);
    EXPECT_EQ(error, "");
    tables_ = spawn_state_tables(system, {nsdb, store, gateway_probe_, options.name, options.lease});
    gateway = spawn_gateway(system, {store, tables_, gateway_probe_, options.name, options.identity, local});
  }
  ~ClusterNode() { stop(); }
  void stop() {
    for (const auto& actor : {caf::actor_cast<caf::actor>(gateway), caf::actor_cast<caf::actor>(tables_),
                              caf::actor_cast<caf::actor>(store)}) {
      if (!actor) continue;
      self_->send(actor, Shutdown{});
      self_->wait_for(actor);
    }
    gateway = nullptr;
    tables_ = nullptr;
    store = nullptr;
  }
  double count(std::string_view name, std::string_view label = {}) const {
    double sum = 0;
    for (const auto& family : registry.collect()) {
      if (family.name != name) continue;
      for (const auto& sample : family.samples) {
        bool fits = label.empty();
        for (const auto& [key, value] : sample.labels) fits |= value == label;
        if (fits) sum += sample.value;
      }
    }
    return sum;
  }

  observability::Registry registry;
  const Secret local = random_secret();
  TopologyStoreActor store;
  GatewayRunning gateway;

 private:
  observability::StoreProbe store_probe_{registry};
  observability::GatewayProbe gateway_probe_{registry};
  StateTablesActor tables_;
  caf::scoped_actor self_;
};

}  // namespace viaduct::actors::cluster_test
