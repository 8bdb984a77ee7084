/**
 * A node of a NanoRing ring that lives in a web page:
 *
 *     import { join } from "http://127.0.0.1:7001/nanoring.js";
 *
 *     const node = await join({ tags: { page: "start" } });
 *     node.on("change", () => console.log(node.up().map((n) => n.name)));
 *
 * It is a guest: a member only while the page is open. It needs no build step, and nothing but the files that it
 * imports and nanoring.wasm, all beside it. README.md says more: Content-Security-Policy, tokens, Node.js.
 *
 * @module
 */

import { load } from "./engine.js";
import { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError, wordOf } from "./errors.js";
import { entryOf } from "./events.js";
import { picks } from "./filter.js";
import { gatewayURLs } from "./gateways.js";
import { live } from "./life.js";
import { Listeners } from "./listeners.js";
import { forget, randomName, remember, remembered } from "./names.js";
import { Operator } from "./operator.js";
import { owners } from "./owners.js";
import { runtimeOf } from "./remote.js";
import { OwnTags } from "./tags.js";
import { allows, expiryOf, tokenOf } from "./token.js";
import { View, isUp, nodeOf } from "./view.js";

export { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError };

/** @typedef {import("./view.js").NodeInfo} NodeInfo */
/** @typedef {import("./view.js").Happened} Happened */
/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {import("./events.js").Gateway} Gateway */
/** @typedef {import("./events.js").Frame} Frame */
/** @typedef {import("./events.js").Entry} Entry */
/** @typedef {import("./events.js").Events} Events */

/**
 * @typedef {object} Options
 * @property {(string | URL)[]} [gateways] the WebSockets of nodes, like ws://127.0.0.1:7001/ring; when one dies, another is taken, of these or of those that the ring knows. Without: /ring beside this file, which is the node that serves it
 * @property {string | (() => string | Promise<string>)} [token] lets this node in, where a gateway asks for one; a function is called for each connection
 * @property {string} [name] who this node is; without: as the token says, else "tab-" and some letters, or "js-" where there is no page
 * @property {Record<string, string>} [tags] its own labels, for all to see; what a token that says which does not allow is left out
 * @property {string} [ring] the ring's name; without: as the token says, or a gateway of the page's own origin, else "nanoring"
 * @property {string | URL} [module] nanoring.wasm; without: the one beside this file
 * @property {AbortSignal} [signal] gives up joining; of no effect once joined
 */

/**
 * Joins a ring, and resolves to this page's node as soon as a gateway has let it in.
 *
 * It rejects with a RingError when none of the gateways does so: UnreachableError (`unreachable`), RemovedError
 * (`removed`), NameTakenError (`name-taken`, only of a name that was given), or with another code of the protocol
 * (`wrong-ring`, `version`, `forbidden`); when it has no token (`token`, `unauthorized`); when it cannot be a node at
 * all: ModuleError (`module`), `unsupported`, `invalid`. Its `retryable` says whether calling join again may help.
 *
 * @param {Options} [options]
 * @returns {Promise<RingNode>}
 */
export function join(options = {}) {
  return RingNode.join(options);
}

/** This page's node. It is made by join. */
export class RingNode {
  #gateways;
  #operator;
  #token;
  /** The token that this node learnt from, for its first connection. */
  #first = "";
  /** What its last token claims. @type {import("./token.js").Claims | undefined} */
  #claims;
  /** How the names begin that it may take. */
  #begin = "";
  #module;
  #tags;
  #ring;
  #name;
  #named; // by its user: the name is kept or the node ends
  /** @type {View} */
  #view = new View((nodes) => this.#listeners.tell("change", nodes), (happened) => this.#listeners.tell("event", happened));
  /** @type {Listeners<Events>} */
  #listeners = new Listeners();

  /** @type {WebAssembly.Module | undefined} */
  #compiled;
  /** @type {import("./remote.js").SomeRuntime | undefined} */
  #runtime;
  /** The URL of the connection that is open, or was last. */
  #url = "";
  /** @type {Gateway | null} */
  #gateway = null;
  /** The gateway that this node's presence names; "" before one let it in. */
  #via = "";
  /** How often in a row a name that it took was taken. */
  #taken = 0;
  #asleep = false;
  /** Which of its lives this is. @type {object | undefined} */
  #life;
  /** Why a gateway refused, in what the engine says, or why there is no token. @type {RingError | undefined} */
  #refusal;
  /** Settles what join returned; undefined when that is done. @type {{resolve: () => void, reject: (error: unknown) => void} | undefined} */
  #joining;
  #ended = new AbortController();

  /** @param {Options} options */
  constructor({ gateways = [new URL("ring", import.meta.url)], token = "", name, tags = {}, ring, module }) {
    this.#gateways = gatewayURLs(gateways);
    this.#operator = new Operator(this.#gateways);
    this.#token = token;
    this.#module = new URL(module ?? new URL("nanoring.wasm", import.meta.url), globalThis.location?.href);
    this.#tags = new OwnTags(tags);
    this.#ring = ring ?? "";
    this.#named = name !== undefined;
    this.#name = name ?? "";
  }

  /** @param {Options} options */
  static async join(options) {
    options ??= {};
    if (typeof WebAssembly !== "object" || typeof WebSocket !== "function") {
      throw new RingError("unsupported", "This browser cannot be a node of a ring: it has no WebAssembly, or no WebSockets.");
    }
    options.signal?.throwIfAborted();
    const node = new RingNode(options);
    const joined = new Promise((resolve, reject) => {
      node.#joining = { resolve: () => resolve(undefined), reject };
    });
    const signal = node.#ended.signal;
    options.signal?.addEventListener("abort", () => node.#joining && node.#end(options.signal?.reason), { signal });
    live({ sleep: () => node.#sleep(), wake: () => node.#wake(), hurry: () => node.#runtime?.hurry() }, signal);
    node.#live();
    await joined;
    return node;
  }

  /** Who this node is. Without a name of its user's it may change when it comes back: another may have it by then. */
  get name() {
    return this.#name;
  }

  /** The ring's name. */
  get ring() {
    return this.#ring;
  }

  /**
   * Where it stands: "joining" while it has no gateway and looks for one.
   * @returns {"joining" | "joined" | "ended"}
   */
  get state() {
    return this.#ended.signal.aborted ? "ended" : this.#gateway ? "joined" : "joining";
  }

  /** The node by which this one is reached; null while there is none. */
  get gateway() {
    return this.#gateway;
  }

  /**
   * All nodes that belong to the ring, this one too, sorted by name; with a filter, those that it picks.
   * @param {Filter} [filter]
   */
  all(filter) {
    return this.#view.all().filter(picks(filter));
  }

  /**
   * Those of them that are up, suspects among them.
   * @param {Filter} [filter]
   */
  up(filter) {
    return this.all(filter).filter(isUp);
  }

  /**
   * The nodes to which a key is given, the first owner first, of those that are up, not ephemeral and not cordoned: all
   * of them if they are fewer than asked for; with a filter, of those that it picks. Whoever has the same of these, page or process,
   * gives a key to the same. Throws a RingError (`invalid`) if the key is empty, the count is no whole number of at least
   * 1, or something is wrong with the filter.
   *
   * @param {string | Uint8Array} key a string is its UTF-8
   * @param {number} [count]
   * @param {Filter} [filter]
   */
  owners(key, count = 1, filter) {
    return owners(key, count, [...this.#view.values()].filter(picks(filter)));
  }

  /**
   * Calls a listener with each event of a kind, until the function that is returned is called.
   *
   * @template {keyof Events} Kind
   * @param {Kind} kind
   * @param {Events[Kind]} listener
   * @returns {() => void}
   */
  on(kind, listener) {
    this.#listeners.add(kind, listener);
    this.#askForFrames();
    return () => {
      this.#listeners.delete(kind, listener);
      this.#askForFrames();
    };
  }

  /**
   * Sets some of this node's own tags, and drops those that are null. All hear of it at once. Rejects with a RingError:
   * `invalid` if they would be too long, `forbidden` if the token does not let it set one of them, `halting` if this node
   * has ended meanwhile.
   *
   * @param {Record<string, string | null>} tags
   * @returns {Promise<void>}
   */
  async setTags(tags) {
    if (this.#ended.signal.aborted) {
      throw new RingError("halting", "This node has ended.");
    }
    await this.#tags.change(this.#runtime, tags);
  }

  /** Says bye to the ring and ends this node. Resolves when its gateway has been told. */
  async leave() {
    const told = this.#runtime?.stop();
    this.#runtime = undefined;
    this.#end(null);
    await told;
  }

  /**
   * Adds a node to the ring, joining its ring and this one. It is the gateway's HTTP API that does so, with the rights
   * of the page: it takes pages of its own origin only. Rejects with a RingError, its code as in docs/api.md.
   *
   * @param {string} address HOST:PORT
   * @param {string} [name] if it does not run yet; else it is asked
   * @returns {Promise<NodeInfo>}
   */
  async add(address, name) {
    return nodeOf(await this.#operator.ask("POST", "v1/nodes", { name, address }));
  }

  /**
   * Removes a node from the ring, in the same way.
   *
   * @param {string} name
   * @returns {Promise<void>}
   */
  async del(name) {
    await this.#operator.ask("DELETE", `v1/nodes/${encodeURIComponent(name)}`);
  }

  /** Brings this node to life: at first, after a sleep, and with a new name. */
  async #live() {
    this.#forgetRing();
    const life = (this.#life = {});
    try {
      const watcher = this.#watcher();
      const [runtime, compiled, ring] = await Promise.all([
        runtimeOf(this.#gateways, watcher),
        this.#compiled ?? load(this.#module),
        this.#compiled ? this.#ring : this.#learn(),
      ]);
      if (this.#life !== life || this.#ended.signal.aborted) {
        return runtime.end(); // it has left, or is asleep
      }
      [this.#compiled, this.#ring] = [compiled, ring];
      this.#name ||= this.#ownName(ring);
      this.#runtime = runtime;
      this.#askForFrames();
      await runtime.start(compiled, this.#settings());
    } catch (error) {
      if (this.#life === life) {
        this.#end(error);
      }
    }
  }

  /** Has a token, and learns what it may be with it; without, of which ring. Returns the ring's name. */
  async #learn() {
    const { text, claims } = await tokenOf(this.#token);
    if (!claims) {
      return this.#ring || this.#operator.ring();
    }
    if (this.#ring && this.#ring !== claims.ring) {
      throw new RingError("wrong-ring", `The token is for the ring ${claims.ring}, not for ${this.#ring}.`);
    }
    if (this.#name && !allows(claims, this.#name)) {
      throw new RingError("forbidden", `The token lets in ${claims.name}, not ${this.#name}.`);
    }
    [this.#first, this.#claims] = [text, claims];
    this.#tags.allow(claims);
    if (claims.name.endsWith("*")) {
      this.#begin = claims.name.slice(0, -1);
    } else {
      [this.#name, this.#named] = [claims.name, true];
    }
    return claims.ring;
  }

  /** @param {string} ring */
  #ownName(ring) {
    const old = remembered(ring);
    return old?.startsWith(this.#begin) ? old : randomName(this.#begin);
  }

  /** @returns {import("./runtime.js").Watcher} */
  #watcher() {
    return {
      token: () => this.#askToken(),
      dialing: (url) => this.#log("dial", `Dialling ${url}`),
      opened: (url) => (this.#url = url),
      closed: (failures, sentOn) => this.#closed(failures, sentOn),
      event: (event) => this.#event(event),
      frame: (sent, bytes) => this.#listeners.tell("frame", { sent, bytes }),
      halted: (reason, text) => this.#halted(reason, text),
      broke: (error) => this.#end(error),
    };
  }

  #askForFrames() {
    if (this.#runtime) {
      this.#runtime.frames = this.#listeners.has("frame");
    }
  }

  /** @returns {Promise<string>} */
  async #askToken() {
    const first = this.#first;
    if (first) {
      this.#first = "";
      return first;
    }
    try {
      const { text, claims } = await tokenOf(this.#token);
      this.#claims = claims;
      return text;
    } catch (error) {
      this.#refusal = /** @type {RingError} */ (error);
      this.#log("refused", this.#refusal.message);
      throw error;
    }
  }

  /** @returns {[string, string | bigint][]} */
  #settings() {
    const [seed = 0n, nonce = 0n] = crypto.getRandomValues(new BigInt64Array(2));
    return [
      ["ring", this.#ring],
      ["name", this.#name],
      ["ephemeral", 1n],
      ["seed", seed],
      ["instance-start", BigInt(Date.now()) * 1000n],
      ["instance-nonce", nonce],
      ["join", "gateway:443"], // the runtime knows where that is
      ...this.#tags.settings,
    ];
  }

  /** The page is left, or frozen. It may come back. */
  #sleep() {
    if (this.#asleep) {
      return;
    }
    this.#asleep = true;
    this.#life = undefined;
    this.#runtime?.sleep();
    this.#runtime = undefined;
    this.#tags.lost();
    this.#setGateway(null);
  }

  #wake() {
    if (this.#asleep) {
      this.#asleep = false;
      this.#live();
    }
  }

  /** A new life begins with nothing known. */
  #forgetRing() {
    this.#runtime?.end();
    this.#runtime = undefined;
    this.#tags.lost();
    this.#setGateway(null);
    this.#view.clear();
    this.#refusal = undefined;
    this.#first = "";
  }

  /** @param {any} error null if it left; what is not a RingError is why its user gave up */
  #end(error) {
    if (this.#ended.signal.aborted) {
      return;
    }
    this.#ended.abort();
    this.#runtime?.end();
    this.#tags.lost();
    this.#setGateway(null);
    if (this.#joining) {
      this.#joining.reject(error ?? new RingError("halting", "This node has left."));
    } else {
      this.#listeners.tell("end", error);
    }
  }

  /** @param {Gateway | null} gateway */
  #setGateway(gateway) {
    this.#via = gateway?.name ?? "";
    if (gateway || this.#gateway) {
      this.#gateway = gateway && Object.freeze(gateway);
      this.#listeners.tell("gateway", this.#gateway);
    }
  }

  // What the runtime tells.

  /** @param {any} event as in docs/abi.md */
  #event(event) {
    switch (event.kind) {
      case "node":
        this.#changed(nodeOf(event.node));
        break;
      case "result":
        this.#tags.answered(event);
        break;
      case "refused":
        this.#refusal = new RingError(wordOf(event.code), `The gateway at ${this.#url} does not let this page in: ${event.text}.`);
        this.#log("refused", `Refused: ${event.text}`);
        break;
      default: {
        const entry = entryOf(event, this.#name);
        entry && this.#log(entry.kind, entry.text);
      }
    }
  }

  /** @param {NodeInfo} node */
  #changed(node) {
    this.#view.set(node);
    if (node.name === this.#name && isUp(node)) {
      this.#via = node.via;
    }
    // It is in when it names a gateway, and knows something of the ring.
    if (this.#runtime && !this.#gateway && isUp(this.#view.get(this.#via))) {
      this.#joined({ name: this.#via, url: this.#url });
    }
  }

  /** @param {Gateway} gateway */
  #joined(gateway) {
    this.#runtime?.accepted(gateway.url, gateway.name);
    this.#taken = 0;
    this.#refusal = undefined;
    if (!this.#named) {
      remember(this.#ring, this.#name);
    }
    this.#setGateway(gateway);
    this.#log("joined", `${gateway.name} at ${gateway.url} is the gateway of ${this.#name}`);
    this.#joining?.resolve();
    this.#joining = undefined;
  }

  /**
   * A connection is over. The engine dials again; join, though, ends when all gateways were tried, and so does a node
   * that was in once, when its token has expired and it can have no other.
   * @param {number} failures
   * @param {boolean} sentOn
   */
  #closed(failures, sentOn) {
    const another = typeof this.#token === "function";
    const expiry = expiryOf(this.#claims, another);
    if (this.#gateway) {
      const { name } = this.#gateway;
      this.#log("lost", sentOn ? `${name} takes no guests any more, and has sent ${this.#name} on` : `The connection with ${name} is lost`);
    } else if (expiry) {
      this.#refusal ??= expiry;
      this.#log("refused", expiry.message);
    }
    this.#setGateway(null);
    if (this.#joining ? failures >= this.#gateways.length : expiry && !another && failures > this.#gateways.length) {
      const [at, from] = [this.#gateways.join(" or "), globalThis.location?.origin];
      const how = this.#claims ? "with this token" : "without a token";
      this.#end(this.#refusal ?? new UnreachableError("unreachable", `No gateway answers at ${at}. Does it run, and let ${from ? `pages of ${from}` : "this program"} in ${how}?`, { retryable: true }));
    }
  }

  /**
   * @param {number} reason
   * @param {string} text
   */
  #halted(reason, text) {
    if (reason === 3) {
      forget(this.#ring);
      this.#end(new RemovedError("removed", `An operator removed ${this.#name} from the ring ${this.#ring}.`));
    } else if (reason === 4 && (this.#named || ++this.#taken > 5)) {
      this.#end(new NameTakenError("name-taken", `The name ${this.#name} cannot be had: ${text}.`));
    } else if (reason === 4) {
      const old = this.#name;
      this.#name = randomName(this.#begin);
      this.#log("name", `The name ${old} is taken: this node is ${this.#name} now`);
      this.#live();
    } else {
      this.#end(new RingError("halting", `This node halted: ${text}.`));
    }
  }

  /**
   * @param {Entry["kind"]} kind
   * @param {string} text
   */
  #log(kind, text) {
    this.#listeners.tell("log", { kind, text });
  }
}
