// A trace as a numbered way through the picture, with what becomes of the packet at its end.
import { replace, svg } from "./dom.js";
import { shownAs } from "./graph.js";
import { shortenTo, visible } from "./text.js";

// The boxes that a packet passes, one after the other. Of packets that it causes there is only the list.
export function hopsOf(trace, graph, model) {
  const hops = [];
  const pass = (id, step) => {
    const shown = id && shownAs(graph, model, id);
    if (!shown) return;
    if (hops.at(-1)?.id === shown) hops.at(-1).steps.push(step);
    else hops.push({ id: shown, steps: [step] });
  };
  pass(trace.portId, -1);
  trace.steps.forEach((step, at) => {
    if (step.depth === 0 && step.deviceId && step.deviceType !== "chain") pass(step.deviceId, at);
  });
  return hops;
}

// On the upper edge of a card, at its right.
function outcomeBadge(trace, box, layer) {
  const dropped = trace.outcome === "drop";
  const text = shortenTo(dropped ? `dropped: ${visible(trace.dropReason).replace(/_/g, " ")}` : trace.outputs.length ? `to ${trace.outputs.map(visible).join(", ")}` : visible(trace.outcome), 230, 600, 13);
  const label = svg("text", { x: 27, y: 17 }, text);
  const badge = svg("g", { class: `outcome ${dropped ? "drop" : "pass"}` }, label);
  layer.append(badge);
  const width = label.getComputedTextLength() + 40;
  const sign = dropped ? svg("path", { class: "cross", d: "M11 9l8 8M19 9l-8 8" }) : svg("path", { class: "cross", d: "M10 13l4 4 7-8" });
  badge.prepend(svg("rect", { width, height: 26, rx: 13 }), sign);
  badge.setAttribute("transform", `translate(${Math.max(box.x + box.w - width + 8, box.x + 16)} ${box.y - 15})`);
}

export function drawTrace(picture) {
  const { trace, graph, boxes, layers } = picture;
  for (const element of picture.drawn.values()) element.classList.remove("hop");
  if (!trace || !graph) return replace(layers.trace);
  const hops = hopsOf(trace.answer, graph, trace.model).filter((hop) => boxes.has(hop.id));
  const middle = (id) => ({ x: boxes.get(id).x + boxes.get(id).w / 2, y: boxes.get(id).y + Math.min(boxes.get(id).h, 58) / 2 });
  const drawn = [];
  for (let at = 1; at < hops.length; at += 1) drawn.push(segment(picture, hops[at - 1].id, hops[at].id, middle));
  const numbers = new Map(); // a box that is passed twice has two numbers
  hops.forEach((hop, at) => numbers.set(hop.id, [...(numbers.get(hop.id) ?? []), at + 1]));
  for (const [id, passed] of numbers) {
    picture.drawn.get(id)?.classList.add("hop");
    const box = boxes.get(id);
    const text = passed.join(", ");
    const width = Math.max(24, text.length * 8 + 12);
    drawn.push(svg("g", { class: "number", transform: `translate(${box.x - 12} ${box.y - 12})` },
      svg("rect", { width, height: 24, rx: 12 }), svg("text", { x: width / 2, y: 16.5, "text-anchor": "middle" }, text)));
  }
  replace(layers.trace, drawn);
  if (!hops.length) return;
  const last = hops.at(-1).id;
  outcomeBadge(trace.answer, boxes.get(graph.nodes.get(last).device ?? last), layers.trace);
}

// Along the line that is there; within a card, and where no line is, straight.
function segment(picture, from, to, middle) {
  const card = (id) => picture.graph.nodes.get(id).device ?? id;
  const [one, other] = [card(from), card(to)];
  const key = one < other ? `${one} ${other}` : `${other} ${one}`;
  if (one !== other && picture.graph.edges.has(key)) {
    const [upper, lower] = picture.inOrder([one, other]);
    return svg("path", { class: "way", d: picture.curve(upper, lower) });
  }
  const [a, b] = [middle(from), middle(to)];
  return one === other ? null : svg("path", { class: "way", d: `M${a.x} ${a.y}L${b.x} ${b.y}` });
}
