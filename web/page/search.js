// Which nodes the search finds: those that have all its words, and that its terms of tags pick, as a filter does.

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */
/** @typedef {import("../lib/nanoring.js").NodeInfo} NodeInfo */

/** A word that is a term of a filter: KEY=PATTERN, KEY!=PATTERN or !KEY. @param {string} word */
const isTerm = (word) => word.startsWith("!") || word.includes("=");

/**
 * @param {RingNode | null} node this tab's
 * @param {string} typed
 * @param {(n: NodeInfo) => string} role what a node is to this tab, in words
 * @returns {{found: NodeInfo[], none: string}} none: why there is none
 */
export function search(node, typed, role) {
  const all = typed.split(/\s+/).filter(Boolean), words = all.filter((word) => !isTerm(word)).map((word) => word.toLowerCase());
  const found = (/** @type {NodeInfo[]} */ nodes) => nodes.filter((n) => {
    const text = [n.name, n.state, n.cordoned ? "cordoned" : "", n.ephemeral ? "guest tab" : "durable", n.address, n.via, role(n), ...Object.entries(n.tags).map((tag) => tag.join("="))].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  try {
    return { found: found(node?.all({ tags: all.filter(isTerm) }) ?? []), none: "No node is like that." };
  } catch (err) {
    return { found: [], none: /** @type {Error} */ (err).message };
  }
}
