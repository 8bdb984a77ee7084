// Takes the place of nanoring.js: a ring of as many nodes as the URL says (?nodes=2000&changes=20 a second), of three zones and five
// roles, one in ten a guest, some down, through the view that the real one has. The page has everything but the engine.

export * from "./errors.js";

import { View, isUp, nodeOf } from "./view.js";
import { picks } from "./filter.js";

const asked = new URLSearchParams(location.search);
const COUNT = Number(asked.get("nodes") ?? 2000);
const STATES = ["suspect", "down", "up", "up", "left", "up"];

let seed = 7;
const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;

export async function join() {
  return new Feed();
}

class Feed {
  ring = "large";
  name = "tab-feed";
  gateway = { name: "node0", url: new URL("ring", location.href.replace(/^http/, "ws")).href };
  state = "joined";
  /** @type {Map<string, Function[]>} */
  listeners = new Map();
  view = new View((nodes) => this.tell("change", nodes), (happened) => this.tell("event", happened));
  changes = 0;

  constructor() {
    for (let i = 0; i < COUNT - 1; i++) this.set(i, i % 50 ? "up" : STATES[i % 3]);
    this.view.set(nodeOf({ name: this.name, state: "up", ephemeral: true, via: "node0", incarnation: 1, instance: "1-1", version: 1 }));
  }

  /** @param {number} i @param {string} state @param {object} [more] */
  set(i, state, more = {}) {
    const guest = i % 10 === 9;
    this.view.set(nodeOf({
      name: guest ? `tab-${i}` : `node${i}`, state, ephemeral: guest, cordoned: i % 97 === 0, address: guest ? "" : `10.0.${i >> 8}.${i % 256}:7946`,
      via: guest ? `node${(i * 31) % 500 * 4 % COUNT}` : "", incarnation: 1700000000000000 + i, instance: `1-${i}`, version: 1,
      tags: guest ? {} : { zone: "abc"[i % 3], role: ["web", "db", "queue", "cache", "batch"][i % 5], version: i % 7 ? "2.1.0" : "2.0.9" }, ...more,
    }));
  }

  /** Has some nodes change. @param {number} some */
  step(some) {
    for (let i = 0; i < some; i++) this.set(Math.floor(random() * (COUNT - 1)), STATES[Math.floor(random() * STATES.length)]);
    this.changes += some;
    this.tell("frame", { sent: this.changes % 2 === 0, bytes: new Uint8Array(8) });
  }

  /** Has nodes change, so many a second. @param {number} rate */
  begin(rate) {
    let due = 0, last = performance.now();
    const turn = setInterval(() => {
      const now = performance.now();
      due += ((now - last) / 1000) * rate;
      this.step(Math.floor(due));
      due %= 1;
      last = now;
    }, 50);
    return () => clearInterval(turn);
  }

  /** @param {string} kind @param {Function} listener */
  on(kind, listener) {
    this.listeners.set(kind, [...(this.listeners.get(kind) ?? []), listener]);
    return () => {};
  }

  /** @param {string} kind @param {unknown} what */
  tell(kind, what) {
    for (const listener of this.listeners.get(kind) ?? []) listener(what);
  }

  all(filter) {
    return this.view.all().filter(picks(filter));
  }

  up(filter) {
    return this.all(filter).filter(isUp);
  }

  owners() {
    return [];
  }

  listen() {
    return () => {};
  }
}
