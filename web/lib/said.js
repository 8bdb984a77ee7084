// What somebody said.

import { RingError } from "./errors.js";
import { isBytes } from "./needs.js";

/** An answer: what a node said to who asked. */
export class Answer {
  #payload;

  /**
   * @param {string} from
   * @param {string} payload base64
   */
  constructor(from, payload) {
    /** The node that said it, as its gateway has it. */
    this.from = from;
    this.#payload = payload;
  }

  /** What it said, as bytes: at most 8 KiB. @returns {Uint8Array} */
  get payload() {
    return Uint8Array.from(atob(this.#payload), (char) => char.charCodeAt(0));
  }

  /** What it said, as text: what is no UTF-8 is replaced. It may be anything: show it as text, never as markup. */
  get text() {
    return new TextDecoder().decode(this.payload);
  }
}

/** A message, or a question. */
export class Message extends Answer {
  /** @param {any} event as in docs/abi.md */
  constructor({ name, topic, payload = "", told = false, wait_micros = 0 }) {
    super(name, payload);
    /** @type {string} */
    this.topic = topic;
    /** Whether it was for this node alone. @type {boolean} */
    this.told = told;
    /** Of a question, when it is over; else null. @type {Date | null} */
    this.until = wait_micros ? new Date(Date.now() + wait_micros / 1000) : null;
    /** Whether something was lost before it: of what its sender sent, or because it was not read in time. */
    this.gap = false;
  }
}

/**
 * What can be said. Throws a RingError (`invalid`) if something is wrong with it.
 * @param {string} topic
 * @param {string | Uint8Array} payload
 * @returns {[string, string | Uint8Array]}
 */
export function sayable(topic, payload) {
  if (typeof topic !== "string" || typeof payload !== "string" && !isBytes(payload)) {
    throw new RingError("invalid", "A topic is a string, and a payload is a string or a Uint8Array: JSON.stringify makes one of anything.");
  }
  return [topic, payload];
}
