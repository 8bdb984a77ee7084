// What is known of the ring, built of the engine's events.

/**
 * What is known of a node, as in docs/api.md. All fields are always there; it is frozen.
 * @typedef {object} NodeInfo
 * @property {string} name who it is
 * @property {"unknown" | "up" | "suspect" | "down" | "left" | "removed"} state "removed" only in a change event
 * @property {boolean} ephemeral it is a guest, like this one
 * @property {string} address where it can be dialled; "" if it cannot
 * @property {string} via the name of its gateway, if it cannot be dialled
 * @property {number} incarnation the stamp of its presence: Unix microseconds; 0 when unknown
 * @property {string} instance which process it is; "" when unknown
 * @property {number} version the newest protocol version that it speaks; 0 when unknown
 * @property {Readonly<Record<string, string>>} tags its own labels
 */

export class View {
  /** @type {Map<string, NodeInfo>} */
  #nodes = new Map();
  /** What was not told of yet. @type {Map<string, NodeInfo>} */
  #changes = new Map();
  #tell;

  /** @param {(nodes: NodeInfo[]) => void} tell called once for all that changed together */
  constructor(tell) {
    this.#tell = tell;
  }

  /** @param {string} name */
  get(name) {
    return this.#nodes.get(name);
  }

  values() {
    return this.#nodes.values();
  }

  /** All, sorted by name. */
  all() {
    return [...this.#nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @param {NodeInfo} node as it is now */
  set(node) {
    if (node.state === "removed") {
      this.#nodes.delete(node.name);
    } else {
      this.#nodes.set(node.name, node);
    }
    this.#change(node);
  }

  /** Forgets all. */
  clear() {
    for (const node of this.#nodes.values()) {
      this.#change(Object.freeze({ ...node, state: "removed" }));
    }
    this.#nodes.clear();
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
  const empty = { ephemeral: false, address: "", via: "", incarnation: 0, instance: "", version: 0 };
  return Object.freeze({ ...empty, ...fields, tags: Object.freeze({ ...fields.tags }) });
}
