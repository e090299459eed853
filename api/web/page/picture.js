// The picture: boxes and lines as SVG, what part of it is seen, and walking through it by keys.
import { replace, svg } from "./dom.js";
import { kindSign, stateSign } from "./icons.js";
import { layout } from "./layout.js";
import { drawTrace } from "./path.js";
import { shortenTo } from "./text.js";
import { nextBox } from "./walk.js";

const ZOOM = { least: 0.05, most: 3, step: 1.25 };
const MARGIN = 28;
const MOST_BINDINGS = 12; // lines to hosts; beyond that only those of what is chosen

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

export class Picture {
  // open(id): somebody wants to know more; toggle(device): of the ports, one by one or together.
  constructor(root, { open, toggle }) {
    Object.assign(this, { root, open, toggle });
    this.view = { x: 0, y: 0, k: 1 };
    this.moved = false; // by the user: then it stays where it is
    this.drawn = new Map(); // id -> element
    this.current = null; // where the keys are
    this.selected = null;
    this.trace = null;
    this.layers = Object.fromEntries(["edges", "nodes", "trace"].map((name) => [name, svg("g", { class: name })]));
    this.scene = svg("g", {}, this.layers.edges, this.layers.nodes, this.layers.trace);
    replace(root, this.scene);
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.grab(event));
    root.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.resized()).observe(root);
  }

  // Rows for a wide place are none for a high one.
  resized() {
    const { width, height } = this.root.getBoundingClientRect();
    if (this.graph && width && height && this.aspect && Math.abs(Math.log(clamp(width / height, 0.6, 2) / this.aspect)) > 0.35) {
      this.aspect = undefined;
      this.placed = null;
      this.show(this.graph);
    }
    if (!this.moved) this.fit();
  }

  show(graph) {
    const focused = this.layers.nodes.contains(document.activeElement);
    const same = this.graph && this.graph.nodes.size === graph.nodes.size && [...graph.nodes.keys()].every((id) => this.graph.nodes.has(id));
    this.graph = graph;
    const { width, height } = this.root.getBoundingClientRect();
    if (width && height) this.aspect ??= clamp(width / height, 0.6, 2);
    const placed = layout(graph, this.placed ?? null, this.aspect ?? 1.3);
    this.placed = placed;
    this.boxes = placed.boxes;
    this.bounds = placed.bounds;
    this.drawEdges();
    this.drawNodes();
    this.drawPath();
    if (!this.moved && !same) this.fit();
    if (!graph.nodes.has(this.current)) this.current = graph.nodes.keys().next().value ?? null;
    this.rove();
    if (focused && this.current) this.drawn.get(this.current)?.focus({ preventScroll: true });
  }

  // --- drawing ---

  drawEdges() {
    const all = [...this.graph.edges.values()];
    this.crowded = all.filter((edge) => edge.kind === "binding").length > MOST_BINDINGS;
    const chosen = this.selected && (this.graph.nodes.get(this.selected)?.device ?? this.selected);
    const drawn = all.filter((edge) => edge.kind !== "binding" || !this.crowded || edge.ends.includes(chosen));
    replace(this.layers.edges, drawn.map((edge) => this.edge(edge)));
  }

  edge(edge) {
    const [upper, lower] = this.inOrder(edge.ends);
    const d = this.curve(upper, lower);
    const label = edge.count > 1 ? svg("text", { class: "edge-label", ...this.middle(upper, lower), "text-anchor": "middle" }, String(edge.count)) : null;
    // Of bindings the ports say it.
    const sign = edge.kind !== "binding" && (edge.state === "down" || edge.state === "disabled") ? this.edgeSign(edge, upper, lower) : null;
    return svg("g", { class: `edge ${edge.kind} ${edge.state}`, "data-edge": edge.id, "aria-hidden": "true" }, svg("path", { d }), label, sign);
  }

  edgeSign(edge, upper, lower) {
    const { x, y } = this.middle(upper, lower);
    return stateSign(edge.state, x - (edge.count > 1 ? 16 : 0), y - 4);
  }

  inOrder([one, other]) {
    const [a, b] = [this.boxes.get(one), this.boxes.get(other)];
    return a.y < b.y || (a.y === b.y && a.x <= b.x) ? [a, b] : [b, a];
  }

  middle(upper, lower) {
    const side = upper.y === lower.y;
    const from = side ? upper.x + upper.w : upper.x + upper.w / 2;
    const to = side ? lower.x : lower.x + lower.w / 2;
    return { x: (from + to) / 2, y: (side ? upper.y + 29 : (upper.y + upper.h + lower.y) / 2) + 4 };
  }

  curve(upper, lower) {
    if (upper.y === lower.y) {
      const y = upper.y + 29;
      if (lower.x - upper.x - upper.w < 80) return `M${upper.x + upper.w} ${y}H${lower.x}`;
      const [from, to] = [upper.x + upper.w / 2, lower.x + lower.w / 2]; // above what stands between them
      return `M${from} ${upper.y}C${from} ${upper.y - 44} ${to} ${upper.y - 44} ${to} ${upper.y}`;
    }
    const [x1, y1, x2, y2] = [upper.x + upper.w / 2, upper.y + upper.h, lower.x + lower.w / 2, lower.y];
    const bend = Math.max(24, (y2 - y1) / 2);
    return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
  }

  // Elements stay the same while what they show does: the focus, too. A card is there before its strip, and that before its chips.
  drawNodes() {
    const gone = new Set(this.drawn.keys());
    for (const [id, node] of this.graph.nodes) {
      gone.delete(id);
      const box = this.boxes.get(id);
      let element = this.drawn.get(id);
      if (!element) {
        element = svg("g", { "data-id": id, tabindex: -1, role: "button" });
        this.drawn.set(id, element);
      }
      element.setAttribute("transform", `translate(${box.x} ${box.y})`);
      const looks = JSON.stringify([node, box.w, box.h, this.selected === id]);
      if (element.looks !== looks) {
        element.looks = looks;
        element.setAttribute("class", `node ${node.shape} ${node.kind}${this.selected === id ? " selected" : ""}`);
        element.setAttribute("aria-label", node.described);
        if (node.shape === "strip") element.setAttribute("aria-expanded", String(node.expanded));
        replace(element, this.parts(node, box));
      }
      if (!element.isConnected) this.layers.nodes.append(element); // what moves would lose the focus
    }
    for (const id of gone) {
      this.drawn.get(id).remove();
      this.drawn.delete(id);
    }
  }

  parts(node, box) {
    const frame = svg("rect", { class: "frame", width: box.w, height: box.h, rx: node.shape === "chip" ? 5 : 9 });
    if (node.shape === "chip") {
      return [frame, stateSign(node.state, 14, box.h / 2), svg("text", { x: 26, y: box.h / 2 + 4 }, shortenTo(node.label, box.w - 36, 400, 12)), svg("title", {}, node.described)];
    }
    if (node.shape === "strip") {
      // The line that parts it from its card, and a frame that is seen when somebody is there.
      const arrow = svg("path", { class: "arrow", d: node.expanded ? "M10 12l4 5 4-5" : "M11 11l5 4-5 4" });
      const inset = { x: 3, y: 3, width: box.w - 6, height: box.h - 6, rx: 6 };
      return [svg("path", { class: "parting", d: `M0 0H${box.w}` }), svg("rect", { class: "frame", ...inset }), arrow, svg("text", { x: 26, y: 19 }, node.label), svg("text", { class: "sub", x: box.w - 12, y: 19, "text-anchor": "end" }, node.sub), svg("title", {}, node.described)];
    }
    const state = node.state ? [stateSign(node.state, box.w - 18, 41), svg("text", { class: "sub", x: box.w - 30, y: 45, "text-anchor": "end" }, node.state)] : [];
    return [
      frame,
      kindSign(node.kind, 12, 12),
      svg("text", { class: "title", x: 42, y: 25 }, shortenTo(node.label, box.w - 56, 600, 14)),
      svg("text", { class: "sub", x: 42, y: 45 }, node.sub),
      state,
      svg("title", {}, node.described),
    ];
  }

  // --- a trace through it ---

  showTrace(trace) {
    this.trace = trace;
    this.drawPath();
  }

  drawPath() {
    this.root.classList.toggle("traced", this.trace !== null);
    drawTrace(this);
  }

  // --- what is seen ---

  apply() {
    const { x, y, k } = this.view;
    this.scene.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
  }

  fit() {
    if (!this.bounds) return;
    const { width, height } = this.root.getBoundingClientRect();
    if (!width || !height) return;
    const k = clamp(Math.min((width - 2 * MARGIN) / this.bounds.w, (height - 2 * MARGIN) / this.bounds.h), ZOOM.least, 1.15);
    this.view = { k, x: (width - this.bounds.w * k) / 2 - this.bounds.x * k, y: Math.max(MARGIN, (height - this.bounds.h * k) / 2) - this.bounds.y * k };
    this.moved = false;
    this.apply();
  }

  zoom(factor, at) {
    const { width, height } = this.root.getBoundingClientRect();
    const { x, y } = at ?? { x: width / 2, y: height / 2 };
    const k = clamp(this.view.k * factor, ZOOM.least, ZOOM.most);
    const ratio = k / this.view.k;
    this.view = { k, x: x - (x - this.view.x) * ratio, y: y - (y - this.view.y) * ratio };
    this.moved = true;
    this.apply();
  }

  pan(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.moved = true;
    this.apply();
  }

  // So that the box is seen, with what is around it.
  reveal(id) {
    const box = this.boxes?.get(id);
    if (!box) return;
    const { width, height } = this.root.getBoundingClientRect();
    const { k, x, y } = this.view;
    const [left, top, right, bottom] = [x + box.x * k, y + box.y * k, x + (box.x + box.w) * k, y + (box.y + Math.min(box.h, 120)) * k];
    const dx = left < MARGIN ? MARGIN - left : right > width - MARGIN ? Math.max(width - MARGIN - right, MARGIN - left) : 0;
    const dy = top < MARGIN ? MARGIN - top : bottom > height - MARGIN ? Math.max(height - MARGIN - bottom, MARGIN - top) : 0;
    if (dx || dy) this.pan(dx, dy);
  }

  wheel(event) {
    event.preventDefault();
    const { left, top } = this.root.getBoundingClientRect();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * 0.0015), { x: event.clientX - left, y: event.clientY - top });
  }

  // One finger or the mouse moves it, two fingers zoom.
  grab(event) {
    if (event.button !== 0) return;
    this.fingers ??= new Map();
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.dragged = 0;
    const move = (now) => {
      const was = this.fingers.get(now.pointerId);
      if (!was) return;
      const others = [...this.fingers.entries()].filter(([id]) => id !== now.pointerId).map(([, point]) => point);
      const here = { x: now.clientX, y: now.clientY };
      if (others.length) {
        const { left, top } = this.root.getBoundingClientRect();
        const apart = (point) => Math.hypot(point.x - others[0].x, point.y - others[0].y);
        this.zoom(apart(here) / Math.max(apart(was), 1), { x: (here.x + others[0].x) / 2 - left, y: (here.y + others[0].y) / 2 - top });
      } else {
        this.dragged += Math.abs(here.x - was.x) + Math.abs(here.y - was.y);
        if (this.dragged > 4) this.pan(here.x - was.x, here.y - was.y);
      }
      this.fingers.set(now.pointerId, here);
    };
    const drop = (now) => {
      this.fingers.delete(now.pointerId);
      if (this.fingers.size) return;
      for (const [name, handler] of [["pointermove", move], ["pointerup", drop], ["pointercancel", drop]]) window.removeEventListener(name, handler);
      this.grabbing = false;
    };
    if (this.grabbing) return;
    this.grabbing = true;
    for (const [name, handler] of [["pointermove", move], ["pointerup", drop], ["pointercancel", drop]]) window.addEventListener(name, handler);
  }

  click(event) {
    if (this.dragged > 4) return;
    const id = event.target.closest?.(".node")?.getAttribute("data-id");
    if (id) this.enter(id);
  }

  enter(id) {
    this.current = id;
    this.rove();
    this.drawn.get(id)?.focus({ preventScroll: true });
    const node = this.graph.nodes.get(id);
    if (node.shape === "strip") this.toggle(node.device, !node.expanded);
    else this.open(id);
  }

  select(id) {
    this.selected = id;
    if (this.graph) {
      this.drawEdges();
      this.drawNodes();
    }
    if (id && this.drawn.has(id)) {
      this.current = id;
      this.rove();
      this.reveal(id);
    }
  }

  // --- keys ---

  // One box can be reached by Tab: the current one.
  rove() {
    for (const [id, element] of this.drawn) element.setAttribute("tabindex", id === this.current ? "0" : "-1");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const done = () => event.preventDefault();
    if (arrows[event.key]) {
      const [dx, dy] = arrows[event.key];
      if (event.shiftKey) this.pan(-dx * 60, -dy * 60);
      else this.walk(dx, dy);
      return done();
    }
    if (event.key === "+" || event.key === "=") return this.zoom(ZOOM.step), done();
    if (event.key === "-") return this.zoom(1 / ZOOM.step), done();
    if (event.key === "0") return this.fit(), done();
    if (event.key === "Escape") return this.open(null), done();
    if ((event.key === "Enter" || event.key === " ") && this.current) return this.enter(this.current), done();
  }

  walk(dx, dy) {
    const next = nextBox(this.graph, this.boxes, this.current, dx, dy);
    if (!next) return;
    this.current = next;
    this.rove();
    this.drawn.get(next).focus({ preventScroll: true });
    this.reveal(next);
  }
}
