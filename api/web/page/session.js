// Who asks, and the requests that they make. The token is in this tab's memory and session storage, and nowhere else.
const KEY = "viaduct.session";
const TRIES = 4;
const PAGE = 1000; // objects of one answer

export class Refusal extends Error {
  constructor(status, message, retryAfter = 0) {
    super(message);
    this.status = status; // 0: there was no answer
    this.retryAfter = retryAfter; // seconds
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

export class Session {
  constructor(base) {
    this.base = base; // ".../midonet-api/"
    this.token = null;
    this.user = "";
    this.ended = () => {}; // called with why, when the token is not good any more
  }

  resume() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
      if (kept && typeof kept.token === "string") [this.token, this.user] = [kept.token, String(kept.user)];
    } catch {
      sessionStorage.removeItem(KEY);
    }
    return this.token !== null;
  }

  keep(token, user) {
    this.token = token;
    this.user = user;
    sessionStorage.setItem(KEY, JSON.stringify({ token, user }));
  }

  signOut() {
    this.token = null;
    this.user = "";
    sessionStorage.removeItem(KEY);
  }

  // HTTP Basic, once; the project is Keystone's.
  async logIn(user, password, project) {
    const raw = new TextEncoder().encode(`${user}:${password}`);
    const basic = btoa(String.fromCharCode(...raw));
    const headers = { Authorization: `Basic ${basic}` };
    if (project) headers["X-Auth-Project"] = project;
    const response = await this.send("login", { method: "POST", headers, body: "{}" });
    if (!response.ok) throw await this.refusal(response);
    this.keep((await response.json()).key, user);
  }

  // A token that somebody pastes: good, if the root may be read with it.
  async useToken(token) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Refusal(0, "This is no token: it has characters that none has.");
    const response = await this.send("", { headers: { "X-Auth-Token": token } });
    if (!response.ok) throw await this.refusal(response);
    this.keep(token, "a token");
  }

  async send(path, options) {
    // Without credentials the browser asks nobody for a password of its own, and keeps no cookie.
    const url = /^https?:/.test(path) ? path : this.base + path;
    try {
      return await fetch(url, { credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer", ...options });
    } catch (problem) {
      if (problem.name === "AbortError") throw problem;
      throw new Refusal(0, "The server does not answer.");
    }
  }

  async refusal(response) {
    let message = response.statusText || `status ${response.status}`;
    try {
      message = (await response.json()).message ?? message;
    } catch {
      // no document: the status has to do
    }
    return new Refusal(response.status, message, Number(response.headers.get("Retry-After") ?? 0));
  }

  // An answer, or a Refusal. Too many requests: again, when the server says.
  async ask(path, options = {}) {
    for (let tried = 1; ; tried += 1) {
      const token = this.token;
      if (token === null) throw new Refusal(401, "Nobody is signed in.");
      const headers = { Accept: "application/json", ...options.headers, "X-Auth-Token": token };
      const response = await this.send(path, { ...options, headers });
      if (response.ok) return response;
      const refused = await this.refusal(response);
      if (refused.status === 401 && token === this.token) this.ended(refused.message);
      if (refused.status !== 429 || tried === TRIES || options.signal?.aborted) throw refused;
      await pause(Math.min(Math.max(refused.retryAfter, 0.2), 10));
    }
  }

  async get(path, options) {
    return (await this.ask(path, options)).json();
  }

  // All of a list, page by page.
  async list(path) {
    const all = [];
    let marker = "";
    for (;;) {
      const page = await this.get(`${path}?limit=${PAGE}${marker && `&marker=${encodeURIComponent(marker)}`}`);
      all.push(...page);
      if (page.length < PAGE) return all;
      marker = page[page.length - 1].id;
    }
  }
}
