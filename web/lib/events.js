// What a node tells its user.

/** @typedef {import("./errors.js").RingError} RingError */
/** @typedef {import("./view.js").NodeInfo} NodeInfo */
/** @typedef {import("./view.js").Happened} Happened */

/**
 * The node by which this one is reached.
 * @typedef {object} Gateway
 * @property {string} name who it is
 * @property {string} url of its WebSocket
 */

/**
 * What passed between this node and its gateway. Its second byte is the frame's kind (docs/protocol.md, 3): 1 hello,
 * 2 gossip, 3 ack, 4 rumor, 5 sync, 6 synced, 7 probe, 8 alive, 9 relay, 10 error, 11 refused, 12 cordon.
 * @typedef {object} Frame
 * @property {boolean} sent true: by this node; false: by its gateway
 * @property {Uint8Array} bytes
 */

/**
 * A line for a log.
 * @typedef {object} Entry
 * @property {"dial" | "joined" | "lost" | "name" | "refused" | "token" | "worker" | "shared" | "unreachable" | "skew" | "leaving" | "stays" | "stale" | "fresh"} kind
 * @property {string} text what happened, for people
 */

/**
 * What a node tells, and what it calls listeners with.
 * @typedef {object} Events
 * @property {(nodes: NodeInfo[]) => void} change these nodes are there, changed, or are no members any more (state "removed"): once for all that changed together, each as it is after that
 * @property {(happened: Happened) => void} event each change of a node, as it happens
 * @property {(name: string) => void} gap something that a node sent was lost, before what comes next of it; "": of any, because this page did not take it in time
 * @property {(gateway: Gateway | null) => void} gateway it let this node in, whose name may be a new one since; null: it is lost, and one is looked for
 * @property {(error: RingError | null) => void} end this one is no node any more and does not come back by itself: removed, its name taken, or broken. null: it left
 * @property {(entry: Entry) => void} log something that a person may want to know. The first who listens is told of what went wrong while this node joined
 * @property {(frame: Frame) => void} frame a frame was sent or received
 */

/**
 * What people may want to know of an event, if anything.
 * @param {any} event as in docs/abi.md
 * @param {string} self this node's name
 * @returns {Entry | undefined}
 */
export function entryOf(event, self) {
  const texts = {
    leaving: `An operator removed ${self}, which ends in some seconds`,
    stays: `${self} was added again, and stays`,
    stale: `${self} was apart for long, and asks others first`,
    fresh: `${self} is believed again`,
  };
  if (event.kind === "skew") {
    if (!event.ahead_micros) return { kind: "skew", text: `The clock of ${event.name} is right again` };
    const seconds = Math.round(event.ahead_micros / 1e6);
    return { kind: "skew", text: `The clock of ${event.name} is ${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead"}` };
  }
  const kind = /** @type {keyof typeof texts} */ (event.kind);
  return texts[kind] ? { kind, text: texts[kind] } : undefined;
}
