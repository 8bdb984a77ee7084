// How long something is waited for that may never come. What takes long and shows that it goes on has no end here.

import { RingError } from "./errors.js";

/** In ms. A test makes them shorter: they are looked up when a wait begins. */
export const waits = {
  /** for a token, until its function is called again; twice as long each time */
  token: 10_000,
  /** for the next bytes of the module */
  module: 30_000,
  /** for a Worker to begin */
  worker: 10_000,
  /** between looks at whether the other side still answers: it is gone after three in vain */
  beat: 2_000,
  /** for a bye to be sent */
  bye: 2_000,
  /** for a node's HTTP API, which has 30 s itself for a change */
  api: 40_000,
  /** and to learn from it which ring it is */
  status: 10_000,
};

/**
 * What a promise comes to, or a RingError of the code `timeout` when it takes longer than that.
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @param {string} late says what did not come
 * @returns {Promise<T>}
 */
export function within(ms, promise, late) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const over = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new RingError("timeout", `${late} in ${ms / 1000} s.`, { retryable: true })), ms);
  });
  return Promise.race([promise, /** @type {Promise<T>} */ (over)]).finally(() => clearTimeout(timer));
}

/** Gives something up of which nothing more comes: its signal aborts, so long after the last of it. */
export class Stall {
  #given = new AbortController();
  #ms;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {number} ms */
  constructor(ms) {
    this.#ms = ms;
    this.more();
  }

  get signal() {
    return this.#given.signal;
  }

  /** Something came. */
  more() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#given.abort(), this.#ms);
  }

  /** All has come, or nothing is waited for any more. */
  end() {
    clearTimeout(this.#timer);
  }
}
