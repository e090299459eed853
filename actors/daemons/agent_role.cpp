#include "actors/daemons/agent_role.hpp"

#include <filesystem>
#include <random>

#include "actors/agent/bgp_speakers.hpp"
#include "actors/agent/connection_ageing.hpp"
#include "actors/agent/connections_actor.hpp"
#include "actors/agent/datapath_actor.hpp"
#include "actors/agent/devices.hpp"
#include "actors/agent/flow_controller.hpp"
#include "actors/agent/flow_replicator.hpp"
#include "actors/agent/health_checker.hpp"
#include "actors/agent/learned_state_actor.hpp"
#include "actors/agent/measured_datapath.hpp"
#include "actors/agent/nat_leaser_actor.hpp"
#include "actors/agent/state_publisher.hpp"
#include "actors/agent/topology_mirror.hpp"
#include "actors/agent/tunnel_manager.hpp"
#include "actors/daemons/agent_numbers.hpp"
#include "actors/daemons/host_identity.hpp"
#include "observability/log.hpp"
#include "topology/store/rocks_backend.hpp"
#include "topology/store/rocks_store.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace fs = std::filesystem;
namespace store = topology::store;

namespace {

constexpr std::chrono::seconds kNetworkPatience{20};

routing::underlay::LivenessOptions liveness_of(const Config& config) {
  routing::underlay::LivenessOptions options;
  options.interval = config.underlay.probe_interval;
  options.multiplier = static_cast<uint8_t>(config.underlay.probe_multiplier);
  return routing::underlay::limited(options);
}

flows::ConnectionLimits limits_of(const Config::Connections& config) {
  return {config.max, config.per_port, config.per_tenant};
}

flows::ConnectionTimeouts timeouts_of(const Config::Connections& config) {
  flows::ConnectionTimeouts out;
  out.tcp_opening = config.timeout_tcp_opening;
  out.tcp_established = config.timeout_tcp_established;
  out.tcp_closing = config.timeout_tcp_closing;
  out.tcp_closed = config.timeout_tcp_closed;
  out.udp_opening = config.timeout_udp_opening;
  out.udp_established = config.timeout_udp_established;
  out.icmp = config.timeout_icmp;
  out.other = config.timeout_other;
  out.sticky = config.timeout_sticky;
  out.fragment = config.timeout_fragment;
  return out;
}

uint64_t random_seed() {
  std::random_device source;
  return uint64_t{source()} << 32 | source();
}

}  // namespace

AgentRole::AgentRole(const Config& config, observability::Registry& registry)
    : config_(config),
      registry_(registry),
      mirror_probe_(registry),
      flow_probe_(registry, observability::label_values<flows::DropReason>(flows::kDropReasons)),
      datapath_probe_(registry),
      tunnel_probe_(registry),
      publisher_probe_(registry),
      nat_probe_(registry),
      health_probe_(registry, topology::kCheckResultNames),
      bgp_probe_(registry),
      replication_probe_(registry),
      link_probe_(registry),
      connection_probe_(registry, observability::label_values<Expiry>(kExpiries),
                        observability::label_values<Shortage>(kShortages)),
      state_(limits_of(config.connections), random_seed(), config.connections.patience) {
  flow_probe_.limit(config.datapath.max_flows);
  connection_probe_.limits(config.connections.max, config.connections.per_port, config.connections.per_tenant);
}

bool AgentRole::open_learned(std::string& error) {
  auto opened = store::open_rocks_store(fs::path(config_.state_dir) / "learned");
  if (!opened) {
    error = opened.error().text;
    return false;
  }
  memory_ = std::move(*opened);
  learned_ = std::make_unique<LearnedState>(*memory_);
  auto restored = learned_->restore(state_, std::chrono::steady_clock::now());
  if (!restored.error.empty()) log::warning(log::Component::device, "no learned state", {{"error", restored.error}});
  log::info(log::Component::device, "learned state read", {{"entries", restored.entries}});
  return true;
}

// What of an earlier life's connections is damaged is moved aside: new ones are kept again.
bool AgentRole::open_connections(std::string& error) {
  const fs::path directory = fs::path(config_.state_dir) / "connections";
  auto opened = store::open_rocks_backend(directory);
  if (!opened && opened.error().code == store::ErrorCode::corrupt) {
    auto aside = store::set_aside(directory);
    log::error(log::Component::device, "kept connections are damaged and not restored",
               {{"error", opened.error().text}, {"moved_to", aside ? aside->string() : "nowhere: it cannot be moved"}});
    opened = store::open_rocks_backend(directory);
  }
  if (!opened) {
    error = opened.error().text;
    return false;
  }
  kept_connections_ = std::make_unique<ConnectionStore>(*opened);
  auto restored = kept_connections_->restore(state_, timeouts_of(config_.connections), std::chrono::steady_clock::now(),
                                             std::chrono::system_clock::now());
  if (!restored.error.empty()) log::warning(log::Component::device, "connections lost", {{"error", restored.error}});
  log::info(log::Component::device, "connections read",
            {{"connections", restored.connections},
             {"ended", restored.ended},
             {"refused", restored.refused},
             {"damaged", restored.damaged}});
  return true;
}

// A damaged cache is moved aside, never used and never deleted: the cluster has everything.
bool AgentRole::open_cache(std::string& error) {
  const fs::path directory = fs::path(config_.state_dir) / "cache";
  auto opened = store::open_feed_cache(directory);
  if (opened) {
    cache_ = std::move(*opened);
    auto loaded = cache_->load();
    if (loaded) {
      if (loaded->revision != 0) cached_ = std::make_shared<const topology::FeedBatch>(std::move(*loaded));
      return true;
    }
    opened = loaded.error();
    cache_.reset();
  }
  if (opened.error().code != store::ErrorCode::corrupt) {
    error = opened.error().text;
    return false;
  }
  auto aside = store::set_aside(directory);
  cache_damage_ = opened.error().text;
  log::error(log::Component::mirror, "the cache of the topology is damaged; the cluster will fill a new one",
             {{"error", cache_damage_}, {"moved_to", aside ? aside->string() : "nowhere: it cannot be moved"}});
  opened = store::open_feed_cache(directory);
  if (opened) {
    cache_ = std::move(*opened);
    return true;
  }
  error = opened.error().text;
  return false;
}

bool AgentRole::open(const topology::Host& host, Cache cache, const OpenDatapath& datapath, std::string& error) {
  host_ = host;
  if (!open_learned(error) || !open_connections(error) || (cache == Cache::kept && !open_cache(error))) return false;
  datapath_ = datapath(config_, error);
  if (datapath_ == nullptr) return false;
  datapath_ = measured(std::move(datapath_), registry_);
  std::error_code problem;
  addresses_ = routing::underlay::open_rtnetlink(problem);
  if (addresses_ == nullptr) {
    error = "the kernel does not tell its addresses (rtnetlink): " + problem.message();
    return false;
  }
  state_.flow_log = flow_log_inlet(config_, registry_);
  workers_ = std::make_unique<WorkerPool>(state_, *datapath_, worker_count(config_), registry_);
  if (state_.flow_log) flow_log_ = std::make_unique<FlowLog>(config_, host_.name, state_, *workers_, registry_);
  exported_ = export_agent_numbers(registry_, state_, *datapath_, *workers_, *learned_);
  port_probe_ = std::make_unique<observability::PortProbe>(registry_, counters_of(*datapath_));
  return true;
}

void AgentRole::spawn(caf::actor_system& system, const Cluster& cluster, observability::SupervisorProbe& supervisor) {
  for (const char* kind : {"bridge", "router", "bgp_speaker"}) supervisor.known(kind);

  // workers -> flow controller -> datapath's flow table
  FlowControllerOptions flow_options{config_.datapath.max_flows, std::chrono::milliseconds(1'000),
                                     config_.datapath.flow_idle_timeout};
  flows_ = spawn_flow_controller(system, {state_, *datapath_, *workers_, flow_probe_}, flow_options);
  state_.flow_news.on_ring([flows = flows_] { caf::anon_send(flows, NewsWaits{}); });

  // workers' news -> devices -> workers (requests to send), flow controller (what ended)
  DeviceLinks device_links{state_, *workers_, {}, [&supervisor](std::string_view kind) { supervisor.restarted(kind); }};
  device_links.ageing.mac_timeout = config_.bridge.mac_timeout;
  devices_ = spawn_devices(system, device_links);
  state_.device_news.on_ring([devices = devices_] { caf::anon_send(devices, NewsWaits{}); });

  ports_ = spawn_datapath(system, {*datapath_, *workers_, datapath_probe_, *port_probe_, state_.network});
  keeper_ = spawn_learned_state(system, *learned_, *kept_connections_, state_);
  // connections -> flow controller (what ended), by the news
  connections_ = spawn_connections(
      system, {state_, connection_probe_, limits_of(config_.connections), timeouts_of(config_.connections)});
  publisher_ = spawn_state_publisher(system, {host_.id, state_, publisher_probe_});
  spawn_tunnels(system);

  // workers' news -> NAT leaser -> state publisher (claims, answered) ; NAT leaser -> workers (ports)
  NatLeaserOptions nat_options;
  nat_options.quarantine = config_.nat.block_quarantine;
  nat_leaser_ = spawn_nat_leaser(system, {host_.id, state_, *workers_, publisher_, nat_probe_, nat_options});

  // workers' answers -> health checker -> workers (probes), state publisher (claims, answered; what is found)
  health_checker_ = spawn_health_checker(system, {host_.id, state_, *workers_, publisher_, health_probe_});

  // workers' news, other hosts' frames -> replicator -> workers (frames to other hosts, packets that need not wait)
  replicator_ = spawn_flow_replicator(system, {host_.id, random_seed() | 1, state_, *workers_, replication_probe_});

  // FRR -> speakers -> mirror (interfaces, routes), state publisher (routes)
  speakers_ = spawn_bgp_speakers(system, {host_.id, config_.run_dir, publisher_, bgp_probe_,
                                          [&supervisor](std::string_view kind) { supervisor.restarted(kind); }});

  // mirror -> datapath (bindings), tunnel manager (paths), network slot -> workers, flow controller (invalidation),
  // devices, state publisher (ports that are active here), NAT leaser (other hosts' blocks), replicator (ports that moved),
  // health checker (pools), speakers (uplinks)
  auto on_first_network = [this] {
    workers_->start();
    first_network_.set_value();
  };
  mirror_ = spawn_topology_mirror(
      system, {host_.id, state_, flows_, ports_, devices_, tunnels_, publisher_, nat_leaser_, replicator_, *workers_,
               cache_.get(), mirror_probe_, on_first_network, health_checker_, speakers_});
  load_cache();
  spawn_link(system, cluster);
}

void AgentRole::spawn_tunnels(caf::actor_system& system) {
  TunnelLinks links{host_.id,    state_,     *datapath_,    *workers_,
                    *addresses_, publisher_, tunnel_probe_, liveness_of(config_)};
  links.vxlan_port = config_.underlay.vxlan_port;
  links.mtu = static_cast<uint16_t>(config_.underlay.mtu);
  links.copy_dscp = config_.underlay.copy_dscp;
  tunnels_ = spawn_tunnel_manager(system, links);
}

// cache -> mirror: before the cluster says anything.
void AgentRole::load_cache() {
  if (cached_ == nullptr) return;
  log::info(log::Component::mirror, "starting from the cache",
            {{"revision", cached_->revision}, {"entries", cached_->items.size()}});
  caf::anon_send(mirror_, CachedFeed{std::exchange(cached_, nullptr)});
}

std::vector<NodeAddress> AgentRole::nodes() const {
  std::vector<NodeAddress> out;
  for (const std::string& node : config_.agent.cluster) {
    const HostPort address = parse_host_port(node, kDefaultClusterPort).value();  // checked as it was read
    out.push_back({address.host, address.port});
  }
  return out;
}

void AgentRole::reconfigure(const std::shared_ptr<const Identity>& identity) {
  caf::anon_send(link_, ReconfigureLink{nodes(), config_.agent.reconnect_min, config_.agent.reconnect_max, identity});
  caf::anon_send(tunnels_, ReconfigureTunnels{liveness_of(config_), config_.underlay.copy_dscp});
  caf::anon_send(connections_, ReconfigureConnections{timeouts_of(config_.connections)});
  if (flow_log_) flow_log_->reopen();
}

// cluster node -> link -> mirror (feed); state publisher -> link's session -> cluster node
void AgentRole::spawn_link(caf::actor_system& system, const Cluster& cluster) {
  ClusterLinkLinks links{host_, instance_of(config_.state_dir), mirror_, publisher_, link_probe_, {}};
  links.nodes = nodes();
  links.reconnect_min = config_.agent.reconnect_min;
  links.reconnect_max = config_.agent.reconnect_max;
  links.identity = cluster.identity;
  links.connect = connect_with_tls();
  links.local = cluster.local;
  served_here_ = cluster.local != nullptr;
  links.local_secret = cluster.local_secret;
  links.journal = cluster.journal;
  link_ = spawn_cluster_link(system, links);
}

std::string AgentRole::wait_for_network(caf::actor_system& system) {
  if (cache_damage_.empty() && !served_here_) return {};
  if (first_network_.get_future().wait_for(kNetworkPatience) == std::future_status::ready) return {};
  std::string why = "no node answers";
  caf::scoped_actor self{system};
  self->request(link_, std::chrono::seconds(2), ReportCluster{})
      .receive([&](const ClusterReport& report) { why = report.node + ": " + report.last_error; },
               [](const caf::error&) {});
  if (cache_damage_.empty()) {
    log::warning(log::Component::daemon, "no network yet; operators may ask before this host is registered",
                 {{"reason", why}});
    return {};
  }
  return "the cache of the topology was damaged and has been moved aside (" + cache_damage_ +
         "), and the cluster, which has it all, is away (" + why + "); start again when it is back";
}

std::vector<ChildSpec> AgentRole::children(caf::actor_system& system) {
  auto erased = [](const auto& handle) { return caf::actor_cast<caf::actor>(handle); };
  return {
      {"flow_controller", "flow_controller", erased(flows_), {}},
      {"devices", "devices", erased(devices_), {}},
      {"learned_state", "learned_state", erased(keeper_),
       [this, erased, &system] { return erased(spawn_learned_state(system, *learned_, *kept_connections_, state_)); }},
      {"connections", "connections", erased(connections_), {}},
      {"datapath", "datapath", erased(ports_), {}},
      {"tunnel_manager", "tunnel_manager", erased(tunnels_), {}},
      {"state_publisher", "state_publisher", erased(publisher_), {}},
      {"nat_leaser", "nat_leaser", erased(nat_leaser_), {}},
      {"health_checker", "health_checker", erased(health_checker_), {}},
      {"flow_replicator", "flow_replicator", erased(replicator_), {}},
      {"bgp_speakers", "bgp_speakers", erased(speakers_), {}},
      {"topology_mirror", "topology_mirror", erased(mirror_), {}},
      {"cluster_link", "cluster_link", erased(link_), {}},
  };
}

void AgentRole::release() {
  // The datapath actor has stopped them, unless it was the one that died.
  if (workers_) workers_->stop();
  // Who rings these bells holds the actor that is woken.
  state_.flow_news.on_ring({});
  state_.device_news.on_ring({});
  flows_ = nullptr;
  devices_ = nullptr;
  ports_ = nullptr;
  keeper_ = nullptr;
  connections_ = nullptr;
  tunnels_ = nullptr;
  publisher_ = nullptr;
  nat_leaser_ = nullptr;
  health_checker_ = nullptr;
  replicator_ = nullptr;
  speakers_ = nullptr;
  mirror_ = nullptr;
  link_ = nullptr;
}

}  // namespace viaduct::actors
