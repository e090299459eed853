// Names and numbers as people read them.

// What would not be seen, or would change how its surroundings are read: control characters, directions of writing, what has
// no width, private use, tags. Shown as their code, so that two names that differ look different.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u2028\u2029\u115f\u1160\u3164\uffa0\u{fe00}-\u{fe0f}]/gu;
const STACKED = /(\p{M}{3})\p{M}+/gu; // accents upon accents, which would run over other lines
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export function visible(text) {
  return String(text ?? "")
    .replace(UNSEEN, (sign) => `‹${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`)
    .replace(STACKED, "$1…");
}

// The longest beginning that `fits`, with an ellipsis; never half of a sign.
export function shorten(text, fits) {
  if (fits(text)) return text;
  const parts = [...graphemes.segment(text)].map((part) => part.segment);
  let [least, most] = [0, parts.length - 1];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (fits(parts.slice(0, middle).join("") + "…")) least = middle;
    else most = middle - 1;
  }
  return parts.slice(0, least).join("").trimEnd() + "…";
}

// As wide as the picture shows it, in its own units.
const pen = document.createElement("canvas").getContext("2d");
export function shortenTo(text, width, weight, size) {
  pen.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return shorten(text, (part) => pen.measureText(part).width <= width);
}

export const shortId = (id) => String(id ?? "").slice(0, 8);

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

function scaled(value, unit, step, prefixes) {
  let at = 0;
  while (value >= step && at < prefixes.length - 1) {
    value /= step;
    at += 1;
  }
  const digits = at === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${prefixes[at]}${unit}`;
}
export const bits = (perSecond) => scaled(perSecond, "bit/s", 1000, ["", "k", "M", "G", "T"]);
export const packets = (perSecond) => scaled(perSecond, "/s", 1000, ["", "k", "M", "G"]);
export const bytes = (count) => scaled(count, "B", 1024, ["", "Ki", "Mi", "Gi", "Ti"]);
export const count = (value) => Number(value).toLocaleString("en");

export function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export const clock = (date) => date.toLocaleTimeString("en-GB");
