// Where everything is: rows from the outside of the network down to its hosts, and no two boxes in one place. The same graph
// always gives the same picture, and a changed one keeps the order that people have seen.
export const CARD = { width: 208, height: 58 };
export const STRIP = { height: 30, pad: 8 };
export const CHIP = { width: 108, height: 26, gap: 6 };
const GAP = { x: 36, y: 78, line: 44 };
const SWEEPS = 6;
const SHORT = 8; // boxes of a row that stays one, where there is room

const isDevice = (node) => node.shape === "card" && ["routers", "bridges", "load_balancers"].includes(node.kind);

// How far each device is from where the network begins: routers with ports of their own to the outside, or else the one that
// has most links to others, island by island.
function ranksOf(graph) {
  const devices = [...graph.nodes.values()].filter(isDevice);
  const near = (id) => [...graph.linked.get(id)].filter((other) => isDevice(graph.nodes.get(other)));
  const ranks = new Map();
  const spread = (roots) => {
    let front = roots.filter((id) => !ranks.has(id));
    front.forEach((id) => ranks.set(id, 0));
    while (front.length) {
      const next = [];
      for (const id of front) {
        for (const other of near(id)) {
          if (ranks.has(other)) continue;
          ranks.set(other, ranks.get(id) + 1);
          next.push(other);
        }
      }
      front = next;
    }
  };
  const routers = devices.filter((node) => node.kind === "routers");
  spread(routers.filter((node) => graph.nodes.has(`ports:${node.id}`)).map((node) => node.id));
  const routersNear = (id) => near(id).filter((other) => graph.nodes.get(other).kind === "routers").length;
  const byLinks = (one, other) => routersNear(other.id) - routersNear(one.id) || near(other.id).length - near(one.id).length;
  for (const node of [...routers].sort(byLinks)) spread([node.id]);
  const bridgeRank = routers.length ? 1 : 0;
  for (const node of devices) {
    if (!ranks.has(node.id)) ranks.set(node.id, node.kind === "load_balancers" ? 0 : bridgeRank);
  }
  return ranks;
}

// A device's card with its strip: how large, and where the parts are within.
function sizeOf(graph, node) {
  const strip = graph.nodes.get(`ports:${node.id}`);
  const size = { w: CARD.width, h: CARD.height, parts: [] };
  if (!strip) return size;
  const chips = strip.ports.length;
  const columns = chips ? Math.min(chips, Math.max(2, Math.ceil(Math.sqrt(chips * 0.55)))) : 0;
  const rows = chips ? Math.ceil(chips / columns) : 0;
  size.w = Math.max(size.w, columns * (CHIP.width + CHIP.gap) - CHIP.gap + 2 * STRIP.pad);
  const inner = STRIP.height + (rows ? rows * (CHIP.height + CHIP.gap) - CHIP.gap + STRIP.pad : 0);
  size.h = CARD.height + inner;
  size.parts.push({ id: strip.id, x: 0, y: CARD.height, w: size.w, h: inner });
  const left = (size.w - (columns * (CHIP.width + CHIP.gap) - CHIP.gap)) / 2;
  strip.ports.forEach((id, at) => {
    const x = left + (at % columns) * (CHIP.width + CHIP.gap);
    const y = CARD.height + STRIP.height + Math.floor(at / columns) * (CHIP.height + CHIP.gap);
    size.parts.push({ id, x, y, w: CHIP.width, h: CHIP.height });
  });
  return size;
}

// The least movement from where each would like to be, in this order and without overlap: isotonic regression by pools of
// neighbours (pool adjacent violators).
function spreadOut(boxes, wishes) {
  let offset = 0;
  const offsets = boxes.map((box, at) => (at === 0 ? 0 : (offset += (boxes[at - 1].w + box.w) / 2 + GAP.x)));
  const pools = [];
  boxes.forEach((box, at) => {
    pools.push({ sum: wishes[at] - offsets[at], count: 1 });
    while (pools.length > 1 && pools.at(-2).sum / pools.at(-2).count >= pools.at(-1).sum / pools.at(-1).count) {
      const last = pools.pop();
      pools.at(-1).sum += last.sum;
      pools.at(-1).count += last.count;
    }
  });
  let at = 0;
  for (const pool of pools) {
    for (let i = 0; i < pool.count; i += 1, at += 1) boxes[at].cx = pool.sum / pool.count + offsets[at];
  }
}

// Boxes in a grid that moves as one.
function block(boxes, columns) {
  const cell = Math.max(...boxes.map((box) => box.w));
  const lines = [];
  for (let at = 0; at < boxes.length; at += columns) lines.push(boxes.slice(at, at + columns));
  const heights = lines.map((line) => Math.max(...line.map((box) => box.h)));
  const used = Math.min(columns, boxes.length);
  return { lines, cell, heights, w: used * (cell + GAP.x) - GAP.x + GAP.x / 2, h: heights.reduce((sum, height) => sum + height + GAP.line, -GAP.line) };
}

// The boxes of a block move along with it.
function follow(unit) {
  for (const line of unit.lines ?? []) {
    line.forEach((box, at) => (box.cx = unit.cx - unit.w / 2 + GAP.x / 4 + unit.cell / 2 + at * (unit.cell + GAP.x)));
  }
}

const widthOf = (units) => units.reduce((sum, unit) => sum + unit.w + GAP.x, -GAP.x);

// A row that would be much wider than the place breaks: what has the same box above stands together, in columns, and when that
// is too wide, too, in several lines of such blocks.
function linesOf(row, widest, shortest, parentOf) {
  if (row.length <= shortest || widthOf(row) <= widest) return [row];
  const groups = [...Map.groupBy(row, parentOf).values()];
  const columns = groups.map(() => 1);
  const units = () => groups.map((group, at) => block(group, columns[at]));
  for (;;) {
    // The highest ones get another column, all of them or none.
    const heights = units().map((unit) => unit.h);
    const highest = Math.max(...heights);
    const more = columns.map((number, at) => (heights[at] === highest && number < groups[at].length ? number + 1 : number));
    const before = columns.splice(0, columns.length, ...more);
    if (more.every((number, at) => number === before[at])) break;
    if (widthOf(units()) > widest) {
      columns.splice(0, columns.length, ...before);
      break;
    }
  }
  const lines = [[]];
  for (const unit of units()) {
    if (lines.at(-1).length && widthOf([...lines.at(-1), unit]) > widest) lines.push([]);
    lines.at(-1).push(unit);
  }
  return lines;
}

function rowsOf(graph, previous) {
  const ranks = ranksOf(graph);
  const deepest = Math.max(-1, ...ranks.values());
  const rows = [];
  for (const node of graph.nodes.values()) {
    if (node.shape !== "card") continue;
    const rank = node.kind === "hosts" ? deepest + 1 : node.kind === "tunnel_zones" ? deepest + 2 : ranks.get(node.id);
    (rows[rank] ??= []).push({ id: node.id, rank, isHost: node.kind === "hosts", ...sizeOf(graph, node) });
  }
  return rows.filter((row) => row?.length).map((row) => (previous ? asBefore(row, previous.boxes) : row));
}

// In the order that it had; what is new stands behind what it follows by name.
function asBefore(row, boxes) {
  const place = (box) => boxes.get(box.id);
  const order = row.filter(place).sort((one, other) => place(one).y - place(other).y || place(one).x - place(other).x);
  row.forEach((box, at) => {
    if (!place(box)) order.splice(at === 0 ? 0 : order.indexOf(row[at - 1]) + 1, 0, box);
  });
  return order;
}

const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

// Where a box would like to be: below those above it that it is linked with, or above those below.
function wishes(near) {
  const among = (box, fits) => near.get(box).filter(fits).map((other) => other.cx);
  const or = (numbers, box) => (numbers.length ? mean(numbers) : box.cx);
  return {
    down: (box) => or(among(box, (other) => other.rank < box.rank), box),
    up: (box) => or(among(box, (other) => other.rank > box.rank && !other.isHost), box),
  };
}

// Sweeps up and down: each row in the order of what its boxes are linked with, as if it were one long line.
function arrange(rows, near) {
  const { up, down } = wishes(near);
  for (const row of rows) spreadOut(row, row.map(() => 0));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const [wish, order] = sweep % 2 ? [down, rows] : [up, [...rows].reverse()];
    for (const row of order) {
      const wanted = new Map(row.map((box) => [box, wish(box)]));
      const was = new Map(row.map((box, index) => [box, index]));
      row.sort((one, other) => wanted.get(one) - wanted.get(other) || was.get(one) - was.get(other));
      spreadOut(row, row.map((box) => wanted.get(box)));
    }
  }
}

// Lines one above the other, each in the middle, or below and above what its boxes are linked with.
function settle(rows, { width, short }, near) {
  const { up, down } = wishes(near);
  const parentOf = (box) => near.get(box).find((other) => other.rank < box.rank)?.id ?? null;
  const lines = rows.map((row) => linesOf(row, width, short, parentOf));
  for (const line of lines.flat()) {
    spreadOut(line, line.map(() => 0));
    const middle = (line[0].cx - line[0].w / 2 + line.at(-1).cx + line.at(-1).w / 2) / 2;
    for (const unit of line) {
      unit.cx -= middle;
      follow(unit);
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const [wish, order] = sweep % 2 ? [down, lines] : [up, [...lines].reverse()];
    for (const row of order) {
      if (row.length > 1) continue;
      spreadOut(row[0], row[0].map((unit) => (unit.lines ? mean(unit.lines.flat().map(wish)) : wish(unit))));
      row[0].forEach(follow);
    }
  }
  return lines;
}

// As wide as lets everything be seen largest; as wide as before, while there is about as much.
function shapeFor(rows, near, aspect, previous) {
  const area = rows.flat().reduce((sum, box) => sum + (box.w + GAP.x) * (box.h + GAP.y), 0);
  if (previous && area > previous.shape.area * 0.7 && area < previous.shape.area * 1.4) return previous.shape;
  const short = aspect > 1 ? SHORT : 2;
  let best = null;
  for (let width = Math.max(CARD.width, ...rows.map(widthOf)); width > 3 * CARD.width || !best; width *= 0.8) {
    const { bounds } = place(settle(rows, { width, short }, near));
    const size = Math.max(bounds.w / aspect, bounds.h);
    if (!best || size < best.size * 0.97) best = { size, width };
  }
  return { width: best.width, short, area };
}

// previous: what this answered for the picture before, or null. aspect: of where it is shown, width by height. Answers boxes by
// id {x, y, w, h}, the whole picture's bounds, and the shape of its rows.
export function layout(graph, previous, aspect) {
  const rows = rowsOf(graph, previous);
  const boxes = new Map(rows.flat().map((box) => [box.id, box]));
  const near = new Map([...boxes.values()].map((box) => [box, [...graph.linked.get(box.id)].map((id) => boxes.get(id)).filter((other) => other && other.rank !== box.rank)]));
  if (!previous) arrange(rows, near);
  const shape = shapeFor(rows, near, aspect, previous);
  return { ...place(settle(rows, shape, near)), shape };
}

function place(lines) {
  const placed = new Map();
  const put = (box, x, y) => {
    placed.set(box.id, { x: Math.round(x), y: Math.round(y), w: box.w, h: box.h });
    for (const part of box.parts) placed.set(part.id, { x: Math.round(x) + part.x, y: Math.round(y) + part.y, w: part.w, h: part.h });
  };
  let top = 0;
  for (const row of lines) {
    row.forEach((line, at) => {
      if (at > 0) top += GAP.line - GAP.y;
      for (const unit of line) {
        let y = top;
        (unit.lines ?? [[unit]]).forEach((inner, index) => {
          for (const box of inner) put(box, box.cx - box.w / 2, y);
          y += (unit.heights?.[index] ?? 0) + GAP.line;
        });
      }
      top += Math.max(...line.map((unit) => unit.h)) + GAP.y;
    });
  }
  const all = [...placed.values()];
  const left = Math.min(0, ...all.map((box) => box.x));
  const right = Math.max(0, ...all.map((box) => box.x + box.w));
  return { boxes: placed, bounds: { x: left, y: 0, w: Math.max(right - left, 1), h: Math.max(top - GAP.y, 1) } };
}
