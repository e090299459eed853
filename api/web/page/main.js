// How the parts of the page are put together: who signs in, what is read when, who hears of what.
import { byId, el, replace } from "./dom.js";
import { Feed } from "./feed.js";
import { graphOf } from "./graph.js";
import { stateBadge } from "./icons.js";
import { Model, STATE_WORDS, WORDS } from "./model.js";
import { Outline } from "./outline.js";
import { Picture } from "./picture.js";
import { Session } from "./session.js";
import { Story } from "./story.js";
import { plural, shortId, visible } from "./text.js";
import { Traffic } from "./traffic.js";
import { Tracing } from "./trace.js";

const READ = { watched: 2, node: 5, ports: 10 }; // seconds between readings of what is in no event
const TABS = ["story", "outline", "traffic", "trace"];

const session = new Session(new URL("../midonet-api/", location.href).href);
const model = new Model(session);
const choices = new Map(); // device -> its ports one by one
const picture = new Picture(byId("picture"), { open: (id) => open(id), toggle: (device, wanted) => (choices.set(device, wanted), draw()) });
const story = new Story(byId("story"), model, session, { open: (id) => open(id), trace: (port) => (show("trace"), tracing.from(port)) });
const outline = new Outline(byId("outline"), model, { open: (id) => open(id) });
const traffic = new Traffic(byId("traffic"), model, { open: (id) => open(id) });
const tracing = new Tracing(byId("trace"), model, session, { drawn: drawTrace, graph: () => picture.graph, open: (id) => open(id), say });
const feed = new Feed(session, { event: heard, reload: () => model.load(), state: streamState });
let tab = "story";
let drawing = 0;
let reading = 0; // which run of the readings is the one of now

// --- what is shown ---

function draw() {
  if (drawing) return;
  drawing = requestAnimationFrame(() => {
    drawing = 0;
    if (!model.loaded) return;
    const began = performance.now();
    picture.show(graphOf(model, choices));
    panel();
    byId("crowded").hidden = !picture.crowded;
    byId("empty").hidden = picture.graph.nodes.size > 0;
    byId("summary").textContent = [["routers", "router"], ["bridges", "bridge"], ["ports", "port"], ["hosts", "host"]].filter(([kind]) => !model.refused.has(kind)).map(([kind, word]) => plural(model.all[kind].size, word)).join(" · ");
    rights();
    document.documentElement.setAttribute("data-drawn", String(Math.round(performance.now() - began)));
  });
}

// Only what is seen is made.
function panel() {
  if (tab === "story") story.render();
  if (tab === "outline") outline.render();
  if (tab === "traffic") traffic.render();
  if (tab === "trace") tracing.render();
}

function show(name) {
  tab = name;
  for (const each of TABS) {
    byId(each).hidden = each !== name;
    const button = byId(`tab-${each}`);
    button.setAttribute("aria-selected", String(each === name));
    button.setAttribute("tabindex", each === name ? "0" : "-1");
  }
  panel();
  if (name === "traffic") readNow();
}

// Its story; null: what there is altogether.
function open(id) {
  const at = id && picture.graph.nodes.get(id);
  if (at?.shape === "strip") return open(at.device);
  if (!id) {
    picture.select(null);
    show("story");
    return story.show(null);
  }
  const kind = model.kindOf(id);
  if (kind === "ports" && !picture.graph.nodes.has(id)) {
    const port = model.get("ports", id);
    picture.select(picture.graph.nodes.has(`ports:${port.deviceId}`) && !port.peerId ? `ports:${port.deviceId}` : port.deviceId);
  } else {
    picture.select(id);
  }
  show("story");
  story.show(id);
  byId("story").scrollTop = 0;
  say(`${kind ? WORDS[kind][1] : "Object"} ${kind ? model.name(kind, id) : shortId(id)}: details`);
}

function drawTrace(answer) {
  picture.showTrace(answer && { answer, model });
}

// Whose role does not reach everything reads so, instead of an empty page.
function rights() {
  const why = model.forbidden;
  byId("refused").hidden = !why;
  byId("work").hidden = Boolean(why);
  byId("refused-why").textContent = visible(why);
  if (!why && model.confined) notice("You see what is your tenant's. Hosts, tunnel zones, traffic and traces are for operators.");
}

function notice(text) {
  const line = byId("notice");
  line.hidden = !text;
  if (line.textContent !== text) line.textContent = text;
}

// --- what is heard ---

let spoken = [];
let speaking = 0;

// For who cannot see it: what came of what they did, at once.
function say(text) {
  byId("live").textContent = text;
}

// And what others did: a sentence for each change, or their number when there are many.
function tell(text) {
  spoken.push(text);
  if (speaking) return;
  speaking = setTimeout(() => {
    say(spoken.length > 3 ? `${spoken.length} changes` : spoken.join(". "));
    spoken = [];
    speaking = 0;
  }, 400);
}

function heard(action, change) {
  const name = model.labelOf(change.resource, change.id, change.document);
  model.take(action, change);
  const known = WORDS[change.resource];
  if (known) tell(`${known[1]} ${name} ${action}`);
}

function streamState(state, why) {
  const words = { live: "live", connecting: "connecting", polling: "reading again and again" };
  byId("stream-text").textContent = words[state];
  byId("stream").setAttribute("data-state", state);
  replace(byId("stream-sign"), stateBadge(state === "live" ? "up" : state === "polling" ? "down" : "unused"));
  notice(state === "polling" ? `${visible(why)} What is shown is read anew from time to time; the page tries to get the stream of changes back.` : "");
  if (state === "polling") say("The stream of changes has ended");
  if (state === "live" && model.loaded) rights();
}

// --- what is in no event: read again and again, while somebody looks ---

async function readings(run) {
  let portsAt = 0;
  while (run === reading) {
    const began = performance.now();
    if (!document.hidden && model.loaded && !model.forbidden) {
      try {
        await model.readStates();
        traffic.take();
        if (performance.now() - portsAt > READ.ports * 1000) {
          await model.readPorts();
          portsAt = performance.now();
        }
        if (run === reading) model.changed();
      } catch (problem) {
        if (problem.status === 401) return;
      }
    }
    // No more than a tenth of the time is spent with it.
    const taken = (performance.now() - began) / 1000;
    const pause = Math.max(model.loaded ? (tab === "traffic" ? READ.watched : READ.node) : 0.1, taken * 10);
    await new Promise((done) => {
      readNow = done;
      setTimeout(done, pause * 1000);
    });
  }
}
let readNow = () => {};

// --- signing in and out ---

function enter() {
  byId("login").hidden = true;
  byId("console").hidden = false;
  byId("who").textContent = visible(session.user);
  picture.moved = false;
  show("story");
  feed.start();
  readings((reading += 1));
}

function leave(note) {
  reading += 1;
  feed.stop();
  feed.lastId = null;
  session.signOut();
  model.clear();
  traffic.reset();
  tracing.clear();
  choices.clear();
  story.show(null);
  picture.selected = null;
  picture.placed = null;
  picture.moved = false;
  picture.show(graphOf(model, choices));
  notice("");
  byId("refused").hidden = true;
  byId("console").hidden = true;
  byId("login").hidden = false;
  complain("");
  byId("login-note").hidden = !note;
  byId("login-note").textContent = note;
  way();
}

function complain(text) {
  byId("login-error").hidden = !text;
  byId("login-error").textContent = visible(text);
}

function way() {
  const form = byId("login-form");
  const token = form.elements.way.value === "token";
  byId("by-token").hidden = !token;
  byId("by-password").hidden = token;
  byId(token ? "token" : "user").focus();
}

function explained(problem) {
  if (problem.status === 401) return byId("login-form").elements.way.value === "token" ? "Nobody has this token." : "User or password are wrong.";
  if (problem.status === 403) return `You may not use this console: ${problem.message}`;
  if (problem.status === 429) return `Too many attempts: ${problem.message}`;
  return problem.message;
}

async function signIn(event) {
  event.preventDefault();
  const { way: chosen, user, password, project, token } = event.target.elements;
  const button = byId("sign-in");
  complain("");
  byId("login-note").hidden = true;
  button.disabled = true;
  try {
    if (chosen.value === "token") await session.useToken(token.value.trim());
    else await session.logIn(user.value, password.value, project.value.trim());
    password.value = token.value = "";
    enter();
  } catch (problem) {
    complain(explained(problem));
    (chosen.value === "token" ? token : password).focus();
  } finally {
    button.disabled = false;
  }
}

function tabKeys(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = TABS.indexOf(tab);
  const next = step ? (at + step + TABS.length) % TABS.length : { Home: 0, End: TABS.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  show(TABS[next]);
  byId(`tab-${TABS[next]}`).focus();
}

function wire() {
  byId("login-form").addEventListener("submit", signIn);
  for (const each of document.querySelectorAll("[name=way]")) each.addEventListener("change", way);
  byId("sign-out").addEventListener("click", () => leave(""));
  byId("zoom-in").addEventListener("click", () => picture.zoom(1.25));
  byId("zoom-out").addEventListener("click", () => picture.zoom(0.8));
  byId("fit").addEventListener("click", () => picture.fit());
  for (const each of TABS) byId(`tab-${each}`).addEventListener("click", () => show(each));
  document.querySelector("[role=tablist]").addEventListener("keydown", tabKeys);
  const signs = [["up", "up, alive"], ["down", "down, away"], ["disabled", STATE_WORDS.disabled], ["unused", STATE_WORDS.unused]];
  replace(byId("legend"), signs.map(([state, word]) => el("li", {}, stateBadge(state), word)), el("li", { id: "crowded", hidden: true }, "Lines to hosts: of what is chosen"));
  session.ended = (why) => leave(`You have been signed out: ${visible(why)}`);
  model.listeners.add(draw);
}

wire();
if (session.resume()) enter();
else leave("");
