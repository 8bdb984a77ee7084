// Which node a guest dials next: those that its user gave, and those that it learnt of from the ring.

import { RingError } from "./errors.js";
import { isUp } from "./view.js";

/** @typedef {import("./view.js").NodeInfo} NodeInfo */

/** The tag by which a node says at which URL browsers reach it (nanoring node --public-url). */
const publicURL = "public-url";

/**
 * Checks the URLs of gateways. One without a scheme is the page's own.
 * @param {(string | URL)[]} gateways
 * @returns {string[]}
 */
export function gatewayURLs(gateways) {
  const urls = gateways.map((gateway) => {
    const url = webSocketURL(gateway, globalThis.location?.href);
    if (!url) {
      throw new RingError("invalid", `The gateway ${gateway} is not a URL like ws://127.0.0.1:7001/ring.`);
    }
    return url;
  });
  if (urls.length === 0) {
    throw new RingError("invalid", "There is no gateway: say the URL of one.");
  }
  return urls;
}

/**
 * @param {string | URL} text
 * @param {string} [base]
 */
function webSocketURL(text, base) {
  let url;
  try {
    url = new URL(text, base);
  } catch {
    return undefined;
  }
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url.protocol === "ws:" || url.protocol === "wss:" ? url.href : undefined;
}

export class Gateways {
  #given;
  /** The members that are not ephemeral, by name. @type {Map<string, NodeInfo>} */
  #members = new Map();
  /** What was dialled since a node let this one in, and what did so last. @type {Set<string>} */
  #tried = new Set();
  /** What has sent this node on to another since then. @type {Set<string>} */
  #closed = new Set();
  #wasIn = false;
  /** Whether browsers reach nodes at the addresses where other nodes do: as they did with a gateway. */
  #byAddress = false;

  /** @param {string[]} given checked URLs */
  constructor(given) {
    this.#given = given;
  }

  /** @param {NodeInfo} node as it is now */
  learn(node) {
    if (node.state === "removed" || node.ephemeral) {
      this.#members.delete(node.name);
    } else {
      this.#members.set(node.name, node);
    }
  }

  /**
   * Notes who let this node in, and where.
   * @param {string} url
   * @param {string} name
   */
  accepted(url, name) {
    this.#tried = new Set([url]);
    this.#closed.clear();
    this.#wasIn = true;
    this.#byAddress = this.#members.get(name)?.address === new URL(url).host;
  }

  /**
   * Notes that a gateway has sent this node on to another one. Where there is no other, it takes it in again.
   * @param {string} url
   */
  sentOn(url) {
    this.#closed.add(url);
    this.#tried.delete(url);
  }

  /**
   * The next one to dial: the first time as they were given, later any that was not tried yet, so that the tabs of a
   * node that died spread over all others. One that is cordoned comes last.
   */
  next() {
    const [open, cordoned] = this.#wasIn ? this.#all() : [this.#given, []];
    const left = (/** @type {string[]} */ urls) => urls.filter((url) => !this.#tried.has(url));
    let urls = left(open).length ? left(open) : left(cordoned);
    if (urls.length === 0) {
      this.#tried.clear();
      urls = open.length ? open : cordoned;
    }
    const url = urls[this.#wasIn ? Math.floor(Math.random() * urls.length) : 0];
    this.#tried.add(url);
    return url;
  }

  /** Those that may be up, and those of them that are cordoned: what was given stays, unless the ring knows better. */
  #all() {
    const up = new Set(this.#given), down = new Set(), cordoned = new Set(this.#closed);
    for (const node of this.#members.values()) {
      const url = this.#urlOf(node);
      if (url) {
        (isUp(node) ? up : down).add(url);
        node.cordoned && cordoned.add(url);
      }
    }
    const all = [...up].filter((url) => !down.has(url));
    const some = all.length ? all : this.#given;
    return [some.filter((url) => !cordoned.has(url)), some.filter((url) => cordoned.has(url))];
  }

  /** Where a node is a gateway, if that is as safe as what was given. @param {NodeInfo} node */
  #urlOf(node) {
    const said = node.tags[publicURL] ?? (this.#byAddress && node.address ? `ws://${node.address}/ring` : "");
    const url = said && webSocketURL(said);
    return url && (url.startsWith("wss:") || this.#given.some((given) => given.startsWith("ws:"))) ? url : undefined;
  }
}
