#include "observability/probes.hpp"

namespace viaduct::observability {
namespace {

std::shared_ptr<PacketCell> single(Registry& registry, std::string_view name, std::string_view help) {
  static const std::vector<std::string> kNoLabel(1);
  return registry.packet_cell(name, help, "", kNoLabel);
}

}  // namespace

WorkerProbe::WorkerProbe(Registry& registry, const WorkerLabels& labels)
    : upcalls_(registry.packet_cell("viaduct_upcalls_total", "Packets that the datapath had no flow for, by reason.",
                                    "reason", labels.upcall_reasons)),
      verdicts_(registry.packet_cell("viaduct_verdicts_total", "Simulations, by outcome.", "outcome",
                                     labels.verdict_outcomes)),
      drops_(registry.packet_cell("viaduct_dropped_packets_total",
                                  "Packets dropped by the slow path, by the reason that a trace shows.", "reason",
                                  labels.drop_reasons)),
      installs_(registry.packet_cell("viaduct_flow_installs_total", "Flows handed to the datapath, by result.",
                                     "result", labels.install_results)),
      parked_(single(registry, "viaduct_parked_packets_total", "Packets that waited for a missing fact.")),
      emitted_(single(registry, "viaduct_emitted_packets_total",
                      "Packets made by virtual devices: ARP, neighbour discovery, ICMP.")),
      anomalies_(registry.packet_cell(
          "viaduct_worker_anomalies_total", "Things that a packet worker coped with, by event.", "event",
          std::vector<std::string>{"learning_refused", "stale_verdict", "record_lost", "install_deferred"})),
      upcall_to_flow_(
          registry
              .histogram("viaduct_upcall_to_flow_seconds", "From the arrival of an upcall to its flow in the datapath.")
              .claim_cell()),
      simulation_(registry
                      .histogram("viaduct_simulation_seconds",
                                 "Deciding one packet: its simulation, and again when facts changed meanwhile.")
                      .claim_cell()) {}

StoreProbe::StoreProbe(Registry& registry)
    : registry_(registry),
      commits_(registry.histogram("viaduct_store_commit_seconds", "A transaction, until it is durable.")),
      revision_(registry.gauge("viaduct_store_revision", "The store's latest revision.")),
      compacted_(registry.counter("viaduct_store_watch_compacted_total",
                                  "Watchers that asked for revisions which were no longer kept.")) {}

void StoreProbe::committed(std::chrono::nanoseconds duration, uint64_t revision) {
  commits_.observe(duration);
  this->revision(revision);
}

void StoreProbe::refused(std::string_view reason) {
  registry_
      .counter("viaduct_store_refused_total", "Changes that were not committed, by reason.",
               {{"reason", std::string(reason)}})
      .add();
}

void StoreProbe::revision(uint64_t revision) { revision_.set(static_cast<double>(revision)); }
void StoreProbe::watch_compacted() { compacted_.add(); }

EtcdProbe::EtcdProbe(Registry& registry)
    : registry_(registry),
      broken_(registry.counter("viaduct_etcd_watches_broken_total", "Watches of etcd whose stream ended.")),
      resumed_(registry.counter("viaduct_etcd_watches_resumed_total", "Watches of etcd that go on after they broke.")),
      authentications_(registry.counter("viaduct_etcd_authentications_total", "Tokens that etcd gave.")) {}

void EtcdProbe::called(std::string_view method, std::string_view result) {
  registry_
      .counter("viaduct_etcd_calls_total", "Calls to etcd's servers, each attempt, by method and result.",
               {{"method", std::string(method)}, {"result", std::string(result)}})
      .add();
}

void EtcdProbe::server_left(std::string_view server) {
  registry_
      .counter("viaduct_etcd_servers_left_total", "How often a server of etcd failed and another one was asked.",
               {{"server", std::string(server)}})
      .add();
}

MirrorProbe::MirrorProbe(Registry& registry)
    : revision_(registry.gauge("viaduct_mirror_applied_revision", "The latest revision that this host enforces.")),
      commit_to_applied_(registry.histogram("viaduct_commit_to_applied_seconds",
                                            "From the commit of a change to its enforcement on this host.")),
      resyncs_(registry.counter("viaduct_mirror_resyncs_total",
                                "Times the mirror read the whole topology instead of following changes.")),
      cache_failures_(registry.counter("viaduct_mirror_cache_failures_total",
                                       "Batches of the feed that could not be written to the host's cache.")) {}

void MirrorProbe::applied(uint64_t revision, std::chrono::nanoseconds commit_to_applied) {
  revision_.set(static_cast<double>(revision));
  commit_to_applied_.observe(commit_to_applied);
}

void MirrorProbe::resynchronised() { resyncs_.add(); }

void MirrorProbe::cache_failed() { cache_failures_.add(); }

PublisherProbe::PublisherProbe(Registry& registry)
    : writes_(registry.counter("viaduct_state_writes_total", "Writes of this host to the cluster's state tables.")),
      entries_(registry.counter("viaduct_state_entries_written_total", "Entries in those writes.")),
      failures_(registry.counter("viaduct_state_write_failures_total",
                                 "Writes that were not answered or that the database refused; sent again.")),
      lost_(registry.counter("viaduct_state_claims_lost_total",
                             "Entries that another host owned already, or that were not this host's to write.")),
      published_(
          registry.gauge("viaduct_state_published_entries", "Entries of the state tables that are this host's.")) {}

void PublisherProbe::write(size_t entries) {
  writes_.add();
  entries_.add(entries);
}

void PublisherProbe::failed() { failures_.add(); }

void PublisherProbe::lost(uint64_t claims) { lost_.add(claims); }

void PublisherProbe::published(size_t entries) { published_.set(static_cast<double>(entries)); }

ClusterLinkProbe::ClusterLinkProbe(Registry& registry)
    : connected_(registry.gauge("viaduct_cluster_connected", "1 while a cluster node serves this host.")),
      joins_(registry.counter("viaduct_cluster_joins_total", "Times this host has joined a cluster node.")),
      losses_(registry.counter("viaduct_cluster_failures_total",
                               "Attempts to join that failed, and connections to the cluster that ended.")) {}

void ClusterLinkProbe::joined() {
  connected_.set(1);
  joins_.add();
}

void ClusterLinkProbe::lost() {
  connected_.set(0);
  losses_.add();
}

GatewayProbe::GatewayProbe(Registry& registry)
    : registry_(registry), sessions_(registry.gauge("viaduct_gateway_sessions", "Agents that this node serves.")) {}

void GatewayProbe::refused(std::string_view reason) {
  registry_
      .counter("viaduct_gateway_refused_total", "Agents that were not let in, by reason.",
               {{"reason", std::string(reason)}})
      .add();
}

void GatewayProbe::joined(bool fresh) {
  registry_
      .counter("viaduct_gateway_joins_total", "Agents that have joined, by whether their session was still there.",
               {{"session", fresh ? "new" : "continued"}})
      .add();
}

void GatewayProbe::sessions(size_t now) { sessions_.set(static_cast<double>(now)); }

SupervisorProbe::SupervisorProbe(Registry& registry)
    : registry_(registry),
      export_(registry.export_callback("viaduct_actor_mailbox_depth", "Messages that wait in an actor's mailbox.",
                                       MetricKind::gauge, [this] { return depths(); })) {}

void SupervisorProbe::restarted(std::string_view actor) {
  registry_
      .counter("viaduct_actor_restarts_total", "Restarts of an actor after it failed.", {{"actor", std::string(actor)}})
      .add();
}

void SupervisorProbe::mailbox_depth(std::string_view actor, uint64_t messages) {
  std::lock_guard lock(mutex_);
  depths_.insert_or_assign(std::string(actor), messages);
}

void SupervisorProbe::ended(std::string_view actor) {
  std::lock_guard lock(mutex_);
  if (auto found = depths_.find(actor); found != depths_.end()) depths_.erase(found);
}

std::vector<Sample> SupervisorProbe::depths() const {
  std::lock_guard lock(mutex_);
  std::vector<Sample> samples;
  for (const auto& [actor, messages] : depths_) {
    samples.push_back({{{"actor", actor}}, static_cast<double>(messages), {}});
  }
  return samples;
}

FlowControllerProbe::FlowControllerProbe(Registry& registry)
    : registry_(registry),
      flows_(registry.gauge("viaduct_flows", "Flows in the datapath.")),
      expired_(registry.counter("viaduct_flows_expired_total", "Flows removed because they were idle.")),
      invalidated_(registry.counter("viaduct_flows_invalidated_total",
                                    "Flows removed because something they depended on changed.")),
      adopted_(registry.counter("viaduct_flows_adopted_total", "Flows found in the datapath at the start and kept.")) {}

void FlowControllerProbe::flows(uint64_t installed) { flows_.set(static_cast<double>(installed)); }

void FlowControllerProbe::evicted(std::string_view reason, uint64_t flows) {
  registry_
      .counter("viaduct_flows_evicted_total", "Flows removed to keep a limit, by limit.",
               {{"reason", std::string(reason)}})
      .add(flows);
}

void FlowControllerProbe::dropped(std::string_view reason, uint64_t packets) {
  registry_
      .counter("viaduct_flow_dropped_packets_total",
               "Packets dropped in the datapath by a flow, by the reason of the decision that made it.",
               {{"reason", std::string(reason)}})
      .add(packets);
}

void DatapathProbe::error(std::string_view name, uint64_t count) {
  registry_
      .counter("viaduct_datapath_errors_total", "Operations that the datapath refused, by error.",
               {{"error", std::string(name)}})
      .add(count);
}

void DatapathProbe::upcalls_lost(std::string_view port, uint64_t count) {
  registry_
      .counter("viaduct_upcalls_lost_total", "Upcalls lost between kernel and daemon, by port.",
               {{"port", std::string(port)}})
      .add(count);
}

void AdminProbe::request(std::string_view kind, std::string_view outcome) {
  registry_
      .counter("viaduct_admin_requests_total", "Operators' requests, by kind and outcome.",
               {{"kind", std::string(kind)}, {"outcome", std::string(outcome)}})
      .add();
}

void AdminProbe::malformed(std::string_view reason) {
  registry_
      .counter("viaduct_admin_malformed_total", "Messages on the admin socket that could not be read, by reason.",
               {{"reason", std::string(reason)}})
      .add();
}

// `show` appends the samples of one tunnel.
template <class Show>
ExportedCallback TunnelProbe::exported(std::string_view name, std::string_view help, Show show) {
  return registry_.export_callback(name, help, MetricKind::gauge, [this, show] {
    std::lock_guard lock(mutex_);
    std::vector<Sample> samples;
    for (const TunnelNumbers& tunnel : tunnels_) show(tunnel, samples);
    return samples;
  });
}

TunnelProbe::TunnelProbe(Registry& registry)
    : registry_(registry),
      problems_(registry.gauge("viaduct_tunnel_problems", "What keeps a tunnel zone or a peer from being used.")),
      up_(exported("viaduct_tunnel_up", "1 when the peer answers through its tunnel, else 0.",
                   [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                     out.push_back({{{"peer", tunnel.peer}, {"kind", tunnel.kind}}, tunnel.up ? 1.0 : 0.0, {}});
                   })),
      round_trip_(exported("viaduct_tunnel_rtt_seconds", "Round trip of probes through the tunnel, smoothed.",
                           [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                             if (!tunnel.round_trip) return;
                             const std::chrono::duration<double> seconds = *tunnel.round_trip;
                             out.push_back({{{"peer", tunnel.peer}}, seconds.count(), {}});
                           })),
      loss_(exported("viaduct_tunnel_probe_loss_ratio", "Part of the last probes that was lost, by direction.",
                     [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                       const auto put = [&](const char* direction, const std::optional<double>& loss) {
                         if (loss) out.push_back({{{"peer", tunnel.peer}, {"direction", direction}}, *loss, {}});
                       };
                       put("from_peer", tunnel.loss_to_us);
                       put("to_peer", tunnel.loss_to_peer);
                     })),
      mtu_(exported("viaduct_tunnel_mtu_bytes", "What fits behind the inner Ethernet header.",
                    [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                      out.push_back({{{"peer", tunnel.peer}}, static_cast<double>(tunnel.mtu_bytes), {}});
                    })) {}

void TunnelProbe::observed(std::vector<TunnelNumbers> all) {
  std::lock_guard lock(mutex_);
  tunnels_ = std::move(all);
}

void TunnelProbe::state_changed(std::string_view peer, std::string_view to) {
  registry_
      .counter("viaduct_tunnel_state_changes_total", "Changes of a peer's liveness, by the new state.",
               {{"peer", std::string(peer)}, {"to", std::string(to)}})
      .add();
}

void TunnelProbe::probe_refused(std::string_view reason) {
  registry_
      .counter("viaduct_tunnel_probes_refused_total", "Liveness probes that were not believed, by reason.",
               {{"reason", std::string(reason)}})
      .add();
}

void TunnelProbe::problems(uint64_t now) { problems_.set(static_cast<double>(now)); }

}  // namespace viaduct::observability
