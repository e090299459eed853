// A cluster node with many agents in one process: how long changes take to be in force, and a restart of the cluster.
//
//   many_agents [--agents N] [--sizes 1000,10000,…] [--commits N]
//
// Ports lie in groups of 100: two bridges and the router between them, spread over five hosts. Prints "join <ports> <s>",
// "bulk <ports> <s>", "commit <ports> <p50 ms> <p99 ms>", "rejoin <ports> <s>" (and "load": of that, until the cluster
// serves), "mirror <objects> <KiB>" (one agent's memory) and "cache <ports> <ms>" (start from the cache).
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "actors/agent/mirror_state.hpp"
#include "actors/cluster/gateway.hpp"
#include "actors/cluster/node_record_actor.hpp"
#include "actors/cluster/state_tables.hpp"
#include "actors/cluster/topology_store.hpp"
#include "actors/runtime/actor_config.hpp"
#include "observability/log.hpp"
#include "simulated_agents.hpp"
#include "topology/store/feed_cache.hpp"
#include "topology/store/rocks_store.hpp"
#include "two_namespaces.hpp"

namespace viaduct::bench {
struct Open {
  actors::GatewayActor gateway;  // invalid: shut
};
}  // namespace viaduct::bench
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(viaduct::bench::Open)

namespace viaduct::bench {
namespace {

using namespace actors;  // NOLINT: every message
using Clock = std::chrono::steady_clock;
using Operations = std::vector<topology::Operation>;

constexpr std::chrono::seconds kPatience{120};
constexpr size_t kGroup = 100, kHostsPerGroup = 5;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "many_agents: %s\n", why.c_str());
  std::exit(1);
}
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// --- topology --------------------------------------------------------------------------------------

class Groups {
 public:
  explicit Groups(std::vector<topology::Host> hosts) : hosts_(std::move(hosts)) {}

  // The next one's devices and ports.
  Operations next() {
    topology::Router router;
    router.id = RouterId::random();
    router.name = "r" + std::to_string(count_);
    Operations out{topology::Create{router}};
    for (int side = 0; side < 2; ++side) {
      last_ = BridgeId::random();
      add_bridge(router.id, side, out);
      for (size_t i = 0; i < kGroup / 2; ++i) out.push_back(topology::Create{next_port()});
    }
    ++count_;
    return out;
  }
  // One more on the newest bridge.
  topology::Port next_port() {
    topology::Port port;
    port.id = PortId::random();
    port.bridge = last_;
    port.name = "p" + std::to_string(ports_);
    port.host = hosts_[(count_ * kHostsPerGroup + ports_ % kHostsPerGroup) % hosts_.size()].id;
    port.interface = "if" + std::to_string(ports_++);
    return port;
  }
  size_t ports() const { return ports_; }

 private:
  void add_bridge(RouterId router, int side, Operations& out) const {
    topology::Bridge bridge;
    bridge.id = last_;
    bridge.name = "b" + std::to_string(count_) + "." + std::to_string(side);
    topology::Port near, far;
    near.id = PortId::random();
    far.id = PortId::random();
    near.bridge = bridge.id;
    far.router = router;
    near.peer = far.id;
    far.peer = near.id;
    far.addresses = {*IpPrefix::parse("10.0." + std::to_string(side) + ".1/24")};
    out.insert(out.end(), {topology::Create{bridge}, topology::Create{near}, topology::Create{far}});
  }

  std::vector<topology::Host> hosts_;
  BridgeId last_;
  size_t count_ = 0, ports_ = 0;
};

std::vector<topology::Host> make_hosts(size_t count) {
  std::vector<topology::Host> out(count);
  for (size_t i = 0; i < count; ++i) {
    out[i].id = HostId::random();
    out[i].name = "host" + std::to_string(i);
  }
  return out;
}

// --- cluster ---------------------------------------------------------------------------------------

// What agents know: it stays while the cluster behind it comes and goes.
struct Door {
  GatewayActor open;
};
using DoorActor = GatewayActor::extend<caf::reacts_to<Open>>;

DoorActor::behavior_type door(DoorActor::stateful_pointer<Door> self) {
  return {
      [=](const GatewayHello&) -> caf::result<GatewayHello> { return caf::make_error(caf::sec::invalid_argument); },
      [=](const GatewayJoin& join) -> caf::result<GatewayJoined> {
        if (!self->state.open) return caf::make_error(caf::sec::no_such_group_module);
        return self->delegate(self->state.open, join);
      },
      [=](const Open& open) { self->state.open = open.gateway; },
  };
}

class Cluster {
 public:
  Cluster(caf::actor_system& system, topology::store::Store& nsdb, const Secret& secret) : self_(system) {
    std::string error;
    store = spawn_topology_store(system, {nsdb, store_probe_}, error);
    if (!store) give_up(error);
    tables_ = spawn_state_tables(system, {nsdb, store, gateway_probe_, "bench", std::chrono::seconds(60)});
    record_ = spawn_node_record(system, {nsdb, store, "bench"});
    gateway = spawn_gateway(system, {store, tables_, gateway_probe_, "bench", nullptr, secret});
  }
  ~Cluster() {
    self_->send(gateway, Shutdown{});
    self_->send(record_, Shutdown{});
    self_->send(tables_, Shutdown{});
    self_->send(store, Shutdown{});
    self_->wait_for(gateway, record_, tables_, store);
  }

  uint64_t commit(const Operations& operations) {
    CommitReply reply = ask<CommitReply>(CommitTransaction{operations, false});
    if (reply.status != CommitReply::Status::committed) {
      give_up(reply.violations.empty() ? reply.error : topology::to_string(reply.violations.front()));
    }
    return reply.revision;
  }
  void wait_applied(uint64_t revision) {
    if (!ask<WaitAppliedReply>(WaitApplied{revision, kPatience}).reached) give_up("not applied in time");
  }
  // Until so many agents are served and have everything.
  void wait_served(size_t count) {
    const auto deadline = Clock::now() + kPatience;
    for (;;) {
      const auto report = ask<AgentsReport>(ReadAgents{});
      const auto ready = std::count_if(report.agents.begin(), report.agents.end(),
                                       [](const auto& agent) { return agent.state == "served" && agent.lag == 0; });
      if (static_cast<size_t>(ready) >= count) return;
      if (Clock::now() > deadline) give_up(std::to_string(ready) + " agents are served after two minutes");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  TopologyStoreActor store;
  GatewayRunning gateway;

 private:
  template <class Answer, class Message>
  Answer ask(const Message& message) {
    Answer out{};
    self_->request(store, kPatience, message)
        .receive([&](const Answer& answer) { out = answer; },
                 [&](const caf::error& error) { give_up(self_->system().render(error)); });
    return out;
  }

  caf::scoped_actor self_;
  observability::Registry registry_;
  observability::StoreProbe store_probe_{registry_};
  observability::GatewayProbe gateway_probe_{registry_};
  StateTablesActor tables_;
  NodeRecordActor record_;
};

// --- measured with actors --------------------------------------------------------------------------

class ManyAgents {
 public:
  ManyAgents(caf::actor_system& system, size_t agents, const std::filesystem::path& directory)
      : system_(system), hosts_(make_hosts(agents)), groups_(hosts_), door_(system.spawn(door)) {
    auto opened = topology::store::open_rocks_store(directory);
    if (!opened) give_up(opened.error().text);
    nsdb_ = std::move(*opened);
    cluster_ = std::make_unique<Cluster>(system_, *nsdb_, secret_);
    Operations all;
    for (const auto& host : hosts_) all.push_back(topology::Create{host});
    cluster_->commit(all);
    const auto start = Clock::now();
    caf::anon_send(door_, Open{cluster_->gateway});
    agents_ = std::make_unique<SimulatedAgents>(system_, hosts_, GatewayActor(door_), secret_);
    cluster_->wait_served(agents);
    std::printf("join 0 %.3f\n", seconds_since(start));
  }
  ~ManyAgents() {
    agents_.reset();
    caf::anon_send_exit(door_, caf::exit_reason::user_shutdown);
    cluster_.reset();
  }

  void grow_to(size_t ports) {
    const auto start = Clock::now();
    uint64_t revision = 0;
    while (groups_.ports() < ports) {
      Operations operations;
      for (int i = 0; i < 5 && groups_.ports() < ports; ++i) {
        Operations more = groups_.next();
        operations.insert(operations.end(), more.begin(), more.end());
      }
      revision = cluster_->commit(operations);
    }
    cluster_->wait_applied(revision);
    cluster_->wait_served(hosts_.size());
    std::printf("bulk %zu %.3f\n", ports, seconds_since(start));
  }
  void measure_commits(size_t ports, size_t commits) {
    std::vector<double> times;
    for (size_t i = 0; i < commits; ++i) {
      const topology::Port port = groups_.next_port();
      const auto start = Clock::now();
      cluster_->wait_applied(cluster_->commit({topology::Create{port}}));
      times.push_back(seconds_since(start) * 1000);
      cluster_->wait_applied(cluster_->commit({topology::Erase{{topology::Kind::port, port.id.uuid()}}}));
    }
    std::sort(times.begin(), times.end());
    std::printf("commit %zu %.3f %.3f\n", ports, times[times.size() / 2], times[times.size() * 99 / 100]);
  }
  void measure_rejoin(size_t ports) {
    caf::anon_send(door_, Open{});
    cluster_.reset();
    const auto start = Clock::now();
    cluster_ = std::make_unique<Cluster>(system_, *nsdb_, secret_);
    caf::anon_send(door_, Open{cluster_->gateway});
    std::printf("load %zu %.3f\n", ports, seconds_since(start));
    cluster_->wait_served(hosts_.size());
    std::printf("rejoin %zu %.3f\n", ports, seconds_since(start));
  }

 private:
  caf::actor_system& system_;
  const Secret secret_ = random_secret();
  std::vector<topology::Host> hosts_;
  Groups groups_;
  DoorActor door_;
  std::unique_ptr<topology::store::Store> nsdb_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<SimulatedAgents> agents_;
};

// --- measured without ------------------------------------------------------------------------------

// All that an agent with so many ports in reach is sent: five hosts, all groups joined by its own ports.
topology::FeedBatch whole_of(const std::vector<topology::Host>& hosts, size_t ports) {
  Groups groups(hosts);
  topology::Snapshot snapshot;
  Operations operations;
  for (const auto& host : hosts) operations.push_back(topology::Create{host});
  while (groups.ports() < ports) {
    Operations more = groups.next();
    operations.insert(operations.end(), more.begin(), more.end());
  }
  auto built = topology::build(snapshot, operations, 1);
  if (!built.ok()) give_up(topology::to_string(built.violations.front()));
  snapshot = built.next;
  topology::FeedBatch batch;
  batch.revision = snapshot.revision();
  batch.complete = true;
  for (int kind = 0; kind < static_cast<int>(topology::Kind::count_); ++kind) {
    snapshot.for_each(static_cast<topology::Kind>(kind), [&](const topology::Object& object) {
      batch.items.push_back(topology::feed_item(object));
      const auto* port = std::get_if<topology::Port>(&object);
      if (port == nullptr || !port->is_exterior()) return;
      batch.items.push_back(
          topology::feed_item(topology::StateEntry{port->host, port->device(), 1, topology::PortActive{port->id, 7}}));
    });
  }
  return batch;
}

std::unique_ptr<MirrorState> mirror_with(HostId host, topology::FeedBatch batch) {
  auto mirror = std::make_unique<MirrorState>(host);
  std::string error;
  auto pending = mirror->prepare(std::move(batch), error);
  if (!pending) give_up(error);
  BindingsChanged bindings;
  uint32_t number = 0;
  for (const auto& wish : pending->bindings.bind) {
    bindings.bindings = bindings.bindings.insert(wish.port, flows::PortNumber{++number});
  }
  mirror->bound(*pending, bindings);
  mirror->finish(std::move(*pending), HostPaths{});
  return mirror;
}

void measure_memory(size_t ports) {
  const auto hosts = make_hosts(kHostsPerGroup);
  topology::FeedBatch batch = whole_of(hosts, ports);
  const size_t objects = batch.items.size();
  const size_t before = mallinfo2().uordblks;
  auto mirror = mirror_with(hosts[0].id, batch);
  std::printf("mirror %zu %.1f\n", objects, static_cast<double>(mallinfo2().uordblks - before) / 1024);
}

void measure_cache(size_t ports, const std::filesystem::path& directory) {
  const auto hosts = make_hosts(kHostsPerGroup);
  {
    auto cache = topology::store::open_feed_cache(directory);
    if (!cache) give_up(cache.error().text);
    if (auto error = (*cache)->store(whole_of(hosts, ports), {})) give_up(error->text);
  }
  const auto start = Clock::now();
  auto cache = topology::store::open_feed_cache(directory);
  if (!cache) give_up(cache.error().text);
  auto batch = (*cache)->load();
  if (!batch) give_up(batch.error().text);
  const double loaded = seconds_since(start);
  auto mirror = mirror_with(hosts[0].id, std::move(*batch));
  std::printf("cache %zu %.1f %.1f\n", ports, seconds_since(start) * 1000, loaded * 1000);
}

int run(int argc, char** argv) {
  observability::log::set_level(observability::log::Level::error);
  std::string directory = (std::filesystem::temp_directory_path() / "viaduct-many-agents-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) give_up("cannot make a directory in " + directory);
  measure_cache(10'000, std::filesystem::path(directory) / "cache");
  for (size_t ports : {1'000, 10'000}) measure_memory(ports);
  {
    const size_t agents = std::stoul(argument(argc, argv, "--agents", "500"));
    const size_t commits = std::stoul(argument(argc, argv, "--commits", "100"));
    std::istringstream sizes(argument(argc, argv, "--sizes", "1000,10000,100000"));
    ActorConfig config;
    caf::actor_system system{config};
    ManyAgents many(system, agents, std::filesystem::path(directory) / "nsdb");
    for (std::string size; std::getline(sizes, size, ',');) {
      const size_t ports = std::stoul(size);
      many.grow_to(ports);
      many.measure_commits(ports, commits);
      many.measure_rejoin(ports);
    }
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return viaduct::bench::run(argc, argv);
}
