// What this node counts, as rates: ports, and packets that were dropped. Between two readings of GET node_status.
import { el, named, renew, svg } from "./dom.js";
import { bits, count, duration, packets, plural, visible } from "./text.js";

const SHOWN = 25;
const KEPT = 60; // readings, of the line

export class Traffic {
  constructor(root, model, { open }) {
    Object.assign(this, { root, model, open });
    this.before = null;
    this.rates = new Map(); // port -> rates per second
    this.drops = new Map(); // reason -> packets per second
    this.line = []; // packets per second that ports received, the oldest first
    this.all = false;
  }

  reset() {
    this.before = null;
    this.rates.clear();
    this.drops.clear();
    this.line = [];
  }

  // After each reading of the node's status.
  take() {
    const { node, nodeAt } = this.model;
    if (!node?.ports) return;
    const before = this.before;
    if (before?.at === nodeAt) return;
    const ports = new Map(node.ports.map((each) => [each.portId, each]));
    const drops = new Map(node.drops.map((each) => [each.reason, each.packets]));
    if (before && before.uptime <= node.upSeconds) {
      const seconds = (nodeAt - before.at) / 1000;
      const rate = (now, then) => Math.max(0, (now - (then ?? 0)) / seconds);
      this.rates.clear();
      for (const [id, now] of ports) {
        const then = before.ports.get(id);
        if (!then) continue;
        this.rates.set(id, Object.fromEntries(["rxPackets", "txPackets", "rxBytes", "txBytes", "upcalls", "upcallsLost"].map((name) => [name, rate(now[name], then[name])])));
      }
      this.drops = new Map([...drops].map(([reason, now]) => [reason, rate(now, before.drops.get(reason))]));
      this.line.push([...this.rates.values()].reduce((sum, each) => sum + each.rxPackets, 0));
      if (this.line.length > KEPT) this.line.shift();
    } else {
      this.reset();
    }
    this.before = { at: nodeAt, uptime: node.upSeconds, ports, drops };
  }

  render() {
    const { node, nodeRefused } = this.model;
    if (nodeRefused) return renew(this.root, el("p", { class: "note" }, visible(nodeRefused)));
    if (!node) return renew(this.root, el("p", { class: "muted" }, "Asking…"));
    if (!node.ports) {
      return renew(this.root, el("p", { class: "note" }, named(visible(node.hostName)), " has the cluster role only, and forwards nothing: it has no counters of traffic. Each host's agent counts its own. Ask there: “viaduct status”, or its /metrics."));
    }
    renew(this.root,
      el("p", { class: "muted" }, "Counted by ", named(visible(node.hostName)), `, which is up for ${duration(node.upSeconds)} and has ${plural(node.flows, "flow")}. Other hosts count their own: “viaduct status” there.`),
      this.total(), this.ports(node), this.dropped(node), this.problems(node));
  }

  total() {
    const now = this.line.at(-1) ?? 0;
    const most = Math.max(...this.line, 1);
    const points = this.line.map((each, at) => `${(300 - (this.line.length - 1 - at) * (300 / (KEPT - 1))).toFixed(1)},${(44 - (each / most) * 40).toFixed(1)}`).join(" ");
    const said = `Received by all ports: ${packets(now)} now, at most ${packets(Math.max(...this.line, 0))}`;
    return el("figure", { class: "line" }, svg("svg", { viewBox: "0 0 300 48", role: "img", "aria-label": said, preserveAspectRatio: "none" }, svg("path", { class: "base", d: "M0 44.5H300" }), points && svg("polyline", { points })), el("figcaption", {}, said));
  }

  ports(node) {
    const rateOf = (port) => this.rates.get(port.portId);
    const sum = (port) => (rateOf(port)?.rxBytes ?? 0) + (rateOf(port)?.txBytes ?? 0);
    const sorted = [...node.ports].sort((one, other) => sum(other) - sum(one) || visible(one.name).localeCompare(visible(other.name), "en", { numeric: true }));
    const shown = this.all ? sorted : sorted.slice(0, SHOWN);
    const cell = (port, text) => el("td", {}, rateOf(port) ? text(rateOf(port)) : "–");
    const row = (port) => el("tr", {},
      el("th", { scope: "row" }, el("button", { type: "button", class: "link", "data-port": port.portId, on: { click: () => this.open(port.portId) } }, named(visible(port.name || port.interfaceName)))),
      cell(port, (rate) => packets(rate.rxPackets)), cell(port, (rate) => bits(rate.rxBytes * 8)), cell(port, (rate) => packets(rate.txPackets)), cell(port, (rate) => bits(rate.txBytes * 8)));
    const more = sorted.length > SHOWN ? el("button", { type: "button", class: "second", on: { click: () => ((this.all = !this.all), this.render()) } }, this.all ? "Show fewer" : `Show all ${count(sorted.length)}`) : null;
    return el("section", {}, el("h3", {}, "Ports"), sorted.length
      ? [el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rates of ports" }, el("table", {}, el("thead", {}, el("tr", {}, ["Port", "In", "In", "Out", "Out"].map((title, at) => el("th", { scope: "col" }, title, el("span", { class: "unit" }, ["", " packets", " bits", " packets", " bits"][at]))))), el("tbody", {}, shown.map(row)))), more]
      : el("p", { class: "muted" }, "No port is bound to this host."));
  }

  dropped(node) {
    const sorted = [...node.drops].sort((one, other) => other.packets - one.packets);
    const row = (drop) => el("tr", {}, el("th", { scope: "row" }, visible(drop.reason).replace(/_/g, " ")), el("td", {}, count(drop.packets)), el("td", {}, this.before && this.drops.has(drop.reason) ? packets(this.drops.get(drop.reason)) : "–"));
    return el("section", {}, el("h3", {}, "Dropped packets"), sorted.length
      ? el("table", {}, el("thead", {}, el("tr", {}, ["Reason", "Altogether", "Now"].map((title) => el("th", { scope: "col" }, title)))), el("tbody", {}, sorted.map(row)))
      : el("p", { class: "muted" }, "None since the daemon started."));
  }

  problems(node) {
    if (!node.problems.length) return null;
    return el("section", {}, el("h3", {}, "Problems"), el("ul", { class: "plain" }, node.problems.map((each) => el("li", {}, visible(each)))));
  }
}
