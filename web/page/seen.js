// What this tab has seen become of each node. The log, the past and the times are told by it alone, so that they agree
// with each other and, once a gateway has told all that it knows, with the picture.

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */

const SETTLING = 2000; // ms after a gateway let this tab in, in which it may not have told all yet

/**
 * Since when a node is what it is.
 * @typedef {object} Since
 * @property {number} at ms since 1970
 * @property {boolean} began it began then; else it may have been so for longer
 * @property {string} by who says so; "" for this tab
 */

export class Seen {
  /** Each as it was told of last. @type {Map<string, {node: Node, since: Since}>} */
  #seen = new Map();
  #settled = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #present;
  #told;

  /**
   * @param {() => Node[]} present how all nodes are now
   * @param {(n: Node, was: Node | undefined, news: boolean) => void} told how a node is now; it is no news what a tab finds as it joins
   */
  constructor(present, told) {
    this.#present = present;
    this.#told = told;
  }

  /** This tab is another node now, which has seen nothing. */
  begin() {
    this.#seen.clear();
    this.arrive();
  }

  /** A gateway let this tab in: what was missed is caught up on, now and when it has had time to tell all. */
  arrive() {
    clearTimeout(this.#timer);
    this.#settled = false;
    this.#present().forEach((n) => this.see(n));
    this.#timer = setTimeout(() => {
      this.#settled = true;
      const present = new Map(this.#present().map((n) => [n.name, n]));
      for (const [name, { node }] of this.#seen) this.see(present.get(name) ?? { ...node, state: "removed" });
      for (const n of present.values()) this.see(n);
    }, SETTLING);
  }

  /** It hears nothing, and what it makes of that itself is not told of. */
  lose() {
    clearTimeout(this.#timer);
    this.#settled = false;
  }

  /** @param {Node} n as it is now */
  see(n) {
    const seen = this.#seen.get(n.name), was = seen?.node;
    if (was === n) return;
    const open = n.state === "unknown" || n.state === "removed"; // which a gateway that tells may be about to change
    if (!this.#settled && open && was) return;
    const fresh = !was || was.state === "unknown"; // what it was before is not known
    const since = was?.state === n.state && was.instance === n.instance ? seen?.since : undefined;
    if (n.state === "removed") this.#seen.delete(n.name);
    else this.#seen.set(n.name, { node: n, since: since ?? sinceOf(n, this.#settled && !fresh) });
    if (was || n.state !== "removed") this.#told(n, was, this.#settled || !fresh);
  }

  /** A node knows since when another is what it is, which this tab has not seen begin. @param {string} name @param {number} at @param {string} by */
  learn(name, at, by) {
    const seen = this.#seen.get(name);
    if (seen && (seen.since.by || !seen.since.began)) seen.since = { at: Math.min(at, Date.now()), began: true, by };
  }

  /** @param {Node} n @returns {Since} */
  since(n) {
    return this.#seen.get(n.name)?.since ?? sinceOf(n, false);
  }
}

/** @param {Node} n @param {boolean} began whether this tab has seen it begin @returns {Since} */
function sinceOf(n, began) {
  const now = Date.now();
  return { at: began && n.since ? Math.min(n.since / 1000, now) : now, began, by: "" };
}
