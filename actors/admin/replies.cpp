#include "actors/admin/replies.hpp"

#include "actors/admin/route_lines.hpp"

#include <capnp/message.h>

#include <set>

#include "topology/codec.hpp"

namespace viaduct::actors {

using topology::Kind;
using topology::ObjectRef;

namespace {

double seconds_since(std::chrono::system_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::system_clock::now() - then).count();
}

// A reply under construction.
struct Reply {
  capnp::MallocMessageBuilder message;
  schema::AdminReply::Builder root = message.initRoot<schema::AdminReply>();
  explicit Reply(uint64_t id) { root.setId(id); }
  schema::Frame frame() { return schema::Frame::of(message); }
};

using Found = std::vector<topology::Ref<topology::Object>>;

void find_by_name(const topology::Snapshot& snapshot, Kind kind, const std::string& name, Found& found) {
  const auto id = Uuid::parse(name);
  const auto by_id = id ? snapshot.find(ObjectRef{kind, *id}) : nullptr;
  if (by_id != nullptr) found.push_back(by_id);
  snapshot.for_each_named(kind, name, [&](const topology::Object& object) {
    if (by_id == nullptr || by_id.get() != &object) found.push_back(snapshot.find(topology::ref_of(object)));
  });
}

// What names `target`, through whatever field, each once.
void find_naming(const topology::Snapshot& snapshot, Kind kind, const Uuid& target, Found& found) {
  std::set<Uuid> ids;
  for (int i = 0; i < static_cast<int>(topology::Reference::count_); ++i) {
    const auto reference = static_cast<topology::Reference>(i);
    if (topology::info_of(reference).from != kind) continue;
    snapshot.for_each_referrer(reference, target,
                               [&](const topology::Object& object) { ids.insert(topology::id_of(object)); });
  }
  for (const Uuid& id : ids) found.push_back(snapshot.find(ObjectRef{kind, id}));
}

// Costs what is found, save a list of everything.
Found find_objects(const topology::Snapshot& snapshot, Kind kind, const ListRequest& request) {
  Found found;
  if (!request.naming.is_nil()) {
    find_naming(snapshot, kind, request.naming, found);
    std::erase_if(found, [&](const auto& object) {
      return !request.name.empty() && topology::name_of(*object) != request.name &&
             topology::id_of(*object).to_string() != request.name;
    });
  } else if (!request.name.empty()) {
    find_by_name(snapshot, kind, request.name, found);
  } else {
    snapshot.for_each(
        kind, [&](const topology::Object& object) { found.push_back(snapshot.find(topology::ref_of(object))); });
  }
  return found;
}

}  // namespace

std::string name_or_id(const topology::Snapshot& snapshot, const ObjectRef& ref) {
  auto object = snapshot.find(ref);
  std::string name = object == nullptr ? "" : topology::name_of(*object);
  return name.empty() ? ref.id.to_string() : name;
}

schema::Frame error_reply(uint64_t id, const AdminProblem& problem) {
  Reply reply(id);
  auto error = reply.root.initError();
  if (!problem.violations.empty()) {
    topology::encode_refused(problem.violations, error);
  } else {
    error.setCode(problem.code);
  }
  if (!problem.message.empty()) error.setMessage(problem.message);
  return reply.frame();
}

schema::Frame committed_reply(uint64_t id, const CommitReply& commit, bool applied) {
  Reply reply(id);
  auto committed = reply.root.initCommitted();
  committed.setRevision(commit.revision);
  committed.setApplied(applied);
  auto changes = committed.initChanges(static_cast<unsigned>(commit.changes.size()));
  for (unsigned i = 0; i < commit.changes.size(); ++i) topology::encode(commit.changes[i], changes[i]);
  auto ids = committed.initIds(static_cast<unsigned>(commit.ids.size()));
  for (unsigned i = 0; i < commit.ids.size(); ++i) topology::encode(commit.ids[i], ids[i]);
  return reply.frame();
}

schema::Frame objects_reply(uint64_t id, const topology::Snapshot& snapshot, const ListRequest& request) {
  std::vector<Kind> kinds = request.kinds;
  if (kinds.empty()) {
    for (size_t kind = 0; kind < static_cast<size_t>(Kind::count_); ++kind) kinds.push_back(static_cast<Kind>(kind));
  }
  Found found;
  for (Kind kind : kinds) {
    Found of_kind = find_objects(snapshot, kind, request);
    found.insert(found.end(), of_kind.begin(), of_kind.end());
  }
  Reply reply(id);
  auto list = reply.root.initObjects();
  list.setRevision(snapshot.revision());
  auto objects = list.initObjects(static_cast<unsigned>(found.size()));
  for (unsigned i = 0; i < found.size(); ++i) topology::encode(*found[i], objects[i]);
  return reply.frame();
}

schema::Frame applied_reply(uint64_t id, uint64_t revision) {
  Reply reply(id);
  reply.root.setApplied(revision);
  return reply.frame();
}

schema::Frame done_reply(uint64_t id) {
  Reply reply(id);
  reply.root.setDone();
  return reply.frame();
}

schema::Frame facts_reply(uint64_t id, const Facts& facts) {
  Reply reply(id);
  auto list = reply.root.initFacts();
  list.setTotal(facts.total);
  auto entries = list.initEntries(static_cast<unsigned>(facts.entries.size()));
  for (unsigned i = 0; i < entries.size(); ++i) topology::encode(*facts.entries[i], entries[i]);
  return reply.frame();
}

schema::Frame events_reply(uint64_t id, const observability::EventPage& page) {
  Reply reply(id);
  auto list = reply.root.initEvents();
  auto events = list.initEvents(static_cast<unsigned>(page.events.size()));
  for (unsigned i = 0; i < events.size(); ++i) topology::encode(page.events[i], events[i]);
  list.setMore(page.more);
  list.setNext(page.next);
  return reply.frame();
}

schema::Frame routes_reply(uint64_t id, const LearnedRouteLines& routes, const topology::Snapshot& snapshot) {
  Reply reply(id);
  auto list = reply.root.initRoutes();
  list.setTotal(routes.total);
  auto lines = list.initRoutes(static_cast<unsigned>(routes.lines.size()));
  for (unsigned i = 0; i < lines.size(); ++i) {
    const LearnedRouteLine& route = routes.lines[i];
    topology::encode(route.router.uuid(), lines[i].initRouter());
    lines[i].setRouterName(name_or_id(snapshot, {Kind::router, route.router.uuid()}));
    lines[i].setPrefix(route.prefix.to_string());
    lines[i].setGateway(route.gateway.to_string());
    lines[i].setPortName(name_or_id(snapshot, {Kind::port, route.port.uuid()}));
    lines[i].setHostName(name_or_id(snapshot, {Kind::host, route.host.uuid()}));
    lines[i].setState(route.state);
  }
  return reply.frame();
}

schema::Frame flows_reply(uint64_t id, const FlowListReply& flows, const flows::simulation::Network& network) {
  Reply reply(id);
  auto list = reply.root.initFlows();
  list.setTotal(flows.total);
  auto lines = list.initFlows(static_cast<unsigned>(flows.flows.size()));
  for (unsigned i = 0; i < flows.flows.size(); ++i) {
    const auto& [flow, stats, tags] = flows.flows[i];
    auto line = lines[i];
    line.setId(flow.id.to_string());
    line.setMatch(flow.match_to_string());
    line.setActions(flows::to_string(flow.actions.view()));
    line.setPackets(stats.packets);
    line.setBytes(stats.bytes);
    line.setIdleSeconds(std::chrono::duration<double>(stats.idle).count());
    line.setTags(tags);
    if (const auto* port = network.at(flow.key.in_port)) {
      topology::encode(port->id.uuid(), line.initPort());
      line.setPortName(port->name);
    }
  }
  return reply.frame();
}

namespace {

// The actor of a device, or of an agent's subscription, is called by the object's id; operators know its name.
std::string shown_name(const observability::ActorStatus& actor, const topology::Snapshot& snapshot) {
  auto id = Uuid::parse(actor.name);
  if (!id) return actor.name;
  for (Kind kind : {Kind::bridge, Kind::router}) {
    if (actor.kind == topology::to_string(kind)) return name_or_id(snapshot, {kind, *id});
  }
  return name_or_id(snapshot, {Kind::host, *id});
}

void encode_problems(const StatusContent& status, schema::Status::Builder out) {
  std::vector<std::string> problems;
  for (const auto* part : {&status.tunnels.problems, &status.nat.problems, &status.bgp.problems})
    problems.insert(problems.end(), part->begin(), part->end());
  auto list = out.initProblems(static_cast<unsigned>(problems.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, problems[i]);
}

void encode_tunnels(const TunnelReport& report, schema::Status::Builder out) {
  auto lines = out.initTunnels(static_cast<unsigned>(report.tunnels.size()));
  for (unsigned i = 0; i < lines.size(); ++i) {
    const auto& tunnel = report.tunnels[i];
    topology::encode(tunnel.host.uuid(), lines[i].initHost());
    lines[i].setName(tunnel.name);
    lines[i].setKind(tunnel.kind == topology::TunnelType::gre ? "gre" : "vxlan");
    lines[i].setSource(tunnel.src.to_string());
    lines[i].setDestination(tunnel.dst.to_string());
    lines[i].setMtu(tunnel.mtu);
    lines[i].setState(tunnel.state);
    lines[i].setRoundTripSeconds(std::chrono::duration<double>(tunnel.round_trip).count());
    lines[i].setLoss(tunnel.loss);
  }
}

void encode_bgp(const BgpReport& report, schema::Status::Builder out) {
  auto problems = out.initBgpProblems(static_cast<unsigned>(report.problems.size()));
  for (unsigned i = 0; i < problems.size(); ++i) problems.set(i, report.problems[i]);
  auto lines = out.initBgp(static_cast<unsigned>(report.peers.size()));
  for (unsigned i = 0; i < lines.size(); ++i) {
    const auto& peer = report.peers[i];
    lines[i].setRouter(peer.router);
    lines[i].setPort(peer.port);
    lines[i].setPeer(peer.peer);
    lines[i].setAsNumber(peer.as_number);
    lines[i].setState(peer.state);
    lines[i].setUpSeconds(std::chrono::duration<double>(peer.since).count());
    lines[i].setPrefixesIn(peer.prefixes_in);
    lines[i].setPrefixesOut(peer.prefixes_out);
    lines[i].setBfd(peer.bfd);
    lines[i].setLastError(peer.last_error);
  }
}

void encode_cluster(const ClusterReport& report, schema::ClusterConnection::Builder out) {
  out.setState(report.state);
  out.setNode(report.node);
  out.setNodeName(report.node_name);
  out.setLastError(report.last_error);
  if (!report.state.empty()) out.setForSeconds(seconds_since(report.since));
}

void encode_agents(const AgentsReport& report, schema::Status::Builder out) {
  auto lines = out.initAgents(static_cast<unsigned>(report.agents.size()));
  for (unsigned i = 0; i < lines.size(); ++i) {
    const auto& agent = report.agents[i];
    topology::encode(agent.host.uuid(), lines[i].initHost());
    lines[i].setName(agent.name);
    lines[i].setState(agent.state);
    lines[i].setNode(agent.node);
    if (agent.since.time_since_epoch().count() != 0) lines[i].setSinceSeconds(seconds_since(agent.since));
    lines[i].setAppliedRevision(agent.applied);
    lines[i].setLagRevisions(agent.lag);
  }
  auto nodes = out.initNodes(static_cast<unsigned>(report.nodes.size()));
  for (unsigned i = 0; i < nodes.size(); ++i) {
    const topology::ClusterNode& node = report.nodes[i];
    nodes[i].setName(node.name);
    nodes[i].setUpSeconds(
        seconds_since(WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(node.since)))));
    nodes[i].setAgents(node.agents);
    nodes[i].setAppliedRevision(node.applied);
  }
}

void encode_actors(const NodeReport& node, const topology::Snapshot& snapshot, schema::Status::Builder out) {
  out.setUnlistedActors(node.unlisted);
  auto lines = out.initActors(static_cast<unsigned>(node.actors.size()));
  for (unsigned i = 0; i < node.actors.size(); ++i) {
    const auto& actor = node.actors[i];
    lines[i].setName(shown_name(actor, snapshot));
    lines[i].setKind(actor.kind);
    lines[i].setState(std::string(observability::to_string(actor.state)));
    lines[i].setRestarts(actor.restarts);
    lines[i].setMailbox(actor.mailbox_depth);
    lines[i].setLastError(actor.last_error);
    lines[i].setUpSeconds(seconds_since(actor.since));
  }
}

void encode_ports(const DatapathReport& datapath, const topology::Snapshot& snapshot, schema::Status::Builder out) {
  auto lines = out.initPorts(static_cast<unsigned>(datapath.ports.size()));
  for (unsigned i = 0; i < datapath.ports.size(); ++i) {
    const auto& port = datapath.ports[i];
    auto line = lines[i];
    topology::encode(port.port.uuid(), line.initPort());
    line.setName(name_or_id(snapshot, {Kind::port, port.port.uuid()}));
    line.setInterface(port.interface);
    line.setNumber(port.number.value);
    line.setActive(port.active);
    line.setReason(port.reason);
    line.setRxPackets(port.stats.rx_packets);
    line.setRxBytes(port.stats.rx_bytes);
    line.setTxPackets(port.stats.tx_packets);
    line.setTxBytes(port.stats.tx_bytes);
    line.setUpcalls(port.stats.upcalls);
    line.setUpcallsLost(port.stats.upcalls_lost);
  }
}

}  // namespace

schema::Frame status_reply(uint64_t id, const StatusContent& status, const topology::Snapshot& snapshot) {
  Reply reply(id);
  auto out = reply.root.initStatus();
  out.setVersion(status.version);
  topology::encode(status.host.id.uuid(), out.initHostId());
  out.setHostName(status.host.name);
  out.setDatapath(status.datapath.kind);
  out.setCommittedRevision(status.revisions.committed);
  out.setAppliedRevision(status.revisions.applied);
  out.setFlows(status.datapath.stats.flows);
  out.setAdoptedFlows(status.flows.adopted);
  out.setMetricsUrl(status.metrics_url);
  out.setUpSeconds(seconds_since(status.started));
  encode_actors(status.node, snapshot, out);
  encode_tunnels(status.tunnels, out);
  encode_bgp(status.bgp, out);
  encode_problems(status, out);
  encode_cluster(status.cluster, out.initCluster());
  encode_agents(status.agents, out);
  encode_ports(status.datapath, snapshot, out);
  auto drops = out.initDrops(static_cast<unsigned>(status.drops.size()));
  for (unsigned i = 0; i < status.drops.size(); ++i) {
    drops[i].setReason(status.drops[i].first);
    drops[i].setCount(status.drops[i].second);
  }
  return reply.frame();
}

schema::Frame state_reply(uint64_t id, const std::vector<StateLine>& lines, const topology::Snapshot& snapshot) {
  Reply reply(id);
  auto entries = reply.root.initState().initEntries(static_cast<unsigned>(lines.size()));
  for (unsigned i = 0; i < lines.size(); ++i) {
    topology::encode(lines[i].device, entries[i].initDevice());
    entries[i].setDeviceName(name_or_id(snapshot, lines[i].device));
    entries[i].setTable(lines[i].table);
    entries[i].setKey(lines[i].key);
    entries[i].setValue(lines[i].value);
    entries[i].setState(lines[i].state);
    entries[i].setAgeSeconds(lines[i].age_seconds);
  }
  return reply.frame();
}

}  // namespace viaduct::actors
