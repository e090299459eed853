// The form of a trace: from fields to the words that GET ports/{id}/trace takes, and its answer as a list.
import { byId, el, named, replace } from "./dom.js";
import { hopsOf } from "./path.js";
import { visible } from "./text.js";

const WORDS = ["to", "from", "sport", "dport", "ttl", "vlan", "smac", "dmac"];
const WITH_PORTS = new Set(["tcp", "udp", "sctp"]);

// "tcp to 10.0.2.10 dport 80": what is empty is left out, and what the kind does not have.
export function packetWords(kind, fields) {
  const words = [kind];
  for (const name of WORDS) {
    const value = (fields[name] ?? "").trim();
    if (!value || (!WITH_PORTS.has(kind) && (name === "sport" || name === "dport"))) continue;
    words.push(name === "to" && (kind === "arp" || kind === "nd") ? "for" : name, value);
  }
  return words.join(" ");
}

export class Tracing {
  // drawn(answer or null): for the picture; graph(): the picture's; open(id): a story.
  constructor(root, model, session, { drawn, graph, open, say }) {
    Object.assign(this, { root, model, session, drawn, graph, open, say });
    this.form = byId("trace-form");
    this.result = byId("trace-result");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
    this.form.elements.kind.addEventListener("change", () => this.suit());
    byId("trace-clear").addEventListener("click", () => this.clear());
    this.suit();
  }

  // Ports are for what has ports.
  suit() {
    const has = WITH_PORTS.has(this.form.elements.kind.value);
    for (const name of ["sport", "dport"]) this.form.elements[name].disabled = !has;
  }

  // Ports where a packet can enter: those that are bound to a host, whichever, as the node has that one asked.
  render() {
    const { model } = this;
    const note = byId("trace-note");
    const { node, nodeRefused } = model;
    note.textContent = visible(nodeRefused);
    note.hidden = !note.textContent;
    this.form.hidden = Boolean(note.textContent);
    const select = this.form.elements.port;
    const place = (port) => (port.hostId === node?.hostId ? "" : ` on ${model.name("hosts", port.hostId)}`);
    const ports = model.sorted("ports").filter((port) => port.hostId).map((port) => ({ id: port.id, name: model.name("ports", port.id) + place(port), active: port.active }));
    const looks = JSON.stringify(ports);
    if (select.looks === looks) return;
    select.looks = looks;
    const chosen = this.wanted ?? select.value;
    replace(select, ports.length ? null : el("option", { value: "" }, "no port is bound to a host"), ports.map((port) => el("option", { value: port.id }, port.active ? port.name : `${port.name} (not active)`)));
    if (ports.some((port) => port.id === chosen)) select.value = chosen;
    this.wanted = null;
  }

  from(port) {
    this.wanted = port;
    this.form.elements.port.value = port;
    this.form.elements.to.focus();
  }

  async run() {
    const fields = Object.fromEntries(new FormData(this.form));
    const words = packetWords(fields.kind, fields);
    const button = byId("trace-run");
    if (!fields.port) return this.fail("Choose the port where the packet enters.");
    button.disabled = true;
    try {
      const answer = await this.session.get(`ports/${encodeURIComponent(fields.port)}/trace?packet=${encodeURIComponent(words)}`);
      this.show(answer);
    } catch (problem) {
      this.fail(problem.message);
    } finally {
      button.disabled = false;
    }
  }

  fail(message) {
    this.drawn(null);
    replace(this.result, el("p", { class: "note bad", role: "alert" }, visible(message)));
  }

  clear() {
    this.drawn(null);
    replace(this.result);
  }

  show(answer) {
    this.drawn(answer);
    const numbers = new Map();
    hopsOf(answer, this.graph(), this.model).forEach((hop, at) => hop.steps.forEach((step) => numbers.set(step, at + 1)));
    const dropped = answer.outcome === "drop";
    const verdict = dropped ? `Dropped: ${visible(answer.dropReason).replace(/_/g, " ")}` : answer.outputs.length ? `Forwarded to ${answer.outputs.map(visible).join(", ")}` : visible(answer.outcome);
    let last = null;
    const line = (step, at) => {
      const number = numbers.get(at);
      const badge = number && number !== last ? el("span", { class: "hop-number" }, el("span", { class: "unseen" }, "Hop "), String(number)) : null;
      last = number ?? last;
      const device = step.deviceId && this.model.kindOf(step.deviceId) ? el("button", { type: "button", class: "link", on: { click: () => this.open(step.deviceId) } }, named(visible(step.deviceName))) : step.deviceName ? named(visible(step.deviceName)) : null;
      return el("li", { class: `step${step.depth ? " caused" : ""}${step.stage === "drop" ? " drop" : ""}` }, badge,
        el("span", { class: "what" }, el("span", { class: "stage" }, step.stage.replace(/_/g, " ")), device ? [" ", device] : null, step.detail && step.detail !== step.deviceName ? el("span", { class: "detail" }, visible(step.detail)) : null));
    };
    replace(this.result,
      el("h3", { tabindex: -1, id: "verdict", class: dropped ? "drop" : "pass" }, verdict),
      el("p", { class: "muted" }, visible(answer.packet), answer.hostName ? [", as host ", named(visible(answer.hostName)), " has it"] : null),
      el("ol", { class: "steps" }, answer.steps.map(line)),
      answer.match ? el("details", {}, el("summary", {}, "The flow that it would make"), el("dl", { class: "facts" }, el("dt", {}, "Match"), el("dd", {}, el("code", {}, visible(answer.match))), el("dt", {}, "Actions"), el("dd", {}, el("code", {}, visible(answer.actions || "none"))))) : null);
    this.say(`Trace: ${verdict}`);
    byId("verdict").focus({ preventScroll: false });
  }
}
