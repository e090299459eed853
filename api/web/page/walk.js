// Through the picture by arrow keys: which box is the next one. Pure.

// Where one can go from a box: [id, "line" or "beside"].
function* reachable(graph, boxes, id, sideways) {
  const node = graph.nodes.get(id);
  const card = node.device ?? id;
  if (node.shape === "card") {
    const strip = `ports:${id}`;
    if (graph.nodes.has(strip)) yield [strip, "line"];
  } else {
    const strip = node.strip ?? id;
    for (const port of graph.nodes.get(strip).ports) yield [port, "line"];
    if (sideways && node.strip) return;
    yield [node.strip ?? card, "line"];
  }
  for (const other of graph.linked.get(card)) yield [other, "line"];
  if (!sideways) return;
  const row = boxes.get(card).y;
  for (const [other, { shape }] of graph.nodes) {
    if (shape === "card" && other !== card && boxes.get(other).y === row) yield [other, "beside"];
  }
}

const anchor = (box) => ({ x: box.x + box.w / 2, y: box.y + Math.min(box.h, 58) / 2 });

// Along the lines that lead that way; sideways also to what stands beside. Null: nothing is there.
export function nextBox(graph, boxes, from, dx, dy) {
  if (!graph.nodes.has(from)) return null;
  const here = anchor(boxes.get(from));
  let best = null;
  for (const [id, kind] of reachable(graph, boxes, from, dx !== 0)) {
    const there = anchor(boxes.get(id));
    const along = (there.x - here.x) * dx + (there.y - here.y) * dy;
    const across = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
    if (along <= 1) continue;
    const cost = along + across * (dx ? 3 : 1) + (kind === "line" ? 0 : 40);
    if (!best || cost < best.cost) best = { id, cost };
  }
  return best?.id ?? null;
}
