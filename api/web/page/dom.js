// Elements from text. Whatever a name holds becomes a text node or the value of an attribute; nothing here parses markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

// A name of the operators', set apart from the text around it: its direction of writing ends where it ends.
export const named = (text) => el("bdi", {}, text);

export function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

// New children, unless they are what is there already: focus, selection and scrolling stay.
export function renew(element, ...children) {
  const next = element.cloneNode(false);
  replace(next, ...children);
  if (next.isEqualNode(element)) return;
  const controls = "button, input, select, summary, a, [tabindex]";
  const focused = element.contains(document.activeElement) ? [...element.querySelectorAll(controls)].indexOf(document.activeElement) : -1;
  element.replaceChildren(...next.childNodes);
  if (focused >= 0) element.querySelectorAll(controls)[focused]?.focus({ preventScroll: true });
}
