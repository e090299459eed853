// The topology as this page knows it: documents by kind and id, what changed, and what the user may not see.
import { shortId, visible } from "./text.js";

export const KINDS = ["routers", "bridges", "ports", "load_balancers", "hosts", "tunnel_zones"];
const OPERATORS = new Set(["hosts", "tunnel_zones"]);
const REMEMBERED = 500; // changes
const ORDER = new Intl.Collator("en", { numeric: true });
export const WORDS = {
  routers: ["router", "Router"],
  bridges: ["bridge", "Bridge"],
  ports: ["port", "Port"],
  load_balancers: ["load balancer", "Load balancer"],
  hosts: ["host", "Host"],
  tunnel_zones: ["tunnel zone", "Tunnel zone"],
};

export class Model {
  constructor(session) {
    this.session = session;
    this.clear();
    this.listeners = new Set();
  }

  clear() {
    this.era = (this.era ?? 0) + 1; // answers to what was asked before are nobody's
    this.loading = null;
    this.again = false;
    this.all = Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
    this.zoneHosts = new Map(); // zone -> host -> address
    this.devices = null;
    this.refused = new Map(); // kind -> why
    this.history = []; // the newest first
    this.node = null; // node_status; null: not asked yet
    this.nodeRefused = "";
    this.portNames = new Map();
    this.loaded = false;
    this.waiting = null; // changes while the lists are read
  }

  get(kind, id) {
    return this.all[kind]?.get(id) ?? null;
  }

  // Everything anew. Changes that come meanwhile are applied behind it.
  async load() {
    if (this.loading) {
      this.again = true;
      return this.loading;
    }
    const loading = this.readAll();
    this.loading = loading;
    try {
      await loading;
    } finally {
      if (this.loading === loading) this.loading = null;
    }
    if (this.again) {
      this.again = false;
      await this.load();
    }
  }

  async readAll() {
    const era = this.era;
    this.waiting ??= [];
    try {
      const read = async (kind) => {
        if (this.refused.has(kind)) return []; // whoever gets a role signs in again
        try {
          return await this.session.list(kind);
        } catch (problem) {
          if (problem.status !== 403 || era !== this.era) throw problem;
          this.refused.set(kind, problem.message);
          return [];
        }
      };
      const states = this.readStates().catch(() => {}); // again soon, and then it matters
      const lists = await Promise.all(KINDS.map(read));
      await states;
      const zones = lists[KINDS.indexOf("tunnel_zones")];
      const members = await Promise.all(zones.map((zone) => this.session.get(`tunnel_zones/${zone.id}/hosts`)));
      if (era !== this.era) return;
      KINDS.forEach((kind, at) => (this.all[kind] = new Map(lists[at].map((each) => [each.id, each]))));
      this.zoneHosts = new Map(zones.map((zone, at) => [zone.id, new Map(members[at].map((each) => [each.hostId, each.ipAddress]))]));
      this.loaded = true;
    } finally {
      if (era === this.era) this.applyWaiting();
    }
    this.changed();
  }

  applyWaiting() {
    const waited = this.waiting;
    this.waiting = null;
    if (this.loaded) for (const [action, change] of waited) this.apply(action, change);
  }

  // The user sees nothing of what this page is about.
  get forbidden() {
    return KINDS.every((kind) => this.refused.has(kind)) ? this.refused.get("bridges") : "";
  }
  get confined() {
    return [...OPERATORS].some((kind) => this.refused.has(kind)) && !this.forbidden;
  }

  take(action, change) {
    if (this.waiting) {
      this.waiting.push([action, change]);
      return;
    }
    this.apply(action, change);
    this.changed();
  }

  apply(action, { resource, id, uri, document }) {
    const before = this.get(resource, id);
    this.remember(action, resource, id, document ?? before);
    if (resource === "tunnel_zones/hosts") return this.applyZoneHost(action, document, uri);
    if (!KINDS.includes(resource)) return;
    if (action === "deleted") {
      this.all[resource].delete(id);
    } else if (document) {
      this.all[resource].set(id, document);
    } else {
      this.load().catch(() => {}); // the server could not show it just now
    }
  }

  applyZoneHost(action, document, uri) {
    const named = /tunnel_zones\/([0-9a-f-]+)\/hosts\/([0-9a-f-]+)$/.exec(uri ?? "");
    const zone = document?.tunnelZoneId ?? named?.[1];
    const host = document?.hostId ?? named?.[2];
    if (!zone || !host) return;
    if (action === "deleted") this.zoneHosts.get(zone)?.delete(host);
    else if (!this.zoneHosts.has(zone)) this.zoneHosts.set(zone, new Map([[host, document?.ipAddress]]));
    else this.zoneHosts.get(zone).set(host, document?.ipAddress);
  }

  remember(action, resource, id, document) {
    const concerns = new Set([id]);
    for (const member of ["deviceId", "hostId", "peerId", "routerId", "tunnelZoneId", "loadBalancerId"]) {
      if (document?.[member]) concerns.add(document[member]);
    }
    this.history.unshift({ at: new Date(), action, resource, id, name: this.labelOf(resource, id, document), concerns });
    this.history.length = Math.min(this.history.length, REMEMBERED);
  }

  // What a change is of, also when it is not known yet or any more.
  labelOf(resource, id, document) {
    const known = document ?? this.get(resource, id);
    return visible(this.portNames.get(id) || known?.name || known?.interfaceName || shortId(id));
  }

  // What hosts say, which is in no event: hosts that are alive, and ports that are active.
  async readStates() {
    if (this.nodeRefused) return;
    const era = this.era;
    try {
      const node = await this.session.get("node_status");
      if (era !== this.era) return;
      this.node = node;
      this.nodeRefused = "";
      this.nodeAt = performance.now();
      this.portNames = new Map((this.node.ports ?? []).map((port) => [port.portId, port.name]));
      for (const each of this.node.ports ?? []) {
        const port = this.get("ports", each.portId);
        if (port) port.active = each.active;
      }
      for (const each of this.node.hosts) {
        const host = this.get("hosts", each.hostId);
        if (host) host.alive = each.state !== "away";
      }
    } catch (problem) {
      if (problem.status !== 403 || era !== this.era) throw problem;
      this.nodeRefused = problem.message;
    }
  }

  async readPorts() {
    const ports = await this.session.list("ports");
    for (const port of ports) {
      const known = this.all.ports.get(port.id);
      if (known) known.active = port.active;
    }
  }

  // Cheap, as it comes once for each object of a commit: what follows from the objects is made when somebody looks.
  changed() {
    this.devices = null;
    for (const listener of this.listeners) listener();
  }

  // Device -> its ports, by name.
  get portsOf() {
    if (!this.devices) {
      this.devices = Map.groupBy(this.all.ports.values(), (port) => port.deviceId);
      for (const [device, ports] of this.devices) this.devices.set(device, this.inOrder("ports", ports));
    }
    return this.devices;
  }

  inOrder(kind, documents) {
    const keyed = documents.map((each) => [this.name(kind, each.id), each.id, each]);
    keyed.sort((one, other) => ORDER.compare(one[0], other[0]) || (one[1] < other[1] ? -1 : 1));
    return keyed.map(([, , each]) => each);
  }

  // What an object is called; visible (text.js).
  name(kind, id) {
    const document = this.get(kind, id);
    if (!document) return shortId(id);
    if (kind === "ports") return visible(this.portNames.get(id) || document.interfaceName || document.portAddress || shortId(id));
    return visible(document.name || shortId(id));
  }

  kindOf(id) {
    return KINDS.find((kind) => this.all[kind].has(id)) ?? null;
  }

  sorted(kind) {
    return this.inOrder(kind, [...this.all[kind].values()]);
  }

  // "up", "down" or "disabled"; of ports that neither are bound nor linked "unused".
  portState(port) {
    if (port.adminStateUp === false) return "disabled";
    if (port.peerId) return this.all.ports.get(port.peerId)?.adminStateUp === false ? "down" : "up";
    if (!port.hostId) return "unused";
    return port.active ? "up" : "down";
  }
}

export const STATE_WORDS = {
  up: "up",
  down: "down",
  disabled: "disabled",
  unused: "not bound",
  alive: "alive",
  away: "away",
};
