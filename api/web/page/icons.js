// Signs for kinds and states: shapes that differ without their colours.
import { svg } from "./dom.js";

const line = (d) => ["path", { d }];
const KINDS = {
  routers: [["circle", { cx: 10, cy: 10, r: 8 }], line("M6 10h8M11.5 7.5 14 10l-2.5 2.5M10 14V6M7.5 8.5 10 6l2.5 2.5")],
  bridges: [["rect", { x: 2, y: 4, width: 16, height: 12, rx: 2 }], line("M5 8.5h9M12 6.5l2 2-2 2M15 12H6M8 10l-2 2 2 2")],
  load_balancers: [["circle", { cx: 4, cy: 10, r: 2 }], line("M6 10h4M10 10 16 4M10 10h6M10 10l6 6M16 4h2M16 10h2M16 16h2")],
  hosts: [["rect", { x: 2, y: 3, width: 16, height: 6, rx: 1.5 }], ["rect", { x: 2, y: 11, width: 16, height: 6, rx: 1.5 }], line("M5 6h2M5 14h2M12 6h3M12 14h3")],
  tunnel_zones: [line("M2 15V10a8 7 0 0 1 16 0v5M5.5 15v-4.5a4.5 4 0 0 1 9 0V15M1 15h18")],
};

export function kindSign(kind, x, y) {
  return svg("g", { class: "sign", transform: `translate(${x} ${y})`, "aria-hidden": "true" }, (KINDS[kind] ?? []).map(([tag, attributes]) => svg(tag, attributes)));
}

// 12 by 12 around a point.
const STATES = {
  up: ["circle", { r: 5 }],
  alive: ["circle", { r: 5 }],
  down: ["path", { d: "M0-6 6 5H-6Z" }],
  away: ["path", { d: "M0-6 6 5H-6Z" }],
  disabled: ["path", { d: "M-5-5H5V5H-5ZM-2.5 0h5" }],
  unused: ["circle", { r: 4.5 }],
};
export function stateSign(state, x, y) {
  const [tag, attributes] = STATES[state] ?? STATES.unused;
  return svg("g", { class: `state ${state}`, transform: `translate(${x} ${y})`, "aria-hidden": "true" }, svg(tag, attributes));
}

// The same within text.
export function stateBadge(state) {
  return svg("svg", { class: "badge", viewBox: "-7 -7 14 14", width: 14, height: 14, "aria-hidden": "true", focusable: "false" }, stateSign(state, 0, 0));
}
