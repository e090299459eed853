// How things are: what would keep packets from arriving, whether any have come or not.
#include <algorithm>

#include "actors/admin/replies.hpp"
#include "actors/admin/why_run.hpp"
#include "flows/simulation/network_views.hpp"

namespace viaduct::actors {

namespace sim = flows::simulation;
using topology::Kind;
using topology::ObjectRef;
using topology::Port;

namespace {

std::string named(const Inquiry& inquiry, Kind kind, const Uuid& id) {
  return name_or_id(inquiry.snapshot, {kind, id});
}

Cause about(const ObjectRef& ref, std::string_view name, std::string text, std::string cure) {
  Cause out{std::string(name)};
  out.device = ref;
  out.text = std::move(text);
  out.cure = std::move(cure);
  return out;
}

Cause about(const ObjectRef& ref, flows::DropReason reason, const Inquiry& inquiry) {
  const ReasonWords words = words_of(reason);
  return about(ref, flows::to_string(reason), place_name(inquiry.snapshot, ref) + ": " + std::string(words.what),
               std::string(words.cure));
}

const DatapathReport::Port* bound(const Inquiry& inquiry, PortId id) {
  const auto& ports = inquiry.facts.datapath.ports;
  const auto at = std::find_if(ports.begin(), ports.end(), [&](const auto& line) { return line.port == id; });
  return at == ports.end() ? nullptr : &*at;
}

bool is_away(const Inquiry& inquiry, HostId host) {
  const auto& agents = inquiry.facts.agents.agents;
  return std::any_of(agents.begin(), agents.end(),
                     [&](const auto& agent) { return agent.host == host && agent.state == "away"; });
}

Cause inactive_here(const Port& port, const Inquiry& inquiry) {
  Cause out = about({Kind::port, port.id.uuid()}, flows::DropReason::port_inactive, inquiry);
  const auto* line = bound(inquiry, port.id);
  out.text = "port " + named(inquiry, Kind::port, port.id.uuid()) + ": interface " + port.interface +
             (line == nullptr || line->reason.empty() ? " is not in the datapath" : ": " + line->reason);
  out.cure = "make the interface " + port.interface + ", or bind the port to another one";
  return out;
}

std::optional<Cause> trouble_elsewhere(const Port& port, const sim::PortView* view, const Inquiry& inquiry) {
  const ObjectRef ref{Kind::port, port.id.uuid()};
  const std::string name = "port " + named(inquiry, Kind::port, port.id.uuid());
  const std::string host = named(inquiry, Kind::host, port.host.uuid());
  const bool active = view != nullptr && view->active_elsewhere();
  if (is_away(inquiry, port.host)) {
    return about(ref, cause::kHostAway, name + " is bound to host " + host + ", whose agent is away",
                 "start viaductd on " + host + ", or look at its connection to the cluster: viaduct status there");
  }
  if (!active) {
    Cause out = about(ref, flows::DropReason::port_inactive, inquiry);
    out.text = name + " is bound to host " + host + ", where it is not active";
    out.cure = "on " + host + ": viaduct status says what is missing of interface " + port.interface;
    return out;
  }
  if (view->silent) {
    return about(ref, cause::kHostSilent, name + " is on host " + host + ", which does not answer in the tunnels",
                 "look at the underlay between the hosts: viaduct status, tunnels");
  }
  return std::nullopt;
}

// --- devices ---------------------------------------------------------------------------------------

struct Finder {
  const Inquiry& inquiry;
  std::vector<Cause>& causes;

  void add(Cause cause, unsigned distance) {
    cause.distance = distance;
    causes.push_back(std::move(cause));
  }

  void device(const Inquiry::Device& device) {
    if (device.ref.kind == Kind::bridge) bridge(BridgeId(device.ref.id), device);
    if (device.ref.kind == Kind::router) router(RouterId(device.ref.id), device);
  }

  void down(const Inquiry::Device& device) {
    add(about(device.ref, flows::DropReason::device_down, inquiry), device.distance);
    causes.back().certainty = Certainty::now;
  }

  void bridge(BridgeId id, const Inquiry::Device& device) {
    const auto* bridge = inquiry.snapshot.find(id);
    if (bridge != nullptr && !bridge->admin_up) down(device);
    inquiry.snapshot.for_each_interior_port_of(id.uuid(), [&](const Port& port) { link(port, device.distance); });
    const auto* floods = inquiry.network.locations().floods.find(id);
    if (floods == nullptr) return;
    for (const auto& [host, key] : *floods) tunnel(host, device.distance);
  }

  void router(RouterId id, const Inquiry::Device& device) {
    const auto* router = inquiry.snapshot.find(id);
    if (router == nullptr) return;
    if (!router->admin_up) down(device);
    inquiry.snapshot.for_each_port_of(id.uuid(), [&](const Port& port) {
      if (port.is_interior()) return link(port, device.distance);
      if (auto wrong = trouble_of(port, inquiry)) add(std::move(*wrong), device.distance + 1);
      if (!port.host.is_nil() && port.host != inquiry.facts.host.id) tunnel(port.host, device.distance);
    });
    gateways(id, device.distance);
    if (!router->load_balancer.is_nil()) balancer(router->load_balancer, device.distance);
    sessions(*router, device.distance);
  }

  // Interior ports: their own state; that of the other end comes with its device.
  void link(const Port& port, unsigned distance) {
    if (port.admin_up) return;
    add(about({Kind::port, port.id.uuid()}, flows::DropReason::port_down, inquiry), distance);
  }

  void tunnel(HostId host, unsigned distance) {
    if (inquiry.packet && host != inquiry.leaves_for) return;
    const size_t before = causes.size();
    tunnel_to(host, distance);
    if (inquiry.packet && causes.size() > before) causes.back().certainty = Certainty::now;
  }
  void tunnel_to(HostId host, unsigned distance) {
    const std::string name = named(inquiry, Kind::host, host.uuid());
    for (const auto& line : inquiry.facts.tunnels.tunnels) {
      if (line.host != host || line.state == "up") continue;
      return add(about({Kind::host, host.uuid()}, cause::kTunnelDown,
                       "the tunnel to host " + name + " (" + line.src.to_string() + " to " + line.dst.to_string() +
                           ") is " + line.state,
                       "look at the underlay between the hosts: routes, firewalls, UDP " +
                           std::string("4789; is viaductd running there?")),
                 distance);
    }
    const auto* path = inquiry.network.locations().paths.find(host);
    if (path != nullptr && path->port) return;
    Cause out = about({Kind::host, host.uuid()}, flows::DropReason::no_tunnel_path, inquiry);
    out.text = "there is no tunnel to host " + name;
    add(std::move(out), distance);
  }

  // Of stored routes, those whose gateway was asked for and did not answer.
  void gateways(RouterId id, unsigned distance) {
    inquiry.snapshot.for_each_route_of(id, [&](const topology::Route& route) {
      if (route.next_hop != topology::NextHop::port || !route.gateway) return;
      const auto entry = inquiry.state.neighbours.find({id.uuid(), route.next_hop_port, *route.gateway});
      if (!entry || entry->state != flows::NeighbourState::failed) return;
      Cause out = about({Kind::router, id.uuid()}, flows::DropReason::next_hop_unresolved, inquiry);
      out.text += "; gateway " + route.gateway->to_string() + " of the route to " + route.destination.to_string();
      add(std::move(out), distance);
    });
  }

  void balancer(LoadBalancerId id, unsigned distance) {
    const auto* balancer = inquiry.snapshot.find(id);
    if (balancer == nullptr) return;
    if (!balancer->admin_up) {
      add(about({Kind::load_balancer, id.uuid()}, flows::DropReason::load_balancer_down, inquiry), distance);
    }
    inquiry.snapshot.for_each_pool_of(id, [&](const topology::Pool& pool) { this->pool(pool, distance); });
  }

  void pool(const topology::Pool& pool, unsigned distance) {
    const ObjectRef ref{Kind::pool, pool.id.uuid()};
    if (!pool.admin_up) add(about(ref, flows::DropReason::load_balancer_down, inquiry), distance);
    const sim::PoolView* view = inquiry.network.pool(pool.id);
    if (view == nullptr || view->members.empty()) return;
    size_t good = 0;
    std::string bad;
    for (const auto& member : view->members) {
      if (member.healthy && member.enabled) {
        ++good;
      } else {
        bad += (bad.empty() ? "" : ", ") + member.address.to_string();
      }
    }
    if (bad.empty()) return;
    if (good == 0) return add(about(ref, flows::DropReason::no_pool_member, inquiry), distance);
    Cause out = about(ref, cause::kMemberDown, place_name(inquiry.snapshot, ref) + ": not in use: " + bad,
                      "viaduct state tells what the checks have found");
    causes.push_back(std::move(out));
    causes.back().distance = distance + 2;
  }

  void sessions(const topology::Router& router, unsigned distance) {
    for (const auto& line : inquiry.facts.bgp.peers) {
      if (line.router != router.name || line.state == "Established") continue;
      add(about({Kind::router, router.id.uuid()}, cause::kBgpDown,
                "router " + router.name + ": the BGP session with " + line.peer + " by port " + line.port + " is " +
                    line.state + (line.last_error.empty() ? "" : ", " + line.last_error),
                "viaduct bgp says more; is the peer up, with this AS number and password?"),
          distance);
    }
  }
};

}  // namespace

std::optional<Cause> trouble_of(const Port& port, const Inquiry& inquiry) {
  const ObjectRef ref{Kind::port, port.id.uuid()};
  if (!port.admin_up) return about(ref, flows::DropReason::port_down, inquiry);
  if (port.is_interior()) {
    const Port* peer = inquiry.snapshot.find(port.peer);
    if (peer == nullptr || peer->admin_up) return std::nullopt;
    return about({Kind::port, peer->id.uuid()}, flows::DropReason::port_down, inquiry);
  }
  if (!port.is_exterior()) {
    return about(ref, cause::kPortUnbound, place_name(inquiry.snapshot, ref) + " is neither bound nor linked",
                 "viaduct bind, or viaduct port link");
  }
  const sim::PortView* view = inquiry.network.port(port.id);
  if (port.host != inquiry.facts.host.id) return trouble_elsewhere(port, view, inquiry);
  const auto* line = bound(inquiry, port.id);
  if (view == nullptr || !view->number || (line != nullptr && !line->active)) return inactive_here(port, inquiry);
  return std::nullopt;
}

void add_live_causes(const Inquiry& inquiry, std::vector<Cause>& causes) {
  if (auto own = trouble_of(inquiry.port, inquiry)) {
    own->certainty = Certainty::now;
    causes.push_back(std::move(*own));
  }
  Finder finder{inquiry, causes};
  for (const auto& device : inquiry.devices) finder.device(device);
  for (const std::string& problem : inquiry.facts.nat.problems) {
    causes.push_back(
        about({Kind::host, inquiry.facts.host.id.uuid()}, flows::DropReason::nat_ports_exhausted, inquiry));
    causes.back().text = problem;
  }
  const auto& connections = inquiry.state.connections;
  if (connections.size() < connections.capacity()) return;
  causes.push_back(about({Kind::host, inquiry.facts.host.id.uuid()}, flows::DropReason::connections_full, inquiry));
}

}  // namespace viaduct::actors
