// From the place where packets end to the reason why they come to end there.
#include <algorithm>

#include "actors/admin/replies.hpp"
#include "actors/admin/why_run.hpp"

namespace viaduct::actors {

namespace sim = flows::simulation;
using flows::ConnectionKey;
using flows::ConnectionKind;
using flows::DropReason;
using flows::FlowKey;
using topology::Kind;

namespace {

// The drop's packets, under the name of what is behind it.
Cause behind(const Cause& drop, Cause root, const std::string& consequence) {
  root.certainty = drop.certainty;
  root.packets = drop.packets;
  root.first_seconds = drop.first_seconds;
  root.last_seconds = drop.last_seconds;
  root.example = drop.example;
  root.way = drop.way;
  root.noise = drop.noise;
  root.text += "; so " + consequence;
  return root;
}

// The port of a route that would serve, were it well.
const topology::Port* withdrawn(RouterId router, const IpAddress& destination, const Inquiry& inquiry) {
  const topology::Port* found = nullptr;
  const auto consider = [&](const topology::Port* port) {
    const sim::PortView* view = port == nullptr ? nullptr : inquiry.network.port(port->id);
    if (view != nullptr && !view->publishes_routes()) found = port;
  };
  inquiry.snapshot.for_each_route_of(router, [&](const topology::Route& route) {
    if (route.next_hop == topology::NextHop::port && route.destination.contains(destination)) {
      consider(inquiry.snapshot.find(route.next_hop_port));
    }
  });
  inquiry.snapshot.for_each_port_of(router.uuid(), [&](const topology::Port& port) {
    const bool on_link = std::any_of(port.addresses.begin(), port.addresses.end(), [&](const IpPrefix& prefix) {
      return prefix.address().family() == destination.family() && prefix.contains(destination);
    });
    if (on_link) consider(&port);
  });
  return found;
}

Cause behind_no_route(const Cause& drop, RouterId id, const FlowKey& example, const Inquiry& inquiry) {
  const auto* router = inquiry.snapshot.find(id);
  if (router == nullptr || !example.is_ip()) return drop;
  const std::string consequence = "router " + name_or_id(inquiry.snapshot, {Kind::router, id.uuid()}) +
                                  " has no route to " + example.ip_dst.to_string();
  if (const auto* port = withdrawn(id, example.ip_dst, inquiry)) {
    if (auto trouble = trouble_of(*port, inquiry)) return behind(drop, std::move(*trouble), consequence);
  }
  for (const auto& line : inquiry.facts.bgp.peers) {
    if (line.router != router->name || line.state == "Established") continue;
    Cause root{std::string(cause::kBgpDown)};
    root.device = {Kind::router, id.uuid()};
    root.text = "router " + router->name + ": the BGP session with " + line.peer + " by port " + line.port + " is " +
                line.state + (line.last_error.empty() ? "" : ", " + line.last_error);
    root.cure = "viaduct bgp says more; is the peer up, with this AS number and password?";
    return behind(drop, std::move(root), consequence);
  }
  return drop;
}

// The connection that this packet answers is known, and not where the packet came in.
std::optional<ConnectionKey> answered_elsewhere(const FlowKey& key, const Inquiry& inquiry) {
  const bool ports = key.ip_proto == flows::ip_proto::kTcp || key.ip_proto == flows::ip_proto::kUdp ||
                     key.ip_proto == flows::ip_proto::kSctp;
  if (!key.is_ip() || !ports || key.fragment == flows::Fragment::later) return std::nullopt;
  std::optional<ConnectionKey> found;
  const auto look = [&](Kind kind) {
    inquiry.snapshot.for_each(kind, [&](const topology::Object& object) {
      for (const ConnectionKind sort :
           {ConnectionKind::track, ConnectionKind::snat_reverse, ConnectionKind::dnat_reverse}) {
        const ConnectionKey at{sort,       key.ip_proto,           key.l4_src, key.l4_dst, key.ip_src,
                               key.ip_dst, topology::id_of(object)};
        if (!found && inquiry.state.connections.find(at)) found = at;
      }
    });
  };
  look(Kind::router);
  look(Kind::bridge);
  look(Kind::load_balancer);
  return found;
}

bool may_be_an_answer(DropReason reason) {
  return reason == DropReason::dropped_by_rule || reason == DropReason::rejected_by_rule ||
         reason == DropReason::not_to_local_service || reason == DropReason::no_route;
}

Cause asymmetric(const Cause& drop, const ConnectionKey& connection, const Inquiry& inquiry) {
  Cause root = drop;
  root.name = cause::kAsymmetric;
  const bool bridge = inquiry.snapshot.find(BridgeId(connection.device)) != nullptr;
  const topology::ObjectRef owner{bridge ? Kind::bridge : Kind::router, connection.device};
  root.text = "an answer comes in where its connection is not known: it went out by " +
              place_name(inquiry.snapshot, owner) + "; so " + drop.text;
  root.cure =
      "let the world's routes lead back to where the connection left, or put both uplinks' ports into one stateful "
      "port group of one router";
  return root;
}

}  // namespace

Cause root_of(Cause cause, DropReason reason, const sim::DropSite& site, const FlowKey& example,
              const Inquiry& inquiry) {
  if (may_be_an_answer(reason)) {
    if (const auto connection = answered_elsewhere(example, inquiry)) return asymmetric(cause, *connection, inquiry);
  }
  if (reason == DropReason::no_route && site.kind == sim::DeviceKind::router) {
    return behind_no_route(cause, RouterId(site.device), example, inquiry);
  }
  if (reason == DropReason::port_inactive || reason == DropReason::port_unplugged) {
    const auto* port = inquiry.snapshot.find(PortId(site.device));
    auto trouble = port == nullptr ? std::nullopt : trouble_of(*port, inquiry);
    if (trouble) return behind(cause, std::move(*trouble), "what should leave by it is dropped");
  }
  return cause;
}

}  // namespace viaduct::actors
