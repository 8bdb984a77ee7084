// What a node says of itself, within what its token lets it say.

import { RingError } from "./errors.js";
import { isLike } from "./filter.js";
import { has } from "./needs.js";

/** @typedef {import("./token.js").Claims} Claims */

export class OwnTags {
  /** @type {Record<string, string>} */
  #now;
  /** @type {Claims | undefined} */
  #claims;
  #commands;

  /**
   * @param {Record<string, unknown>} tags
   * @param {import("./commands.js").Commands} commands
   */
  constructor(tags, commands) {
    this.#commands = commands;
    this.#now = Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]));
  }

  /** As the engine is told of them when it is made. @returns {[string, string][]} */
  get settings() {
    return Object.entries(this.#now).map(([key, value]) => [`tag:${key}`, value]);
  }

  /** A token says which there have to be, and which there may be. @param {Claims} claims */
  allow(claims) {
    this.#claims = claims;
    const own = Object.entries(this.#now).filter(([key]) => this.mayBe(key));
    this.#now = { ...Object.fromEntries(own), ...claims.tags };
  }

  /** All that it has now. @returns {Readonly<Record<string, string>>} */
  get now() {
    return this.#now;
  }

  /** Whether its token lets it set one. @param {string} key */
  mayBe(key) {
    const { tags, own } = this.#claims ?? {};
    return !(tags && has(tags, key)) && (own ? own.some((pattern) => isLike(pattern, key)) : !tags);
  }

  /**
   * Has the engine change them; with null for what is to be dropped. One that is not there yet has them when it is made.
   * @param {Record<string, string | null>} patch
   */
  async change(patch) {
    const set = Object.entries(patch).flatMap(([key, value]) => (value === null ? [] : [/** @type {[string, string]} */ ([key, String(value)])]));
    const drop = Object.keys(patch).filter((key) => patch[key] === null);
    const not = Object.keys(patch).find((key) => !this.mayBe(key));
    if (not !== undefined) {
      throw new RingError("forbidden", `The token does not let this node set its tag ${JSON.stringify(not)}.`);
    }
    const kept = Object.entries(this.#now).filter(([key]) => !drop.includes(key));
    const changed = { ...Object.fromEntries(kept), ...Object.fromEntries(set) };
    if (this.#commands.able) {
      const texts = [...set.map(([key, value]) => [`tag:${key}`, value]), ...drop.map((key) => [`drop:${key}`, ""])];
      await this.#commands.do("set_tags", "The tags stay as they are", /** @type {[string, string][]} */ (texts));
    }
    this.#now = changed;
  }
}
