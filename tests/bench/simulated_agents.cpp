#include "simulated_agents.hpp"

#include "actors/agent/cluster_link.hpp"
#include "actors/agent/state_publisher.hpp"
#include "actors/agent/topology_mirror.hpp"
#include "flows/datapath/fake.hpp"

namespace viaduct::bench {

using namespace actors;  // NOLINT: every message

namespace {

observability::ActorStatus no_status() { return {}; }

FlowControllerActor::behavior_type no_flows(FlowControllerActor::pointer) {
  return {
      [](const ReportStatus&) { return no_status(); },
      [](const Shutdown&) {},
      [](const InvalidateFlows&) { return FlowsInvalidated{}; },
      [](const NewsWaits&) {},
      [](const AdoptFlows&) {},
      [](const ListFlows&) { return FlowListReply{}; },
      [](const ReadDrops&) { return DropReport{}; },
      [](const ReportFlows&) { return FlowReport{}; },
      [](const Tick&) {},
  };
}

DevicesActor::behavior_type no_devices(DevicesActor::pointer) {
  return {
      [](const ReportStatus&) { return no_status(); },
      [](const Shutdown&) {},
      [](const DevicesChanged&) {},
      [](const NewsWaits&) {},
      [](const ReportNode&) { return NodeReport{}; },
      [](const FlushState&) { return StateFlushed{}; },
      [](const Tick&) {},
  };
}

TunnelManagerActor::behavior_type no_tunnels(TunnelManagerActor::pointer) {
  return {
      [](const ReportStatus&) { return no_status(); },
      [](const Shutdown&) {},
      [](const UnderlayTopology&) { return HostPaths{}; },
      [](const ReportTunnels&) { return TunnelReport{}; },
      [](const ReconfigureTunnels&) {},
      [](const NewsWaits&) {},
      [](const Tick&) {},
  };
}

NatLeaserActor::behavior_type no_nat(NatLeaserActor::pointer) {
  return {
      [](const ReportStatus&) { return no_status(); },
      [](const Shutdown&) {},
      [](const NewsWaits&) {},
      [](const NatBlocksChanged&) {},
      [](const NatBlocksAnswered&) {},
      [](const NatSession&) {},
      [](const ReportNat&) { return NatReport{}; },
      [](const Tick&) {},
  };
}

FlowReplicatorActor::behavior_type no_replication(FlowReplicatorActor::pointer) {
  return {
      [](const ReportStatus&) { return no_status(); },
      [](const Shutdown&) {},
      [](const NewsWaits&) {},
      [](const EndsMoved&) {},
      [](const NatBlocksChanged&) {},
      [](const AwaitHandOver&) { return HandedOver{}; },
      [](const Tick&) {},
  };
}

struct Ports {
  flows::simulation::Bindings active;
  uint32_t last = 0;
};

// Has every interface that is asked for.
BindingsChanged bind(Ports& ports, const ReconcileBindings& wishes) {
  BindingsChanged out;
  for (const PortId& port : wishes.unbind) {
    ports.active = ports.active.erase(port);
    out.rebound.push_back(port);
  }
  for (const auto& wish : wishes.bind) {
    if (ports.active.find(wish.port) != nullptr) continue;
    ports.active = ports.active.insert(wish.port, flows::PortNumber{++ports.last});
    out.rebound.push_back(wish.port);
  }
  out.bindings = ports.active;
  return out;
}

DatapathActor::behavior_type all_interfaces(DatapathActor::stateful_pointer<Ports> self) {
  return {
      [](const ReportStatus&) { return no_status(); },
      [](const Shutdown&) {},
      [=](const ReconcileBindings& wishes) { return bind(self->state, wishes); },
      [](const ReportDatapath&) { return DatapathReport{}; },
      [](const Tick&) {},
  };
}

}  // namespace

SimulatedAgents::SimulatedAgents(caf::actor_system& system, const std::vector<topology::Host>& hosts,
                                 const GatewayActor& gateway, const Secret& secret)
    : system_(system) {
  auto clock = std::make_shared<flows::Time>();
  auto kernel = std::make_shared<flows::FakeKernel>([clock] { return *clock; });
  datapath_ = flows::open_fake(kernel, {});
  auto flows = system.spawn(no_flows);
  auto devices = system.spawn(no_devices);
  auto tunnels = system.spawn(no_tunnels);
  auto nat = system.spawn(no_nat);
  auto replication = system.spawn(no_replication);
  caf::scoped_actor self{system};
  for (const topology::Host& host : hosts) {
    auto& agent = *agents_.emplace_back(std::make_unique<Agent>());
    workers_ = workers_ ? std::move(workers_) : std::make_unique<WorkerPool>(agent.state, *datapath_, 0, registry_);
    agent.datapath = system.spawn(all_interfaces);
    agent.publisher = spawn_state_publisher(system, {host.id, agent.state, publisher_probe_});
    self->send(agent.publisher, NatLeases{});  // none of an earlier life
    agent.mirror =
        spawn_topology_mirror(system, {host.id, agent.state, flows, agent.datapath, devices, tunnels, agent.publisher,
                                       nat, replication, *workers_, nullptr, mirror_probe_, [] {}});
    ClusterLinkLinks links{host, "instance of " + host.name, agent.mirror, agent.publisher, link_probe_, {}};
    links.local = gateway;
    links.local_secret = secret;
    agent.link = spawn_cluster_link(system, links);
  }
}

SimulatedAgents::~SimulatedAgents() {
  caf::scoped_actor self{system_};
  for (const auto& agent : agents_) {
    self->send(agent->link, Shutdown{});
    self->send(agent->mirror, Shutdown{});
    self->send(agent->publisher, Shutdown{});
    self->wait_for(agent->link, agent->mirror, agent->publisher);
  }
}

}  // namespace viaduct::bench
