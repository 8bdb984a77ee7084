// Nodes by what a tag of theirs says, as zones: how many of each group are in which state, and which they are, if it is open.

import { byName } from "./circle.js";
import { STATES } from "./glyph.js";
import { $ } from "./panel.js";
import { el } from "./text.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */
/** @typedef {{value: string, title: string, states: Record<string, number>, open: boolean}} Group */

const NONE = "\u0000"; // the value of those that have no such tag
const MOST = 50; // keys to choose from

export class Groups {
  /** The values whose groups were turned: opened, or while something is searched shut. @type {Set<string>} */
  #turned = new Set();
  /** Those that are open. @type {Set<string>} */
  #open = new Set();
  /** What there is to choose from. */
  #keys = "";

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    $("group").addEventListener("change", () => {
      this.#turned.clear();
      changed();
    });
  }

  /** @param {string} value of a group that is to be opened, or shut */
  turn(value) {
    if (!this.#turned.delete(value)) this.#turned.add(value);
    this.changed();
  }

  /** Has the group of a node be open. @param {Node | undefined} n */
  reveal(n) {
    const key = $("group").value;
    if (!n || !key || this.#open.has(valueOf(n, key))) return;
    this.#open.add(valueOf(n, key)); // it may be chosen again before the next picture
    this.turn(valueOf(n, key));
  }

  /**
   * The rows of a table of these.
   * @param {Node[]} all of the ring
   * @param {Node[]} found of them
   * @returns {import("./table.js").Item[]}
   */
  rows(all, found) {
    this.#offer(all);
    const key = $("group").value, sorted = byName(found);
    const durable = [...sorted.filter((n) => !n.ephemeral), ...sorted.filter((n) => n.ephemeral)];
    if (!key) return durable.map((node) => ({ key: node.name, node }));
    const searching = found.length < all.length;
    /** @type {Map<string, Node[]>} */
    const groups = new Map();
    for (const n of durable) {
      const value = valueOf(n, key), group = groups.get(value);
      if (group) group.push(n);
      else groups.set(value, [n]);
    }
    this.#open.clear();
    const named = byName([...groups.keys()].filter((value) => value !== NONE).map((name) => ({ name }))).map(({ name }) => name);
    return [...named, ...(groups.has(NONE) ? [NONE] : [])].flatMap((value) => {
      const nodes = groups.get(value) ?? [], open = searching !== this.#turned.has(value); // what is found is shown, unless it is shut
      if (open) this.#open.add(value);
      const count = (/** @type {string} */ state) => nodes.filter((n) => n.state === state).length;
      const states = Object.fromEntries(Object.keys(STATES).map((state) => [state, count(state)]).filter(([, count]) => count));
      const title = value === NONE ? `no ${key}` : `${key}=${value}`;
      return [{ key: `\u0000${value}`, group: { value, title, states, open } }, ...(open ? nodes.map((node) => ({ key: node.name, node })) : [])];
    });
  }

  /** Offers the keys of tags that there are. @param {Node[]} all */
  #offer(all) {
    const keys = [...new Set(all.flatMap((n) => Object.keys(n.tags)))].sort().slice(0, MOST), offered = JSON.stringify(keys);
    if (offered === this.#keys) return;
    this.#keys = offered;
    const chosen = $("group").value;
    const option = (/** @type {string} */ key) => {
      const o = el("option", key ? `by ${key}` : "no groups");
      o.value = key;
      return o;
    };
    $("group").replaceChildren(option(""), ...keys.map(option));
    $("group").value = keys.includes(chosen) ? chosen : "";
    $("group").hidden = !keys.length;
  }
}

/** @param {Node} n @param {string} key */
const valueOf = (n, key) => (Object.hasOwn(n.tags, key) ? n.tags[key] : NONE);
