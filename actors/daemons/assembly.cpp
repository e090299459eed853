#include "actors/daemons/assembly.hpp"

#include <caf/io/all.hpp>

#include <filesystem>
#include <mutex>

#include "actors/admin/admin_actor.hpp"
#include "actors/admin/endpoint.hpp"
#include "actors/agent/datapath_actor.hpp"
#include "actors/agent/devices.hpp"
#include "actors/agent/flow_controller.hpp"
#include "actors/agent/learned_state_actor.hpp"
#include "actors/agent/topology_mirror.hpp"
#include "actors/cluster/topology_store.hpp"
#include "actors/daemons/host_identity.hpp"
#include "actors/runtime/actor_config.hpp"
#include "actors/runtime/node.hpp"
#include "observability/exporter.hpp"
#include "observability/log.hpp"
#include "topology/store/rocks_store.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace fs = std::filesystem;

// In the order of construction; destroyed in reverse.
struct Daemon::Parts {
  Config config;  // as it is in effect: reconfigure() changes what can change live
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  topology::Host host;
  AdminToken token;
  observability::Registry registry;
  observability::StoreProbe store_probe{registry};
  observability::MirrorProbe mirror_probe{registry};
  observability::SupervisorProbe supervisor_probe{registry};
  observability::FlowControllerProbe flow_probe{registry};
  observability::DatapathProbe datapath_probe{registry};
  observability::AdminProbe admin_probe{registry};
  std::unique_ptr<topology::store::VersionedStore> nsdb;    // what the operator asked for
  std::unique_ptr<topology::store::VersionedStore> memory;  // what this host has learned
  AgentState state;
  std::unique_ptr<LearnedState> learned;
  std::unique_ptr<flows::Datapath> datapath;
  std::unique_ptr<WorkerPool> workers;
  std::vector<observability::ExportedCallback> exported;
  std::unique_ptr<observability::Exporter> exporter;
  std::function<void(int)> stopped;
  std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
  ActorConfig actor_config;
  std::unique_ptr<caf::actor_system> system;
  // The root is made last, when operators may be asking already: written once, under the lock.
  std::mutex node_mutex;
  NodeActor node;
  NodeActor root() {
    std::lock_guard lock(node_mutex);
    return node;
  }
  EndpointStart endpoint;

  bool open(const OpenDatapath& open_one, std::string& error);
  bool open_stores(std::string& error);
  void export_datapath();
  bool spawn(std::string& error);
  bool register_host(const TopologyStoreActor& store, std::string& error);
};

bool Daemon::Parts::open_stores(std::string& error) {
  std::error_code problem;
  for (const auto& directory : {config.state_dir, config.run_dir}) {
    fs::create_directories(directory, problem);
    if (problem) {
      error = "cannot create " + directory + ": " + problem.message() + "; run as root, or choose another directory";
      return false;
    }
  }
  auto nsdb_opened = topology::store::open_rocks_store(fs::path(config.state_dir) / "nsdb");
  if (!nsdb_opened) {
    error = nsdb_opened.error().text;
    return false;
  }
  nsdb = std::move(*nsdb_opened);
  auto memory_opened = topology::store::open_rocks_store(fs::path(config.state_dir) / "learned");
  if (!memory_opened) {
    error = memory_opened.error().text;
    return false;
  }
  memory = std::move(*memory_opened);
  return true;
}

bool Daemon::Parts::open(const OpenDatapath& open_one, std::string& error) {
  if (!open_stores(error)) return false;
  host = load_host_identity(config.state_dir, config.host.name, error);
  if (error.empty()) token = load_or_create_token((fs::path(config.run_dir) / "admin.token").string(), error);
  if (!error.empty()) return false;
  learned = std::make_unique<LearnedState>(*memory);
  auto restored = learned->restore(state, std::chrono::steady_clock::now());
  if (!restored.error.empty()) log::warning(log::Component::device, "no learned state", {{"error", restored.error}});
  datapath = open_one(config, error);
  if (datapath == nullptr) return false;
  workers = std::make_unique<WorkerPool>(state, *datapath, worker_count(config), registry);
  export_datapath();
  auto exporting = observability::Exporter::start(registry, {config.metrics.address, config.metrics.port});
  if (exporting.exporter == nullptr) {
    error = exporting.error;
    return false;
  }
  exporter = std::move(exporting.exporter);
  log::info(log::Component::daemon, "opened",
            {{"datapath", datapath->kind()}, {"host", host.name}, {"learned", restored.entries}});
  return true;
}

void Daemon::Parts::export_datapath() {
  auto add = [this](std::string_view name, std::string_view help, observability::MetricKind kind,
                    std::function<double()> read) {
    exported.push_back(registry.export_callback(name, help, kind, {}, std::move(read)));
  };
  using enum observability::MetricKind;
  flows::Datapath* kernel = datapath.get();
  add("viaduct_datapath_hits_total", "Packets that found their flow in the kernel.", counter,
      [kernel] { return static_cast<double>(kernel->stats().hits); });
  add("viaduct_datapath_misses_total", "Packets that did not.", counter,
      [kernel] { return static_cast<double>(kernel->stats().misses); });
  add("viaduct_datapath_upcalls_lost_total", "Upcalls that never reached the daemon, all ports.", counter,
      [kernel] { return static_cast<double>(kernel->stats().lost); });
  add("viaduct_macs", "Learned MAC addresses.", gauge, [this] { return static_cast<double>(state.macs.size()); });
  add("viaduct_neighbours", "Learned IP to MAC bindings.", gauge,
      [this] { return static_cast<double>(state.neighbours.size()); });
  add("viaduct_device_untracked_total",
      "News of MACs and neighbours that were beyond a device's limits; found or asked for later.", counter,
      [this] { return static_cast<double>(state.untracked); });
  add("viaduct_learned_unsaved", "Changes of learned MACs and neighbours that are not on disk yet.", gauge,
      [this] { return static_cast<double>(learned->unsaved(state)); });
  add("viaduct_device_news_lost_total", "Workers' news that devices had no room for; found later in the tables.",
      counter, [this] { return static_cast<double>(state.device_news.lost()); });
  add("viaduct_worker_requests_refused_total", "Requests of actors that a packet worker's inbox had no room for.",
      counter, [this] { return static_cast<double>(workers->requests_refused()); });
}

// The daemon as a diagram: who is made, and to whom it is handed.
bool Daemon::Parts::spawn(std::string& error) {
  system = std::make_unique<caf::actor_system>(actor_config);
  // nsdb -> topology store
  TopologyStoreActor store = spawn_topology_store(*system, {*nsdb, store_probe}, error);
  if (!store) return false;

  // workers -> flow controller -> datapath's flow table
  FlowControllerOptions flow_options{config.datapath.max_flows, std::chrono::milliseconds(1'000),
                                     config.datapath.flow_idle_timeout};
  FlowControllerActor flow_controller =
      spawn_flow_controller(*system, {state, *datapath, *workers, flow_probe}, flow_options);

  state.flow_news.on_ring([flow_controller] { caf::anon_send(flow_controller, NewsWaits{}); });

  // workers' news -> devices -> workers (requests to send), flow controller (what ended)
  DeviceLinks device_links{state, *workers, {}, [this](std::string_view kind) { supervisor_probe.restarted(kind); }};
  device_links.ageing.mac_timeout = config.bridge.mac_timeout;
  DevicesActor devices = spawn_devices(*system, device_links);
  state.device_news.on_ring([devices] { caf::anon_send(devices, NewsWaits{}); });

  // mirror -> datapath (bindings), network slot -> workers, flow controller (invalidation), devices
  DatapathActor ports = spawn_datapath(*system, {*datapath, *workers, datapath_probe});
  TopologyMirrorActor mirror = spawn_topology_mirror(
      *system, {host.id, state, flow_controller, ports, devices, mirror_probe, [this] { workers->start(); }});
  LearnedStateActor keeper = spawn_learned_state(*system, *learned, state);

  // operators -> endpoint -> admin -> all of the above
  AdminLinks admin_links{token, host,    exporter->url(),           started,  state,      store, flow_controller,
                         ports, devices, [this] { return root(); }, registry, admin_probe};
  auto make_admin = [this, admin_links, lives = std::make_shared<uint64_t>(0)] {
    AdminLinks of_this_life = admin_links;
    of_this_life.restarts = (*lives)++;
    return spawn_admin(*system, of_this_life);
  };
  EndpointLinks endpoint_links{make_admin, [this](std::string_view name) { supervisor_probe.restarted(name); },
                               admin_probe};
  EndpointOptions endpoint_options;
  endpoint_options.port = config.admin.port;
  endpoint = spawn_endpoint(*system, endpoint_links, endpoint_options);
  error = endpoint.error;

  auto erased = [](const auto& handle) { return caf::actor_cast<caf::actor>(handle); };
  endpoint_options.port = endpoint.port;
  std::vector<ChildSpec> children = {
      {"topology_store", "topology_store", erased(store), {}},
      {"flow_controller", "flow_controller", erased(flow_controller), {}},
      {"devices", "devices", erased(devices), {}},
      {"learned_state", "learned_state", erased(keeper),
       [this, erased] { return erased(spawn_learned_state(*system, *learned, state)); }},
      {"datapath", "datapath", erased(ports), {}},
      {"topology_mirror", "topology_mirror", erased(mirror), {}},
      {"admin_endpoint", "admin_endpoint", endpoint.actor,
       [this, endpoint_links, endpoint_options] {
         auto next = spawn_endpoint(*system, endpoint_links, endpoint_options);
         if (next.error.empty()) return next.actor;
         log::error(log::Component::admin, "no endpoint", {{"error", next.error}});
         caf::anon_send(next.actor, Shutdown{});
         return caf::actor{};
       }},
  };
  NodeActor made = spawn_node(*system, std::move(children), {supervisor_probe, [this](int code) {
                                                               if (!ended->exchange(true) && stopped) stopped(code);
                                                             }});
  {
    std::lock_guard lock(node_mutex);
    node = made;
  }
  if (!error.empty() || !register_host(store, error)) return false;
  // topology store -> subscription -> mirror
  caf::anon_send(store, Subscribe{host.id, mirror});
  return true;
}

bool Daemon::Parts::register_host(const TopologyStoreActor& store, std::string& error) {
  caf::scoped_actor self{*system};
  bool known = false;
  self->request(store, std::chrono::seconds(10), ReadTopology{})
      .receive(
          [&](const SnapshotPtr& snapshot) {
            const auto* found = snapshot->find(host.id);
            known = found != nullptr && found->name == host.name;
            if (found != nullptr) host.revision = found->revision;
          },
          [&](const caf::error& problem) { error = "topology store: " + system->render(problem); });
  if (known || !error.empty()) return error.empty();
  CommitTransaction request;
  if (host.revision == 0) {
    request.operations.push_back(topology::Create{host});
  } else {
    request.operations.push_back(topology::Update{host});
  }
  self->request(store, std::chrono::seconds(10), request)
      .receive(
          [&](const CommitReply& reply) {
            if (reply.status == CommitReply::Status::committed) return;
            error = "cannot register this host: " +
                    (reply.violations.empty() ? reply.error : topology::to_string(reply.violations.front()));
          },
          [&](const caf::error& problem) { error = "topology store: " + system->render(problem); });
  return error.empty();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() {
  if (parts_->node && !parts_->ended->load()) stop();
  if (parts_->system) parts_->system->await_all_actors_done();
  // The datapath actor has stopped them, unless it was the one that died.
  if (parts_->workers) parts_->workers->stop();
  parts_->state.flow_news.on_ring({});
  parts_->state.device_news.on_ring({});
}

std::unique_ptr<Daemon> Daemon::start(const Config& config, std::function<void(int)> stopped, std::string& error,
                                      const OpenDatapath& datapath) {
  auto parts = std::make_unique<Parts>();
  parts->stopped = std::move(stopped);
  parts->config = config;
  if (!parts->open(datapath, error)) return nullptr;
  bool spawned = parts->spawn(error);
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(parts)));
  if (!spawned) return nullptr;
  return daemon;
}

ConfigChange Daemon::reconfigure(const Config& wanted) {
  ConfigChange change = compare(parts_->config, wanted);
  parts_->config = apply_live(parts_->config, wanted, change);
  if (change.has("log.levels")) log::set_levels(parts_->config.log.levels);
  return change;
}

void Daemon::stop() { caf::anon_send(parts_->node, Shutdown{}); }
uint16_t Daemon::admin_port() const { return parts_->endpoint.port; }
std::string Daemon::metrics_url() const { return parts_->exporter->url(); }
std::string Daemon::datapath_kind() const { return std::string(parts_->datapath->kind()); }

}  // namespace viaduct::actors
