// The topology as boxes and lines: what there is to draw, without saying where. Pure: from a model to a graph.
//
// Devices (routers, bridges, load balancers), hosts and zones are cards. The ports of a device that lead out of the virtual
// network hang below its card as a strip: one line with their number, or, expanded, one chip each.
import { plural, visible } from "./text.js";
import { STATE_WORDS, WORDS } from "./model.js";

const FEW = 6; // ports of a device that are shown one by one from the beginning
const FEW_ALTOGETHER = 30;

const outer = (port) => !port.peerId;

// The worst of several states, for what stands for all of them.
const worst = (states) => ["down", "disabled", "up"].find((state) => states.includes(state)) ?? "unused";

function deviceState(document) {
  return document.adminStateUp === false ? "disabled" : "up";
}

function card(model, kind, document, sub, state) {
  const label = model.name(kind, document.id);
  return { id: document.id, kind, shape: "card", label, sub, state, described: `${WORDS[kind][1]} ${label}, ${sub}, ${STATE_WORDS[state]}` };
}

function addDevices(model, graph) {
  for (const kind of ["routers", "bridges"]) {
    for (const each of model.sorted(kind)) {
      graph.add(card(model, kind, each, plural(model.portsOf.get(each.id)?.length ?? 0, "port"), deviceState(each)));
    }
  }
  for (const each of model.sorted("load_balancers")) {
    graph.add(card(model, "load_balancers", each, "load balancer", deviceState(each)));
  }
  for (const each of model.all.routers.values()) {
    if (each.loadBalancerId) graph.connect(each.id, each.loadBalancerId, { kind: "balancer", state: "up" });
  }
}

function addLinks(model, graph) {
  const seen = new Set();
  for (const port of model.all.ports.values()) {
    const peer = port.peerId && model.get("ports", port.peerId);
    if (!peer || seen.has(port.id)) continue;
    seen.add(peer.id);
    const states = [model.portState(port), model.portState(peer)];
    graph.connect(port.deviceId, peer.deviceId, { kind: "link", state: worst(states), ports: [port.id, peer.id] });
  }
}

function addHosts(model, graph) {
  for (const host of model.sorted("hosts")) {
    const bound = graph.boundAt.get(host.id) ?? 0;
    graph.add(card(model, "hosts", host, plural(bound, "port"), host.alive ? "alive" : "away"));
  }
  for (const zone of model.sorted("tunnel_zones")) {
    const members = model.zoneHosts.get(zone.id) ?? new Map();
    const added = graph.add(card(model, "tunnel_zones", zone, `${visible(zone.type)} · ${plural(members.size, "host")}`, "up"));
    added.state = null;
    added.described = `Tunnel zone ${added.label}, ${added.sub}`;
    for (const host of members.keys()) graph.connect(host, zone.id, { kind: "zone", state: tunnelState(model, host) });
  }
}

// As this node's agent says of its tunnel to that host; nothing known: as the host is.
function tunnelState(model, host) {
  const tunnel = model.node?.tunnels?.find((each) => each.hostId === host);
  if (tunnel) return tunnel.state === "up" ? "up" : "down";
  return model.get("hosts", host)?.alive ? "up" : "down";
}

function addStrip(model, graph, device, ports, expanded) {
  const strip = { id: `ports:${device}`, kind: "strip", shape: "strip", device, ports: [], expanded };
  const states = ports.map((port) => model.portState(port));
  const up = states.filter((state) => state === "up").length;
  const down = states.filter((state) => state === "down").length;
  strip.state = worst(states);
  strip.label = plural(ports.length, "port");
  strip.sub = `${up} up${down ? `, ${down} down` : ""}`;
  strip.described = `${strip.label} of ${graph.nodes.get(device).label}, ${strip.sub}`;
  graph.add(strip);
  if (expanded) {
    ports.forEach((port, at) => {
      const label = model.name("ports", port.id);
      const host = port.hostId ? `, bound to ${visible(port.interfaceName)} on ${model.name("hosts", port.hostId)}` : "";
      graph.add({ id: port.id, kind: "ports", shape: "chip", device, strip: strip.id, label, state: states[at], described: `Port ${label}, ${STATE_WORDS[states[at]]}${host}` });
      strip.ports.push(port.id);
    });
  }
  const hosts = Map.groupBy(ports.filter((port) => port.hostId), (port) => port.hostId);
  for (const [host, bound] of hosts) {
    graph.boundAt.set(host, (graph.boundAt.get(host) ?? 0) + bound.length);
    graph.connect(device, host, { kind: "binding", state: worst(bound.map((port) => model.portState(port))), count: bound.length });
  }
}

class Graph {
  constructor() {
    this.nodes = new Map();
    this.edges = new Map(); // by both ends
    this.boundAt = new Map(); // host -> ports
  }
  add(node) {
    this.nodes.set(node.id, node);
    return node;
  }
  connect(one, other, edge) {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    const before = this.edges.get(key);
    if (!before) {
      this.edges.set(key, { id: key, ends: [one, other], count: 1, ports: [], ...edge });
      return;
    }
    before.count += edge.count ?? 1;
    before.ports.push(...(edge.ports ?? []));
    before.state = worst([before.state, edge.state]);
  }
  // The ends of lines may be what nobody shows: hosts for members of a tenant.
  finish() {
    for (const [key, edge] of this.edges) {
      if (!edge.ends.every((id) => this.nodes.has(id)) || edge.ends[0] === edge.ends[1]) this.edges.delete(key);
    }
    this.linked = new Map([...this.nodes.keys()].map((id) => [id, new Set()]));
    for (const { ends: [one, other] } of this.edges.values()) {
      this.linked.get(one).add(other);
      this.linked.get(other).add(one);
    }
    return this;
  }
}

// `choices`: device -> whether the user wants its ports one by one.
export function graphOf(model, choices) {
  const graph = new Graph();
  addDevices(model, graph);
  addLinks(model, graph);
  let altogether = 0;
  const outers = new Map();
  for (const [device, ports] of model.portsOf) {
    const own = ports.filter(outer);
    if (!own.length || !graph.nodes.has(device)) continue;
    outers.set(device, own);
    altogether += own.length;
  }
  for (const [device, ports] of outers) {
    const few = ports.length <= FEW && altogether <= FEW_ALTOGETHER;
    addStrip(model, graph, device, ports, choices.get(device) ?? few);
  }
  addHosts(model, graph);
  return graph.finish();
}

// What stands for an object in the picture: itself, or the strip or device that it is in.
export function shownAs(graph, model, id) {
  if (graph.nodes.has(id)) return id;
  const port = model.get("ports", id);
  if (!port) return null;
  const strip = `ports:${port.deviceId}`;
  if (!port.peerId && graph.nodes.has(strip)) return strip;
  return graph.nodes.has(port.deviceId) ? port.deviceId : null;
}
