// What nodes tell of themselves and of others, to whoever may ask: the node that serves this page by its HTTP API, while
// it is this tab's gateway and this page may use that; all others by questions, as far as the token's claim send allows that.

import { session } from "./session.js";

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */
/** @typedef {import("../lib/nanoring.js").Filter} Filter */

/** @typedef {{severity: string, text: string, do: string}} Condition */
/** @typedef {{at: string, until?: string, times: number, what: string, text: string}} Evidence */
/** @typedef {{by: string, name: string, state: string, since?: string, link?: {trip_micros?: number, silent_millis: number}, evidence: Evidence[]}} Why */
/** @typedef {{name: string, version: string, protocol: number, engine: string, module?: string, conditions: Condition[]}} About */

const WAIT = 3000; // ms for who answers

export class Teller {
  #ring;

  /** @param {() => RingNode | null} ring this tab's node */
  constructor(ring) {
    this.#ring = ring;
  }

  /** Whether what it asks costs the ring nothing. */
  get near() {
    const own = new URL("ring", location.href.replace(/^http/, "ws")).href;
    return session.may && this.#ring()?.gateway?.url === own;
  }

  /** What this tab's gateway knows of a node, and why. Throws if it may not be asked. @param {string} name @returns {Promise<Why | undefined>} */
  why(name) {
    return this.near ? get(`v1/why?${new URLSearchParams({ name })}`) : this.#gateway("nanoring.why", name);
  }

  /** What is wrong with this tab's gateway. Throws likewise. @returns {Promise<{name: string, conditions: Condition[]} | undefined>} */
  status() {
    return this.near ? get("v1/status") : this.#gateway("nanoring.node", "");
  }

  /**
   * Asks nodes, and resolves, when all have answered or the time is over, with who has not. It throws why they cannot be asked.
   * @param {string} topic @param {string} payload @param {Filter | undefined} to
   * @param {(told: any, from: string) => boolean} each takes an answer, and says whether it wants more
   */
  async ask(topic, payload, to, each) {
    const answers = this.#ring()?.ask(topic, payload, { timeout: WAIT, to });
    if (!answers) return [];
    for await (const { from, text } of answers) {
      const told = read(text);
      if (told && !each(told, from)) break;
    }
    return answers.silent;
  }

  /** @param {string} topic @param {string} payload */
  async #gateway(topic, payload) {
    const name = this.#ring()?.gateway?.name;
    if (!name || /[*!]/.test(name)) return; // which a filter would not take for itself
    /** @type {any} */
    let told;
    await this.ask(topic, payload, { name }, (answer) => ((told = answer), false));
    return told;
  }
}

/** @param {string} path */
async function get(path) {
  const { ok, answer } = await session.call(path);
  return ok ? answer : undefined;
}

/** @param {string} text */
function read(text) {
  try {
    const told = JSON.parse(text);
    return told && typeof told === "object" ? told : undefined;
  } catch {} // whoever is up may answer, and anything
}
