#include "actors/daemons/cluster_role.hpp"

#include <caf/openssl/all.hpp>

#include <algorithm>
#include <filesystem>

#include "actors/cluster/node_record_actor.hpp"
#include "actors/cluster/state_tables.hpp"
#include "actors/cluster/topology_store.hpp"
#include "actors/daemons/etcd_choice.hpp"
#include "observability/log.hpp"
#include "topology/store/rocks_store.hpp"
#include "topology/violation.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

// Why changes are not committed, and why agents are not let in.
observability::Names refusals() {
  auto out = observability::label_values<topology::BrokenRule>(static_cast<size_t>(topology::BrokenRule::count_));
  out.emplace_back("store");
  return out;
}

observability::Names reasons() {
  observability::Names out{"join"};
  for (auto i = static_cast<int>(identity::Reason::malformed); i <= static_cast<int>(identity::Reason::too_many); ++i) {
    out.emplace_back(to_string(static_cast<identity::Reason>(i)));
  }
  return out;
}

}  // namespace

ClusterRole::ClusterRole(const Config& config, observability::Registry& registry)
    : config_(config), registry_(registry), store_probe_(registry, refusals()), gateway_probe_(registry, reasons()) {}

bool ClusterRole::open(std::string& error) {
  if (!embedded()) {
    etcd_probe_ = std::make_unique<observability::EtcdProbe>(registry_);
    nsdb_ = open_etcd(config_, *etcd_probe_, error);
    return nsdb_ != nullptr;
  }
  topology::store::Options options;
  options.retained_revisions = std::max<uint64_t>(config_.cluster.history, 1'000);
  auto opened =
      topology::store::open_rocks_store(std::filesystem::path(config_.state_dir) / "nsdb", std::move(options));
  if (!opened) {
    error = opened.error().text;
    return false;
  }
  nsdb_ = std::move(*opened);
  return true;
}

bool ClusterRole::spawn(caf::actor_system& system, const std::string& node,
                        const std::shared_ptr<const Identity>& identity, observability::Journal& journal,
                        std::string& error) {
  // nsdb -> topology store
  store_ = spawn_topology_store(system, {*nsdb_, store_probe_, config_.cluster.history}, error);
  if (!store_) return false;
  // nsdb, topology store's view -> state tables
  tables_ = spawn_state_tables(system, {*nsdb_, store_, gateway_probe_, node, config_.cluster.lease});
  // topology store -> record of this node -> nsdb -> other nodes
  record_ = spawn_node_record(system, {*nsdb_, store_, node, config_.cluster.lease});
  // agents -> gateway -> topology store (feed), state tables (sessions), journal (their events)
  gateway_ = spawn_gateway(system, {store_, tables_, gateway_probe_, node, identity, local_, &journal});
  return config_.cluster.listen.empty() || listen(error);
}

bool ClusterRole::listen(std::string& error) {
  const HostPort address =
      parse_host_port(config_.cluster.listen, kDefaultClusterPort).value();  // checked as it was read
  auto published = caf::openssl::publish(GatewayActor(gateway_), address.port, address.host.c_str(), true);
  if (!published) {
    error = "cannot listen on " + to_string(address) +
            " (cluster.listen): " + gateway_->home_system().render(published.error()) +
            "; is the port in use, or the address not this host's?";
    return false;
  }
  log::info(log::Component::store, "agents may connect", {{"address", to_string(address)}});
  return true;
}

std::vector<ChildSpec> ClusterRole::children() const {
  auto erased = [](const auto& handle) { return caf::actor_cast<caf::actor>(handle); };
  return {{"topology_store", "topology_store", erased(store_), {}},
          {"state_tables", "state_tables", erased(tables_), {}},
          {"node_record", "node_record", erased(record_), {}},
          {"gateway", "gateway", erased(gateway_), {}}};
}

void ClusterRole::release() {
  record_ = nullptr;
  store_ = nullptr;
  tables_ = nullptr;
  gateway_ = nullptr;
}

}  // namespace viaduct::actors
