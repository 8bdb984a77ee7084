// Why a node is down, if the node that serves this page knows more of it than the ring: its clock is wrong.

import { session } from "./session.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */

const AGAIN = 5000; // ms after which it is asked again

export class Reason {
  #about = ""; // the node and its state
  #text = "";
  #next = 0;
  #ring;
  #changed;

  /**
   * @param {() => import("../lib/nanoring.js").RingNode | null} ring this tab's node
   * @param {() => void} changed there is another text
   */
  constructor(ring, changed) {
    this.#ring = ring;
    this.#changed = changed;
  }

  /** What is known by now of the one node that is looked at; it is asked for. @param {Node} n */
  of(n) {
    const about = `${n.state} ${n.name}`;
    if (about !== this.#about) [this.#about, this.#text, this.#next] = [about, "", 0];
    const own = new URL("ring", location.href.replace(/^http/, "ws")).href;
    const lost = !n.ephemeral && (n.state === "down" || n.state === "suspect");
    if (lost && session.may /* a guest's token opens no API */ && this.#ring()?.gateway?.url === own && performance.now() >= this.#next) this.#ask(n.name, about);
    return this.#text;
  }

  /** @param {string} name @param {string} about */
  async #ask(name, about) {
    this.#next = performance.now() + AGAIN;
    const answer = await fetch(`v1/nodes/${encodeURIComponent(name)}`, { headers: session.headers }).catch(() => null);
    const known = answer?.ok ? await answer.json().catch(() => ({})) : {};
    if (about !== this.#about) return;
    this.#text = sentence(known);
    this.#changed();
    setTimeout(this.#changed, AGAIN);
  }
}

/** @param {{reason?: string, ahead_micros?: number}} known */
function sentence({ reason = "", ahead_micros = 0 }) {
  if (reason !== "clock-skew") return reason;
  const seconds = Math.round(Math.abs(ahead_micros) / 1e6);
  if (!seconds) return "a clock is wrong";
  const span = `${Math.floor(seconds / 3600)}h${Math.floor(seconds / 60) % 60}m${seconds % 60}s`.replace(/^0h(0m)?/, "");
  return `its clock is ${span} ${ahead_micros < 0 ? "behind" : "ahead"}`;
}
