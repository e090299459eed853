// The story of one object: what it is, where it is bound, what it leads to, what it counts, what happened to it.
import { el, named, renew } from "./dom.js";
import { stateBadge } from "./icons.js";
import { STATE_WORDS, WORDS } from "./model.js";
import { bytes, clock, count, plural, shortId, visible } from "./text.js";

const MOST = 50; // of a list
const EVENTS = 20;
const FEW = 12; // ports that are named one by one

const state = (word) => el("span", { class: `status ${word}` }, stateBadge(word), STATE_WORDS[word] ?? word);

export class Story {
  // open(id): another story; trace(port): from that port; fetched documents come by session.
  constructor(root, model, session, { open, trace }) {
    Object.assign(this, { root, model, session, open, trace });
    this.id = null;
    this.fetched = new Map(); // path -> documents or a Refusal
  }

  show(id) {
    if (id !== this.id) this.fetched.clear();
    this.id = id;
    this.render();
  }

  render() {
    const { model, id } = this;
    if (!id) return renew(this.root, this.overview());
    const kind = model.kindOf(id);
    if (!kind) {
      return renew(this.root, el("h2", {}, "Not there any more"), el("p", {}, `The object ${shortId(id)} has been deleted, or is not yours to see.`), this.events(id));
    }
    const document_ = model.get(kind, id);
    const heading = el("h2", { tabindex: -1 }, el("span", { class: "kind" }, WORDS[kind][1]), " ", named(model.name(kind, id)));
    const back = el("p", {}, el("button", { type: "button", class: "link", on: { click: () => this.open(null) } }, "Overview"));
    renew(this.root, el("div", { class: "top" }, heading, back), this[kind](document_), this.events(id));
  }

  // Nothing is chosen: how it is altogether, and what somebody should look at.
  overview() {
    const { model } = this;
    const ports = [...model.all.ports.values()].map((port) => [port, model.portState(port)]);
    const troubles = [
      ...model.sorted("hosts").filter((host) => !host.alive).map((host) => ["hosts", host.id, "away"]),
      ...["routers", "bridges", "load_balancers"].flatMap((kind) => model.sorted(kind).filter((each) => each.adminStateUp === false).map((each) => [kind, each.id, "disabled"])),
    ];
    const broken = ports.filter(([, is]) => is === "down" || is === "disabled");
    const lines = [...troubles.map(([kind, id, is]) => [state(is), ` ${WORDS[kind][0]} `, this.link(kind, id)]), ...this.brokenPorts(broken)];
    const counted = ["up", "down", "disabled", "unused"].map((is) => [is, ports.filter(([, each]) => each === is).length]).filter(([, number]) => number > 0);
    const problems = model.node?.problems ?? [];
    return [
      el("h2", { tabindex: -1 }, "Overview"),
      this.section("Ports", counted.length ? el("ul", { class: "plain" }, counted.map(([is, number]) => el("li", {}, state(is), ` ${count(number)}`))) : el("p", { class: "muted" }, "There are none.")),
      this.section("To look at", this.listed(lines, "All hosts are alive, and nothing is down or disabled.")),
      problems.length ? this.section("This node says", this.listed(problems.map((each) => visible(each)), "")) : null,
      this.recent(),
      el("p", { class: "hint" }, "Choose a device, a port or a host in the picture or in the list: its story appears here."),
    ];
  }

  // One by one while they are few, then device by device.
  brokenPorts(ports) {
    if (ports.length <= FEW) return ports.map(([port, is]) => [state(is), " port ", this.link("ports", port.id)]);
    const groups = Map.groupBy(ports, ([port, is]) => `${is} ${port.deviceId}`);
    return [...groups.values()].map((group) => {
      const [[port, is]] = group;
      return [state(is), ` ${plural(group.length, "port")} of `, this.link(this.model.kindOf(port.deviceId) ?? "bridges", port.deviceId)];
    });
  }

  recent() {
    const all = this.model.history.slice(0, 8);
    return all.length ? this.section("Latest changes", el("ul", { class: "plain" }, all.map((each) => this.change(each)))) : null;
  }

  change(each) {
    return el("li", {}, el("time", { datetime: each.at.toISOString() }, clock(each.at)), ` ${WORDS[each.resource]?.[0] ?? each.resource.replace(/[_/]/g, " ")} `, named(each.name), ` ${each.action}`);
  }

  // --- parts ---

  facts(entries) {
    return el("dl", { class: "facts" }, entries.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  link(kind, id) {
    if (!id) return null;
    if (!this.model.get(kind, id)) return el("span", { class: "muted" }, `${WORDS[kind][0]} ${shortId(id)}`);
    return el("button", { type: "button", class: "link", on: { click: () => this.open(id) } }, named(this.model.name(kind, id)));
  }

  section(title, ...parts) {
    return el("section", {}, el("h3", {}, title), ...parts);
  }

  listed(items, empty) {
    if (!items.length) return el("p", { class: "muted" }, empty);
    const more = items.length > MOST ? el("p", { class: "muted" }, `and ${count(items.length - MOST)} more`) : null;
    return [el("ul", { class: "plain" }, items.slice(0, MOST).map((item) => el("li", {}, item))), more];
  }

  // What only a request of its own tells. `rows` makes of it what is shown.
  asked(title, path, rows) {
    const known = this.fetched.get(path);
    if (known === undefined) {
      this.fetched.set(path, null);
      const id = this.id;
      const put = (answer) => {
        if (this.id !== id) return;
        this.fetched.set(path, answer);
        this.render();
      };
      this.session.get(path).then(put, put);
    }
    if (!known) return this.section(title, el("p", { class: "muted" }, "…"));
    if (known instanceof Error) return this.section(title, el("p", { class: "muted" }, visible(known.message)));
    return this.section(title, rows(known));
  }

  common(document_) {
    return [["Tenant", document_.tenantId ? named(visible(document_.tenantId)) : null], ["ID", el("code", {}, document_.id)]];
  }

  // --- kinds ---

  ports(port) {
    const { model } = this;
    const onBridge = port.type === "Bridge";
    const device = this.link(onBridge ? "bridges" : "routers", port.deviceId);
    const counted = model.node?.ports?.find((each) => each.portId === port.id);
    const bound = port.hostId ? [named(visible(port.interfaceName)), " on ", this.link("hosts", port.hostId)] : null;
    const peer = port.peerId && model.get("ports", port.peerId);
    const leads = peer ? [this.link("ports", peer.id), " of ", this.link(peer.type === "Bridge" ? "bridges" : "routers", peer.deviceId)] : port.peerId ? `a port of somebody else (${shortId(port.peerId)})` : null;
    return [
      el("p", {}, state(model.portState(port)), counted?.reason ? el("span", { class: "muted" }, ` – ${visible(counted.reason)}`) : null),
      this.facts([
        [onBridge ? "Bridge" : "Router", device],
        ["Bound to", bound],
        ["Linked with", leads],
        ["VLAN", port.vlanId || null],
        ["Addresses", port.portSubnet?.length ? visible(port.portSubnet.join(", ")) : null],
        ["MAC", port.portMac ?? null],
        ["Ingress filter", port.inboundFilterId ? el("code", {}, shortId(port.inboundFilterId)) : null],
        ["Egress filter", port.outboundFilterId ? el("code", {}, shortId(port.outboundFilterId)) : null],
        ...this.common(port),
      ]),
      this.counters(port, counted),
      port.hostId && !model.nodeRefused ? el("p", {}, el("button", { type: "button", class: "second", on: { click: () => this.trace(port.id) } }, "Trace a packet from here")) : null,
    ];
  }

  counters(port, counted) {
    if (!port.hostId) return null;
    const { node, nodeRefused } = this.model;
    if (nodeRefused) return this.section("Counters", el("p", { class: "muted" }, visible(nodeRefused)));
    if (!node) return null;
    if (counted) {
      return this.section("Counters", this.facts([
        ["Received", `${count(counted.rxPackets)} packets, ${bytes(counted.rxBytes)}`],
        ["Sent", `${count(counted.txPackets)} packets, ${bytes(counted.txBytes)}`],
        ["Upcalls", `${count(counted.upcalls)}, of which lost ${count(counted.upcallsLost)}`],
      ]));
    }
    const where = this.model.name("hosts", port.hostId);
    return this.section("Counters", el("p", { class: "muted" }, `They are counted by the agent of ${where}, and this node (${visible(node.hostName)}) does not have them: run “viaduct status” there.`));
  }

  deviceParts(device) {
    const ports = this.model.portsOf.get(device.id) ?? [];
    const line = (port) => [state(this.model.portState(port)), " ", this.link("ports", port.id), port.peerId && this.model.get("ports", port.peerId) ? [" → ", this.link(this.model.kindOf(this.model.get("ports", port.peerId).deviceId) ?? "bridges", this.model.get("ports", port.peerId).deviceId)] : null];
    return this.section(`Ports (${count(ports.length)})`, this.listed(ports.map(line), "It has none."));
  }

  up(document_) {
    return el("p", {}, state(document_.adminStateUp === false ? "disabled" : "up"));
  }

  bridges(bridge) {
    return [
      this.up(bridge), this.facts(this.common(bridge)), this.deviceParts(bridge),
      this.asked("MAC addresses", `bridges/${bridge.id}/mac_table`, (macs) => this.listed(macs.map((each) => [el("code", {}, each.macAddr), " at ", this.link("ports", each.portId)]), "None is known.")),
    ];
  }

  routers(router) {
    const route = (each) => {
      const to = `${each.dstNetworkAddr}/${each.dstNetworkLength}`;
      const how = each.type === "Normal" ? [each.nextHopGateway ? ` via ${each.nextHopGateway}` : "", " by ", this.link("ports", each.nextHopPort)] : ` ${each.type.toLowerCase()}`;
      return [el("code", {}, visible(to)), how, each.learned ? el("span", { class: "tag" }, "learned") : null];
    };
    return [
      this.up(router),
      this.facts([["Load balancer", this.link("load_balancers", router.loadBalancerId)], ["AS number", router.asNumber > 0 ? String(router.asNumber) : null], ...this.common(router)]),
      this.deviceParts(router),
      this.asked("Routes", `routers/${router.id}/routes`, (routes) => this.listed(routes.map(route), "It has none.")),
    ];
  }

  load_balancers(balancer) {
    return [
      this.up(balancer),
      this.facts([["Router", this.link("routers", balancer.routerId)], ...this.common(balancer)]),
      this.asked("Virtual addresses", `load_balancers/${balancer.id}/vips`, (vips) => this.listed(vips.map((each) => el("code", {}, visible(`${each.address}:${each.protocolPort}`))), "It has none.")),
    ];
  }

  hosts(host) {
    const { model } = this;
    const bound = [...model.all.ports.values()].filter((port) => port.hostId === host.id);
    const agent = model.node?.hosts.find((each) => each.hostId === host.id);
    const tunnel = model.node?.tunnels?.find((each) => each.hostId === host.id);
    return [
      el("p", {}, state(host.alive ? "alive" : "away"), agent?.node ? el("span", { class: "muted" }, ` – served by ${visible(agent.node)}`) : null),
      this.facts([
        ["Behind", agent && agent.lagRevisions > 0 ? plural(agent.lagRevisions, "revision") : null],
        ["Tunnel from here", tunnel ? `${tunnel.type} ${tunnel.state}, MTU ${tunnel.mtu}, ${(tunnel.roundTripSeconds * 1000).toFixed(2)} ms, loss ${(tunnel.loss * 100).toFixed(0)} %` : null],
        ...this.common(host),
      ]),
      this.section(`Ports bound here (${count(bound.length)})`, this.listed(bound.map((port) => [state(model.portState(port)), " ", this.link("ports", port.id), " at ", named(visible(port.interfaceName))]), "None.")),
      model.node && agent && model.node.hostId === host.id && model.node.problems.length ? this.section("Problems", this.listed(model.node.problems.map((each) => visible(each)), "")) : null,
      this.asked("Interfaces", `hosts/${host.id}/interfaces`, (all) => this.listed(all.map((each) => [named(visible(each.name)), el("span", { class: "muted" }, ` ${each.mac ?? ""} ${each.status & 2 ? "carrier" : each.status & 1 ? "up, no carrier" : "down"}`)]), "None is known while its agent is away.")),
    ];
  }

  tunnel_zones(zone) {
    const members = [...(this.model.zoneHosts.get(zone.id) ?? [])];
    return [
      this.facts([["Type", visible(zone.type)], ...this.common(zone)]),
      this.section(`Hosts (${count(members.length)})`, this.listed(members.map(([host, address]) => [this.link("hosts", host), " ", el("code", {}, visible(address))]), "None.")),
    ];
  }

  events(id) {
    const own = this.model.history.filter((each) => each.concerns.has(id)).slice(0, EVENTS);
    return this.section("What happened", own.length ? el("ul", { class: "plain" }, own.map((each) => this.change(each))) : el("p", { class: "muted" }, "Nothing since this page was opened."));
  }
}

