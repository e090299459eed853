#include "actors/daemons/assembly.hpp"

#include <caf/io/all.hpp>

#include <filesystem>
#include <mutex>

#include "actors/admin/admin_actor.hpp"
#include "actors/admin/endpoint.hpp"
#include "actors/admin/rest_access.hpp"
#include "actors/admin/rest_gateway.hpp"
#include "actors/daemons/agent_role.hpp"
#include "actors/daemons/certificate_times.hpp"
#include "actors/daemons/cluster_role.hpp"
#include "actors/daemons/config_check.hpp"
#include "actors/daemons/host_identity.hpp"
#include "actors/identity/identity.hpp"
#include "actors/runtime/actor_config.hpp"
#include "actors/runtime/node.hpp"
#include "observability/exporter.hpp"
#include "observability/journal.hpp"
#include "observability/log.hpp"
#include "observability/process_probe.hpp"

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
  std::unique_ptr<observability::ProcessProbe> process_probe;
  observability::SupervisorProbe supervisor_probe{registry};
  observability::AdminProbe admin_probe{registry};
  observability::RestProbe rest_probe{registry};
  std::unique_ptr<RestAccess> rest_access;   // null: no REST API
  std::shared_ptr<const Identity> identity;  // null: this process speaks to no other host
  std::unique_ptr<ClusterRole> cluster;
  std::unique_ptr<AgentRole> agent;
  std::unique_ptr<observability::Journal> journal;        // of all events of the process, once it has a name
  AgentState no_agent{flows::ConnectionLimits{1, 1, 1}};  // what operators see of a daemon without that role
  std::unique_ptr<observability::Exporter> exporter;
  std::function<void(int)> stopped;
  std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<ActorConfig> actor_config;
  std::unique_ptr<caf::actor_system> system;
  // The root is made last, when operators may be asking already: written once, under the lock.
  std::mutex node_mutex;
  NodeActor node;
  NodeActor root() {
    std::lock_guard lock(node_mutex);
    return node;
  }
  EndpointStart endpoint;
  RestStart rest;

  ~Parts() {
    if (journal) log::set_event_sink({});
  }
  bool open(const OpenDatapath& datapath, std::string& error);
  bool open_directories(std::string& error);
  void open_journal();
  std::shared_ptr<const Identity> load_identity(std::string& error) const;
  bool open_identity(std::string& error);
  void renew_identity();
  bool open_rest_access(std::string& error);
  void renew_rest_access();
  bool open_exporter(std::string& error);
  bool spawn(std::string& error);
  bool spawn_roles(std::string& error);
  ChildSpec spawn_admin_endpoint(std::string& error);
  ChildSpec spawn_answers();
  std::vector<ChildSpec> spawn_rest(std::string& error);
  std::function<AdminActor()> admin_maker();
  AdminLinks admin_links();
};

bool Daemon::Parts::open_directories(std::string& error) {
  std::error_code problem;
  for (const auto& directory : {config.state_dir, config.run_dir}) {
    fs::create_directories(directory, problem);
    if (!problem) continue;
    error = "cannot create " + directory + ": " + problem.message() + "; run as root, or choose another directory";
    return false;
  }
  return true;
}

std::shared_ptr<const Identity> Daemon::Parts::load_identity(std::string& error) const {
  std::vector<identity::CredentialProblem> problems;
  auto loaded =
      Identity::load(credential_files(config), needed_roles(config), std::chrono::system_clock::now(), problems);
  for (const auto& problem : problems) error += (error.empty() ? "" : "; ") + problem.text + ": " + problem.cure;
  return loaded;
}

void Daemon::Parts::open_journal() {
  journal = std::make_unique<observability::Journal>(host.name, registry);
  log::set_event_sink([to = journal.get()](log::Level level, observability::EventKind kind, std::string_view message,
                                           log::Fields fields) { to->record(level, kind, message, fields); });
}

// A node that is to speak to others, and cannot prove who it is, does not start.
bool Daemon::Parts::open_identity(std::string& error) {
  if (!config.is_distributed()) return true;
  identity = load_identity(error);
  return identity != nullptr;
}

// Certificates may have been renewed or revoked. With files that are wrong the daemon goes on with what it has.
void Daemon::Parts::renew_identity() {
  if (identity == nullptr) return;
  std::string error;
  auto loaded = load_identity(error);
  if (loaded != nullptr && loaded->own().host != identity->own().host) {
    error = "the certificate is of " + loaded->own().host + ", and this host is " + identity->own().host +
            ": another name needs a restart";
    loaded = nullptr;
  }
  if (loaded == nullptr) return log::error(log::Component::daemon, "certificates are not renewed", {{"reason", error}});
  identity = std::move(loaded);
  show(certificate_ends(config), registry);
}

bool Daemon::Parts::open_rest_access(std::string& error) {
  const Config::Rest& rest = config.rest;
  if (!cluster || rest.address.empty()) return true;
  RestAccessOptions options{rest.authentication == "none", rest.tokens, rest.passwords, rest.token_lifetime};
  options.keystone = {rest.keystone_url,        rest.keystone_user,        rest.keystone_password_file,
                      rest.keystone_project,    rest.keystone_domain,      rest.keystone_ca,
                      rest.keystone_admin_role, rest.keystone_reader_role, rest.keystone_member_role};
  rest_probe.serving();
  rest_access = RestAccess::open(std::move(options), token, rest_probe, error);
  return rest_access != nullptr;
}

// Users may have come, gone, or have another password.
void Daemon::Parts::renew_rest_access() {
  std::string error;
  if (rest_access) rest_access->renew(error);
  if (!error.empty()) log::error(log::Component::daemon, "users of the REST API are not renewed", {{"reason", error}});
}

bool Daemon::Parts::open_exporter(std::string& error) {
  auto exporting = observability::Exporter::start(registry, {config.metrics.address, config.metrics.port});
  exporter = std::move(exporting.exporter);
  error = exporting.error;
  return exporter != nullptr;
}

bool Daemon::Parts::open(const OpenDatapath& datapath, std::string& error) {
  if (!open_directories(error) || !open_identity(error)) return false;
  std::string roles;
  for (const std::string& role : config.roles) roles += (roles.empty() ? "" : ",") + role;
  process_probe = std::make_unique<observability::ProcessProbe>(registry, VIADUCT_VERSION, roles);
  show(certificate_ends(config), registry);
  const bool named = !config.host.name.empty() || identity == nullptr;
  host = load_host_identity(config.state_dir, named ? config.host.name : identity->own().host, error);
  if (error.empty()) token = load_or_create_token((fs::path(config.run_dir) / "admin.token").string(), error);
  if (!error.empty()) return false;
  open_journal();
  if (config.has_role("cluster")) {
    cluster = std::make_unique<ClusterRole>(config, registry);
    if (!cluster->open(error)) return false;
  }
  if (config.has_role("agent")) {
    agent = std::make_unique<AgentRole>(config, registry);
    auto cache = cluster && cluster->embedded() ? AgentRole::Cache::needless : AgentRole::Cache::kept;
    if (!agent->open(host, cache, datapath, error)) return false;
  }
  if (!open_rest_access(error) || !open_exporter(error)) return false;
  log::info(log::Component::daemon, "opened",
            {{"host", host.name}, {"datapath", agent ? agent->datapath().kind() : "none"}});
  return true;
}

// cluster role -> gateway -> agent role, in this process or on another host
bool Daemon::Parts::spawn_roles(std::string& error) {
  if (cluster && !cluster->spawn(*system, host.name, identity, *journal, error)) return false;
  if (!agent) return true;
  AgentRole::Cluster served_by;
  if (cluster) {
    served_by.local = cluster->gateway();
    served_by.local_secret = cluster->local_secret();
  }
  served_by.identity = identity;
  served_by.journal = journal.get();
  agent->spawn(*system, served_by, supervisor_probe);
  error = agent->wait_for_network(*system);
  return error.empty();
}

AdminLinks Daemon::Parts::admin_links() {
  AdminLinks links{token,    host,        exporter->url(),           started, agent ? agent->state() : no_agent,
                   registry, admin_probe, [this] { return root(); }, *journal};
  if (cluster) {
    links.store = cluster->store();
    links.tables = cluster->tables();
  }
  if (agent) {
    links.flows = agent->flows();
    links.datapath = agent->ports();
    links.devices = agent->devices();
    links.connections = agent->connections();
    links.mirror = agent->mirror();
    links.tunnels = agent->tunnels();
    links.nat = agent->nat_leaser();
    links.speakers = agent->speakers();
    links.link = agent->link();
  }
  // A node of the cluster asks hosts, an agent its node.
  links.relay = cluster ? QuestionRelayActor(cluster->relay()) : QuestionRelayActor(agent->link());
  return links;
}

std::function<AdminActor()> Daemon::Parts::admin_maker() {
  return [this, links = admin_links(), lives = std::make_shared<uint64_t>(0)] {
    AdminLinks of_this_life = links;
    of_this_life.restarts = (*lives)++;
    return spawn_admin(*system, of_this_life);
  };
}

// operators -> endpoint -> admin -> all of the others
ChildSpec Daemon::Parts::spawn_admin_endpoint(std::string& error) {
  supervisor_probe.known("admin");
  EndpointLinks links{admin_maker(), [this](std::string_view name) { supervisor_probe.restarted(name); }, admin_probe};
  EndpointOptions options;
  options.port = config.admin.port;
  endpoint = spawn_endpoint(*system, links, options);
  error = endpoint.error;
  options.port = endpoint.port;
  return {"admin_endpoint", "admin_endpoint", endpoint.actor, [this, links, options] {
            auto next = spawn_endpoint(*system, links, options);
            if (next.error.empty()) return next.actor;
            log::error(log::Component::admin, "no endpoint", {{"error", next.error}});
            caf::anon_send(next.actor, Shutdown{});
            return caf::actor{};
          }};
}

// other hosts' operators -> cluster node -> cluster link -> an admin actor of their own -> all of the others
ChildSpec Daemon::Parts::spawn_answers() {
  auto make = [this, make_admin = admin_maker()] {
    AdminActor admin = make_admin();
    caf::anon_send(agent->link(), AnswerBy{admin});
    return caf::actor_cast<caf::actor>(admin);
  };
  return {"answers", "admin", make(), make};
}

// clients -> REST gateway -> admin -> all of the others; none without the cluster role, which alone can change something
std::vector<ChildSpec> Daemon::Parts::spawn_rest(std::string& error) {
  if (!cluster || config.rest.address.empty()) return {};
  RestLinks links{admin_maker(), [this](std::string_view name) { supervisor_probe.restarted(name); },
                  token,         rest_access->access(),
                  rest_probe,    cluster->store()};
  const Config::Rest& from = config.rest;
  RestOptions options{from.address, from.port, from.certificate, from.key, from.requests_per_second, from.burst};
  rest = spawn_rest_gateway(*system, links, options);
  error = rest.error;
  options.port = rest.port;
  return {{"rest_gateway", "rest_gateway", rest.actor, [this, links, options] {
             auto next = spawn_rest_gateway(*system, links, options);
             if (next.error.empty()) return next.actor;
             log::error(log::Component::admin, "no REST API", {{"error", next.error}});
             caf::anon_send(next.actor, Shutdown{});
             return caf::actor{};
           }}};
}

// The daemon as a diagram: who is made, and to whom it is handed.
bool Daemon::Parts::spawn(std::string& error) {
  TransportFiles files;
  if (identity) files = {config.tls.ca, config.tls.certificate, config.tls.key};
  actor_config = std::make_unique<ActorConfig>(files);
  system = std::make_unique<caf::actor_system>(*actor_config);
  bool spawned = spawn_roles(error);
  std::vector<ChildSpec> children;
  auto add = [&](std::vector<ChildSpec> more) {
    for (ChildSpec& child : more) {
      if (child.running) children.push_back(std::move(child));
    }
  };
  if (cluster) add(cluster->children());
  if (agent) add(agent->children(*system));
  if (spawned && agent) add({spawn_answers()});
  if (spawned) add({spawn_admin_endpoint(error)});
  if (spawned && error.empty()) add(spawn_rest(error));
  NodeActor made = spawn_node(*system, std::move(children), {supervisor_probe, [this](int code) {
                                                               if (!ended->exchange(true) && stopped) stopped(code);
                                                             }});
  {
    std::lock_guard lock(node_mutex);
    node = made;
  }
  return spawned && error.empty();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() {
  if (parts_->node && !parts_->ended->load()) stop();
  if (parts_->system) parts_->system->await_all_actors_done();
  if (parts_->agent) parts_->agent->release();
  if (parts_->cluster) parts_->cluster->release();
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
  parts_->renew_identity();
  parts_->renew_rest_access();
  if (parts_->cluster && parts_->identity) parts_->cluster->renew(parts_->identity);
  if (parts_->agent) parts_->agent->reconfigure(parts_->identity);
  return change;
}

bool Daemon::responds(std::chrono::milliseconds patience) {
  caf::scoped_actor self(*parts_->system);
  bool answered = false;
  self->request(parts_->node, patience, ReportNode{})
      .receive([&](const NodeReport&) { answered = true; }, [](const caf::error&) {});
  return answered;
}

void Daemon::stop() { caf::anon_send(parts_->node, Shutdown{}); }
uint16_t Daemon::admin_port() const { return parts_->endpoint.port; }
std::string Daemon::metrics_url() const { return parts_->exporter->url(); }
std::string Daemon::rest_url() const {
  const Config::Rest& rest = parts_->config.rest;
  if (!parts_->rest.actor) return {};
  const std::string scheme = rest.certificate.empty() ? "http://" : "https://";
  return scheme + to_string(HostPort{rest.address, parts_->rest.port}) + "/midonet-api/";
}
std::string Daemon::datapath_kind() const {
  return parts_->agent ? std::string(parts_->agent->datapath().kind()) : "none";
}

}  // namespace viaduct::actors
