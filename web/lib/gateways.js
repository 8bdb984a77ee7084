// Which node a guest dials next: those that its user gave, and those that it learnt of from the ring.

import { RingError } from "./errors.js";
import { isUp } from "./view.js";

/** @typedef {import("./view.js").NodeInfo} NodeInfo */

/** The tag by which a node says at which URL browsers reach it (nanoring node --public-url). */
const publicURL = "public-url";

const FIRST = 250, MOST = 3000; // ms; the longest pause before a dial doubles with each failure
const DIALS = 200; // a second, of all guests of a gateway that is lost, to each that is left
const MOST_LEARNT = 8; // gateways that are tried anew
const WIDEST = 2500; // ms over which they spread; the engine gives a dial 5 s, pause and all

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

/**
 * Whether others cannot read what is said there: it is with TLS, or on this machine.
 * @param {string} url
 */
export function isPrivate(url) {
  const { protocol, hostname } = new URL(url);
  return protocol === "wss:" || isLoopback(hostname);
}

/** @param {string} host */
export function isLoopback(host) {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Where one that was in finds gateways when it begins anew: as they were given, and some that it learnt of.
 * @param {string[]} given checked URLs
 * @param {NodeInfo[]} nodes that it knew
 * @param {import("./events.js").Gateway} gateway that let it in last
 */
export function again(given, nodes, { url, name }) {
  const known = new Gateways(given);
  nodes.forEach((node) => known.learn(node));
  known.accepted(url, name);
  const learnt = known.open().filter((url) => !given.includes(url)), from = Math.floor(Math.random() * learnt.length);
  return [...given, ...learnt.slice(from), ...learnt.slice(0, from)].slice(0, given.length + MOST_LEARNT);
}

export class Gateways {
  #given;
  /** The members that are not ephemeral, by name. @type {Map<string, NodeInfo>} */
  #members = new Map();
  /** What was dialled since a node let this one in, and what did so last. @type {Set<string>} */
  #tried = new Set();
  /** What has sent this node on to another since then. @type {Set<string>} */
  #closed = new Set();
  /** Who let this node in. */
  #name = "";
  /** The gateways of guests that are up, by their names. @type {Map<string, string>} */
  #guests = new Map();
  /** Over how many ms its guests spread when it is lost. */
  #spread = 0;
  #wasIn = false;
  /** Whether browsers reach nodes at the addresses where other nodes do: as they did with a gateway. */
  #byAddress = false;
  /** Whether a token is offered, which others may not read. */
  #secret = false;

  /** @param {string[]} given checked URLs */
  constructor(given) {
    this.#given = given;
  }

  /** @param {NodeInfo} node as it is now */
  learn(node) {
    if (node.ephemeral && isUp(node)) {
      this.#guests.set(node.name, node.via);
    } else {
      this.#guests.delete(node.name);
    }
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
    this.#name = name;
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
   * How long to wait before the next dial, in ms, after so many that failed. It is at random, and the longer the more
   * guests have lost the same gateway: they do not come all at once.
   * @param {number} failures
   */
  pause(failures) {
    if (failures === 1) {
      const others = this.#all()[0].filter((url) => !this.#tried.has(url)).length || 1;
      const crowd = [...this.#guests.values()].filter((via) => via === this.#name).length;
      this.#spread = this.#wasIn ? Math.min(WIDEST, crowd / others / DIALS * 1000) : 0;
    }
    const chance = Math.random(), longest = Math.min(MOST, FIRST * 2 ** failures);
    return failures && Math.max(chance * longest, (failures > 1 ? 0.5 + chance : chance) * this.#spread);
  }

  /**
   * The next one to dial: the first time as they were given, later any that was not tried yet, so that the tabs of a
   * node that died spread over all others. One that is cordoned comes last. There is none where it is to be private, and none is.
   * @param {boolean} [secret] whether a token is offered
   * @returns {string | undefined}
   */
  next(secret = false) {
    this.#secret = secret;
    const [open, cordoned] = this.#wasIn ? this.#all() : [this.#may(this.#given), []];
    const left = (/** @type {string[]} */ urls) => urls.filter((url) => !this.#tried.has(url));
    let urls = left(open).length ? left(open) : left(cordoned);
    if (urls.length === 0) {
      this.#tried.clear();
      urls = open.length ? open : cordoned;
    }
    const url = urls[this.#wasIn ? Math.floor(Math.random() * urls.length) : 0];
    url && this.#tried.add(url);
    return url;
  }

  /** Those that may be up, and are not cordoned. */
  open() {
    return this.#all()[0] ?? [];
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
    const all = this.#may([...up].filter((url) => !down.has(url)));
    const some = all.length ? all : this.#may(this.#given);
    return [some.filter((url) => !cordoned.has(url)), some.filter((url) => cordoned.has(url))];
  }

  /** Those that may be dialled. @param {string[]} urls */
  #may(urls) {
    return this.#secret ? urls.filter(isPrivate) : urls;
  }

  /** Where a node is a gateway, if that is as safe as what was given. @param {NodeInfo} node */
  #urlOf(node) {
    const said = node.tags[publicURL] ?? (this.#byAddress && node.address ? `ws://${node.address}/ring` : "");
    const url = said && webSocketURL(said);
    return url && (url.startsWith("wss:") || this.#given.some((given) => given.startsWith("ws:"))) ? url : undefined;
  }
}
