// The picture in words: the same objects as headings and lists, for who reads with a screen reader, or rather reads.
import { el, named, renew, replace } from "./dom.js";
import { stateBadge } from "./icons.js";
import { STATE_WORDS } from "./model.js";
import { count, plural, visible } from "./text.js";

const MOST = 100; // ports of a device, until somebody asks for more

export class Outline {
  constructor(root, model, { open }) {
    Object.assign(this, { root, model, open });
    this.whole = new Set(); // devices of which all ports are shown
    this.unfolded = new Map(); // by id
    this.filter = "";
    this.body = el("div", {});
    const input = el("input", { id: "filter", type: "search", autocomplete: "off", on: { input: (event) => this.find(event.target.value) } });
    replace(root, el("div", { class: "field" }, el("label", { for: "filter" }, "Find by name"), input), this.body);
  }

  find(text) {
    this.filter = text.trim().toLowerCase();
    this.render();
  }

  fits(...names) {
    return !this.filter || names.some((name) => name.toLowerCase().includes(this.filter));
  }

  button(kind, id) {
    return el("button", { type: "button", class: "link", "data-open": id, on: { click: () => this.open(id) } }, named(this.model.name(kind, id)));
  }

  status(word) {
    return el("span", { class: `status ${word}` }, stateBadge(word), STATE_WORDS[word]);
  }

  port(port) {
    const { model } = this;
    const peer = port.peerId && model.get("ports", port.peerId);
    const to = peer ? [" to ", this.deviceName(peer)] : port.hostId ? [` at ${visible(port.interfaceName)} on `, named(model.name("hosts", port.hostId))] : null;
    return el("li", {}, this.status(model.portState(port)), " ", this.button("ports", port.id), to);
  }

  deviceName(port) {
    return named(this.model.name(port.type === "Bridge" ? "bridges" : "routers", port.deviceId));
  }

  device(kind, document_) {
    const { model } = this;
    const name = model.name(kind, document_.id);
    const all = model.portsOf.get(document_.id) ?? [];
    const ports = this.filter && !this.fits(name) ? all.filter((port) => this.fits(model.name("ports", port.id), port.interfaceName ?? "")) : all;
    if (this.filter && !this.fits(name) && !ports.length) return null;
    const most = this.whole.has(document_.id) ? ports.length : MOST;
    const open = this.unfolded.get(document_.id) ?? (Boolean(this.filter) || all.length <= 12);
    const more = ports.length > most ? el("button", { type: "button", class: "second", on: { click: () => (this.whole.add(document_.id), this.render()) } }, `Show all ${count(ports.length)}`) : null;
    const list = el("details", { open, on: { toggle: (event) => this.unfolded.set(document_.id, event.target.open) } }, el("summary", {}, plural(all.length, "port")), el("ul", { class: "plain" }, ports.slice(0, most).map((port) => this.port(port))), more);
    return el("li", {}, el("h4", {}, this.button(kind, document_.id), " ", this.status(document_.adminStateUp === false ? "disabled" : "up")), all.length ? list : el("p", { class: "muted" }, "no ports"));
  }

  group(title, items) {
    if (!items.length) return null;
    return el("section", {}, el("h3", {}, `${title} (${count(items.length)})`), el("ul", { class: "tree" }, items));
  }

  render() {
    const { model } = this;
    const devices = (kind) => model.sorted(kind).map((each) => this.device(kind, each)).filter(Boolean);
    const named_ = (kind, make) => model.sorted(kind).filter((each) => this.fits(model.name(kind, each.id))).map(make);
    const groups = [
      this.group("Routers", devices("routers")),
      this.group("Bridges", devices("bridges")),
      this.group("Load balancers", named_("load_balancers", (each) => el("li", {}, this.button("load_balancers", each.id), " ", this.status(each.adminStateUp === false ? "disabled" : "up")))),
      this.group("Hosts", named_("hosts", (each) => el("li", {}, this.button("hosts", each.id), " ", this.status(each.alive ? "alive" : "away")))),
      this.group("Tunnel zones", named_("tunnel_zones", (each) => el("li", {}, this.button("tunnel_zones", each.id), el("span", { class: "muted" }, ` ${visible(each.type)}, ${plural(model.zoneHosts.get(each.id)?.size ?? 0, "host")}`)))),
    ].filter(Boolean);
    renew(this.body, groups.length ? groups : el("p", { class: "muted" }, this.filter ? "Nothing has such a name." : "There is nothing yet."));
  }
}
