#include "actors/daemons/agent_numbers.hpp"

#include <map>
#include <set>
#include <string>

#include "flows/simulation/network_views.hpp"

namespace viaduct::actors {

using observability::ExportedCallback;
using observability::Registry;
using observability::Sample;
using enum observability::MetricKind;

namespace {

class Exports {
 public:
  explicit Exports(Registry& registry) : registry_(registry) {}

  void add(std::string_view name, std::string_view help, observability::MetricKind kind, std::function<double()> read,
           const observability::Labels& labels = {}) {
    all_.push_back(registry_.export_callback(name, help, kind, labels, std::move(read)));
  }
  void add(std::vector<observability::FamilyDescription> families, Registry::ReadFamilies read) {
    all_.push_back(registry_.export_families(std::move(families), std::move(read)));
  }
  std::vector<ExportedCallback> take() { return std::move(all_); }

 private:
  Registry& registry_;
  std::vector<ExportedCallback> all_;
};

void add_datapath(Exports& exports, flows::Datapath& kernel) {
  exports.add({{"viaduct_datapath_hits_total", "Packets that found their flow in the kernel.", counter},
               {"viaduct_datapath_misses_total", "Packets that did not.", counter},
               {"viaduct_datapath_upcalls_lost_total", "Upcalls that never reached the daemon, all ports.", counter}},
              [&kernel] {
                const auto stats = kernel.stats();
                const auto only = [](uint64_t value) { return std::vector<Sample>{{{}, static_cast<double>(value)}}; };
                return std::vector<std::vector<Sample>>{only(stats.hits), only(stats.misses), only(stats.lost)};
              });
}

void add_tables(Exports& exports, const AgentState& state, const LearnedState& learned) {
  exports.add("viaduct_macs", "Learned MAC addresses.", gauge, [&] { return static_cast<double>(state.macs.size()); });
  exports.add("viaduct_macs_limit", "So many learned MAC addresses there may be.", gauge,
              [&] { return static_cast<double>(state.macs.capacity()); });
  exports.add("viaduct_neighbours", "Learned IP to MAC bindings.", gauge,
              [&] { return static_cast<double>(state.neighbours.size()); });
  exports.add("viaduct_neighbours_limit", "So many learned IP to MAC bindings there may be.", gauge,
              [&] { return static_cast<double>(state.neighbours.capacity()); });
  exports.add("viaduct_device_untracked_total",
              "News of MACs and neighbours that were beyond a device's limits; found or asked for later.", counter,
              [&] { return static_cast<double>(state.untracked); });
  exports.add("viaduct_learned_unsaved", "Changes of learned MACs and neighbours that are not on disk yet.", gauge,
              [&] { return static_cast<double>(learned.unsaved(state)); });
  exports.add("viaduct_device_news_lost_total",
              "Workers' news that devices had no room for; found later in the tables.", counter,
              [&] { return static_cast<double>(state.device_news.lost()); });
}

void add_connections(Exports& exports, const AgentState& state) {
  const auto refused = [&](const char* reason, uint64_t (flows::ConnectionTable::*read)() const) {
    exports.add("viaduct_connection_entries_refused_total",
                "Entries that connections had no room for, by what was short of it.", counter,
                [&state, read] { return static_cast<double>((state.connections.*read)()); }, {{"reason", reason}});
  };
  refused("table_full", &flows::ConnectionTable::refused);
  refused("port_share", &flows::ConnectionTable::over_port_share);
  refused("tenant_share", &flows::ConnectionTable::over_tenant_share);
}

void add_inboxes(Exports& exports, const AgentState& state, const WorkerPool& workers) {
  exports.add("viaduct_worker_requests_refused_total",
              "Requests of actors that a packet worker's inbox had no room for.", counter,
              [&] { return static_cast<double>(workers.requests_refused()); });
  exports.add("viaduct_tunnel_probes_lost_total", "Liveness probes of other hosts that there was no room for.", counter,
              [&] { return static_cast<double>(state.probes.refused()); });
  exports.add("viaduct_health_answers_lost_total", "Answers to health checks that there was no room for.", counter,
              [&] { return static_cast<double>(state.health_answers.overflows()); });
  exports.add("viaduct_health_answers_refused_total",
              "Frames of other hosts that should be answers to health checks and are not, or come from nobody known.",
              counter, [&] { return static_cast<double>(state.health_answers.refused()); });
}

// The devices that this host knows, and what their tenants have of its table of connections.
std::vector<std::vector<Sample>> devices_and_tenants(const AgentState& state) {
  const auto network = state.network.load();
  std::vector<std::vector<Sample>> out(2);
  std::set<std::string> tenants;
  const auto device = [&](const char* kind, const auto& object) {
    out[0].push_back(
        {{{"device", object.id.to_string()}, {"name", object.name}, {"kind", kind}, {"tenant", object.tenant}}, 1.0});
    if (!object.tenant.empty()) tenants.insert(object.tenant);
  };
  const topology::Snapshot& snapshot = network->snapshot();
  snapshot.for_each(topology::Kind::bridge,
                    [&](const topology::Object& object) { device("bridge", std::get<topology::Bridge>(object)); });
  snapshot.for_each(topology::Kind::router,
                    [&](const topology::Object& object) { device("router", std::get<topology::Router>(object)); });
  for (const std::string& tenant : tenants) {
    const uint64_t entries = state.connections.of_tenant(flows::simulation::tenant_hash(tenant));
    out[1].push_back({{{"tenant", tenant}}, static_cast<double>(entries)});
  }
  return out;
}

// Packets between hosts, by the tunnel ports that paths go by.
std::vector<std::vector<Sample>> tunnel_ports(const AgentState& state, flows::Datapath& datapath) {
  std::map<flows::PortNumber, const char*> ports;
  state.network.load()->locations().paths.for_each([&](HostId, const flows::simulation::TunnelPath& path) {
    if (path.port) ports.emplace(path.port, path.kind == flows::TunnelKind::gre ? "gre" : "vxlan");
  });
  std::vector<std::vector<Sample>> out(4);
  for (const auto& [number, kind] : ports) {
    const auto stats = datapath.port_stats(number);
    if (!stats) continue;
    size_t at = 0;
    for (const uint64_t value : {stats->rx_packets, stats->rx_bytes, stats->tx_packets, stats->tx_bytes}) {
      out[at++].push_back({{{"kind", kind}}, static_cast<double>(value)});
    }
  }
  return out;
}

}  // namespace

std::vector<ExportedCallback> export_agent_numbers(Registry& registry, const AgentState& state,
                                                   flows::Datapath& datapath, const WorkerPool& workers,
                                                   const LearnedState& learned) {
  Exports exports(registry);
  add_datapath(exports, datapath);
  add_tables(exports, state, learned);
  add_connections(exports, state);
  add_inboxes(exports, state, workers);
  exports.add({{"viaduct_device_info", "Always 1: what a virtual device that this host knows is called.", gauge},
               {"viaduct_tenant_connection_entries",
                "Entries of the connections' table by tenant; of each there may be as many as "
                "viaduct_connection_entries_tenant_limit.",
                gauge}},
              [&state] { return devices_and_tenants(state); });
  exports.add(
      {{"viaduct_tunnel_received_packets_total", "Packets that came from other hosts, by kind of tunnel.", counter},
       {"viaduct_tunnel_received_bytes_total", "Bytes of those packets.", counter},
       {"viaduct_tunnel_sent_packets_total", "Packets sent to other hosts, by kind of tunnel.", counter},
       {"viaduct_tunnel_sent_bytes_total", "Bytes of those packets.", counter}},
      [&state, &datapath] { return tunnel_ports(state, datapath); });
  return exports.take();
}

observability::PortProbe::Read counters_of(flows::Datapath& datapath) {
  return [&datapath](uint32_t number) -> std::optional<observability::PortNumbers> {
    const auto stats = datapath.port_stats(flows::PortNumber{number});
    if (!stats) return std::nullopt;
    return observability::PortNumbers{stats->rx_packets, stats->rx_bytes, stats->tx_packets,
                                      stats->tx_bytes,   stats->upcalls,  stats->upcalls_lost};
  };
}

}  // namespace viaduct::actors
