// What a node says of itself, within what its token lets it say.

import { RingError, wordOf } from "./errors.js";
import { isLike } from "./filter.js";

/** @typedef {import("./token.js").Claims} Claims */
/** @typedef {import("./remote.js").SomeRuntime} SomeRuntime */

export class OwnTags {
  /** @type {Record<string, string>} */
  #now;
  /** @type {Claims | undefined} */
  #claims;
  #asked = 0;
  /** Changes that the engine has not answered. @type {Map<number, {changed: Record<string, string>, resolve: () => void, reject: (error: RingError) => void}>} */
  #changes = new Map();

  /** @param {Record<string, unknown>} tags */
  constructor(tags) {
    this.#now = Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]));
  }

  /** As the engine is told of them when it is made. @returns {[string, string][]} */
  get settings() {
    return Object.entries(this.#now).map(([key, value]) => [`tag:${key}`, value]);
  }

  /** A token says which there have to be, and which there may be. @param {Claims} claims */
  allow(claims) {
    this.#claims = claims;
    const own = Object.entries(this.#now).filter(([key]) => this.#mayBe(key));
    this.#now = { ...Object.fromEntries(own), ...claims.tags };
  }

  /** @param {string} key */
  #mayBe(key) {
    const { tags, own } = this.#claims ?? {};
    return !(tags && Object.hasOwn(tags, key)) && (own ? own.some((pattern) => isLike(pattern, key)) : !tags);
  }

  /**
   * Has the engine change them; with null for what is to be dropped. One that is not there yet has them when it is made.
   * @param {SomeRuntime | undefined} runtime
   * @param {Record<string, string | null>} patch
   */
  async change(runtime, patch) {
    const set = Object.entries(patch).flatMap(([key, value]) => (value === null ? [] : [/** @type {[string, string]} */ ([key, String(value)])]));
    const drop = Object.keys(patch).filter((key) => patch[key] === null);
    const not = Object.keys(patch).find((key) => !this.#mayBe(key));
    if (not !== undefined) {
      throw new RingError("forbidden", `The token does not let this node set its tag ${JSON.stringify(not)}.`);
    }
    const kept = Object.entries(this.#now).filter(([key]) => !drop.includes(key));
    const changed = { ...Object.fromEntries(kept), ...Object.fromEntries(set) };
    if (!runtime) {
      this.#now = changed;
      return;
    }
    const id = ++this.#asked;
    const answered = /** @type {Promise<void>} */ (new Promise((resolve, reject) => this.#changes.set(id, { changed, resolve, reject })));
    runtime.setTags(id, set, drop);
    await answered;
  }

  /** The engine's answer. @param {any} event as in docs/abi.md */
  answered({ id, code = 0, text = "" }) {
    const change = this.#changes.get(id);
    this.#changes.delete(id);
    if (code) {
      change?.reject(new RingError(wordOf(code), `The tags stay as they are: ${text}.`));
    } else if (change) {
      this.#now = change.changed;
      change.resolve();
    }
  }

  /** The engine is gone: what it has not answered is not so. */
  lost() {
    for (const change of this.#changes.values()) {
      change.reject(new RingError("halting", "The tags stay as they are: this node has ended, or begins anew.", { retryable: true }));
    }
    this.#changes.clear();
  }
}
