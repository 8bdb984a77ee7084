// What is known of the ring, built of the engine's events.

/**
 * What is known of a node, as in docs/api.md. All fields are always there; it is frozen.
 * @typedef {Readonly<NodeFields>} NodeInfo
 */

/**
 * @typedef {object} NodeFields
 * @property {string} name who it is
 * @property {"unknown" | "up" | "suspect" | "down" | "left" | "removed"} state "removed" only in a change event
 * @property {boolean} ephemeral it is a guest, like this one
 * @property {boolean} cordoned it is up, but is given nothing new: it owns no keys, and takes no guests
 * @property {string} address where it can be dialled; "" if it cannot
 * @property {string} via the name of its gateway, if it cannot be dialled
 * @property {number} incarnation the stamp of its presence: Unix microseconds; 0 when unknown
 * @property {string} instance which process it is; "" when unknown
 * @property {number} version the newest protocol version that it speaks; 0 when unknown
 * @property {Readonly<Record<string, string>>} tags its own labels
 * @property {number} since when its state began, as far as this node knows: Unix microseconds; 0 when unknown
 */

/**
 * What became of a node.
 * @typedef {object} Happened
 * @property {"joined" | "up" | "restarted" | "suspect" | "down" | "left" | "removed" | "updated"} what "restarted": it is up, as another process; "updated": its state is as it was, and something else is said of it
 * @property {NodeInfo} node as it is now
 * @property {number} seq which event of this node's it is, from 1 on
 * @property {number} at when this node saw it: Unix microseconds
 */

export class View {
  /** @type {Map<string, NodeInfo>} */
  #nodes = new Map();
  /** Their names, sorted; undefined when others are there. @type {string[] | undefined} */
  #names;
  /** What was not told of yet. @type {Map<string, NodeInfo>} */
  #changes = new Map();
  #tell;
  #happened;
  #seq = 0;

  /**
   * @param {(nodes: NodeInfo[]) => void} tell called once for all that changed together
   * @param {(happened: Happened) => void} happened called for each change
   */
  constructor(tell, happened) {
    this.#tell = tell;
    this.#happened = happened;
  }

  /** @param {string} name */
  get(name) {
    return this.#nodes.get(name);
  }

  /** @returns {IterableIterator<NodeInfo>} */
  values() {
    return this.#nodes.values();
  }

  /** All, sorted by name. */
  all() {
    this.#names ??= [...this.#nodes.keys()].sort((a, b) => (a < b ? -1 : 1)); // not again for each of thousands that change
    return this.#names.map((name) => /** @type {NodeInfo} */ (this.#nodes.get(name)));
  }

  /** @param {NodeInfo} is as it is now */
  set(is) {
    const at = Date.now() * 1000;
    const before = this.#nodes.get(is.name);
    const what = became(before, is);
    const since = what === "updated" ? before?.since : what === "joined" ? (is.state === "up" ? Math.min(is.incarnation, at) : 0) : at;
    const node = Object.freeze({ ...is, since: since ?? 0 });
    if (!before || node.state === "removed") {
      this.#names = undefined;
    }
    if (node.state === "removed") {
      this.#nodes.delete(node.name);
    } else {
      this.#nodes.set(node.name, node);
    }
    this.#change(node);
    this.#happened(Object.freeze({ what, node, seq: ++this.#seq, at }));
  }

  /** Forgets all. */
  clear() {
    for (const node of this.#nodes.values()) {
      this.#change(Object.freeze({ ...node, state: "removed" }));
    }
    this.#nodes.clear();
    this.#names = undefined;
  }

  /** @param {NodeInfo} node */
  #change(node) {
    if (!this.#changes.size) {
      queueMicrotask(() => {
        this.#tell([...this.#changes.values()]);
        this.#changes.clear();
      });
    }
    this.#changes.set(node.name, node);
  }
}

/**
 * @param {NodeInfo | undefined} before
 * @param {NodeInfo} now
 * @returns {Happened["what"]}
 */
function became(before, now) {
  if (now.state === "removed") return "removed";
  if (!before) return "joined";
  if (now.state === "up" && before.instance && now.instance !== before.instance) return "restarted";
  return now.state === before.state || now.state === "unknown" ? "updated" : now.state;
}

/** @param {NodeInfo | undefined} node */
export function isUp(node) {
  return node?.state === "up" || node?.state === "suspect";
}

/**
 * Fills in what an event leaves out.
 * @param {any} fields
 * @returns {NodeInfo}
 */
export function nodeOf(fields) {
  const empty = { ephemeral: false, cordoned: false, address: "", via: "", incarnation: 0, instance: "", version: 0 };
  const since = Date.parse(fields.since) * 1000 || 0; // which the HTTP API has, and no event
  return Object.freeze({ ...empty, ...fields, tags: Object.freeze({ ...fields.tags }), since });
}
