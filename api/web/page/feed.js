// What changes, as it happens: GET events read as a stream. EventSource could not send the token.
import { Refusal } from "./session.js";

const LONGEST_PAUSE = 15; // seconds, between attempts
const SILENCE = 45; // seconds without a byte: the server sends a comment each 15 s

// The records of a stream of text (HTML, 9.2.6), fed in pieces.
export class Records {
  constructor() {
    this.rest = "";
    this.event = "message";
    this.data = [];
    this.lastId = null;
  }
  take(text) {
    const lines = (this.rest + text).split(/\r\n|\n|\r/);
    this.rest = lines.pop();
    const records = [];
    for (const line of lines) {
      if (line === "") {
        if (this.data.length) records.push({ event: this.event, data: this.data.join("\n"), id: this.lastId });
        this.event = "message";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "event") this.event = value;
      if (name === "data") this.data.push(value);
      if (name === "id" && !value.includes("\0")) this.lastId = value;
    }
    return records;
  }
}

// States: "connecting", "live", "polling" (no stream; the lists are read again and again), "stopped".
export class Feed {
  constructor(session, { event, reload, state }) {
    Object.assign(this, { session, event, reload, state });
    this.lastId = null;
    this.running = false;
    this.attempt = null;
  }

  start() {
    this.running = true;
    this.state("connecting", "");
    this.run();
  }

  stop() {
    this.running = false;
    this.attempt?.abort();
    clearTimeout(this.timer);
    this.wake?.();
  }

  async run() {
    let failures = 0;
    while (this.running) {
      let why = "The stream of changes has ended.";
      try {
        if (await this.follow(() => (failures = 0))) continue; // ended as it should: again at once
      } catch (problem) {
        if (!this.running) return;
        if (problem instanceof Refusal && problem.status === 401) return;
        why = problem instanceof Refusal ? problem.message : "The stream of changes broke off.";
      }
      if (!this.running) return;
      failures += 1;
      this.state("polling", why);
      await this.pause(Math.min(2 ** failures / 2, LONGEST_PAUSE));
      if (!this.running) return;
      try {
        await this.reload();
      } catch {
        // the next attempt says why
      }
    }
  }

  pause(seconds) {
    return new Promise((done) => {
      this.wake = done;
      this.timer = setTimeout(done, seconds * 1000);
    });
  }

  // Until the stream ends; whether it was long enough to be the server's regular end.
  async follow(begun) {
    this.attempt = new AbortController();
    const headers = { Accept: "text/event-stream" };
    if (this.lastId !== null) headers["Last-Event-ID"] = this.lastId;
    const response = await this.session.ask("events", { headers, signal: this.attempt.signal });
    const since = performance.now();
    const resumed = this.lastId !== null;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const records = new Records();
    let first = true;
    let silence;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => this.attempt.abort(), SILENCE * 1000);
    };
    try {
      heard();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return performance.now() - since > 60_000;
        heard();
        const found = records.take(value);
        if (first) {
          first = false;
          begun();
          this.state("live", "");
          if (!resumed) this.renew(); // watch first, then read: nothing is missed
        }
        for (const record of found) this.take(record);
        if (records.lastId !== null) this.lastId = records.lastId;
      }
    } finally {
      clearTimeout(silence);
      reader.cancel().catch(() => {});
    }
  }

  // Without the lists a stream is worth nothing: from the beginning, then.
  renew() {
    const attempt = this.attempt;
    this.reload().catch(() => {
      this.lastId = null;
      attempt.abort();
    });
  }

  take(record) {
    if (record.event === "reset") {
      this.renew();
      return;
    }
    let change;
    try {
      change = JSON.parse(record.data);
    } catch {
      return;
    }
    this.event(record.event, change);
  }
}
