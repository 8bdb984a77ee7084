/**
 * A node of a NanoRing ring that lives in a web page:
 *
 *     import { join } from "http://127.0.0.1:7001/nanoring.js";
 *
 *     const node = await join({ tags: { page: "start" } });
 *     node.on("change", () => console.log(node.up().map((n) => n.name)));
 *
 * It is a guest: a member only while the page is open. It needs no build step, and nothing but the
 * files that it imports and nanoring.wasm, all beside it. A page's Content-Security-Policy has to allow 'wasm-unsafe-eval' in
 * script-src, and in connect-src the gateways and nanoring.wasm.
 *
 * A page that is left says bye, so that the ring knows at once; one that comes back from the browser's back/forward
 * cache joins again; one that is reloaded has the same name as before.
 *
 * @module
 */

import { load } from "./engine.js";
import { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError, wordOf } from "./errors.js";
import { Gateways } from "./gateways.js";
import { forget, randomName, remember, remembered } from "./names.js";
import { owners } from "./owners.js";
import { Runtime } from "./runtime.js";

export { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError };

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

/**
 * The node by which this one is reached.
 * @typedef {object} Gateway
 * @property {string} name who it is
 * @property {string} url of its WebSocket
 */

/**
 * What passed between this node and its gateway. Its second byte is the frame's kind (docs/protocol.md, 3): 1 hello,
 * 2 gossip, 3 ack, 4 rumor, 5 sync, 6 synced, 7 probe, 8 alive, 9 relay, 10 error.
 * @typedef {object} Frame
 * @property {boolean} sent true: by this node; false: by its gateway
 * @property {Uint8Array} bytes
 */

/**
 * A line for a log.
 * @typedef {object} Entry
 * @property {"dial" | "joined" | "lost" | "name" | "refused" | "skew" | "leaving" | "stays" | "stale" | "fresh"} kind
 * @property {string} text what happened, for people
 */

/**
 * What a node tells, and what it calls listeners with.
 * @typedef {object} Events
 * @property {(nodes: NodeInfo[]) => void} change these nodes are there, changed, or are no members any more (state "removed"): once for all that changed together, each as it is after that
 * @property {(gateway: Gateway | null) => void} gateway it let this node in, whose name may be a new one since; null: it is lost, and one is looked for
 * @property {(error: RingError | null) => void} end this one is no node any more and does not come back by itself: removed, its name taken, or broken. null: it left
 * @property {(entry: Entry) => void} log something that a person may want to know
 * @property {(frame: Frame) => void} frame a frame was sent or received
 */

/**
 * @typedef {object} Options
 * @property {(string | URL)[]} [gateways] the WebSockets of nodes, like ws://127.0.0.1:7001/ring; when one dies, another is taken. Without: /ring beside this file, which is the node that serves it
 * @property {string} [name] who this node is; without: "tab-" and some letters
 * @property {Record<string, string>} [tags] its own labels, for all to see
 * @property {string} [ring] the ring's name; without: as a gateway of the page's own origin says, else "nanoring"
 * @property {string | URL} [module] nanoring.wasm; without: the one beside this file
 * @property {AbortSignal} [signal] gives up joining; of no effect once joined
 */

/**
 * Joins a ring, and resolves to this page's node as soon as a gateway has let it in.
 *
 * It rejects with a RingError when none of the gateways does so: UnreachableError (`unreachable`), RemovedError
 * (`removed`), NameTakenError (`name-taken`, only of a name that was given), or with another code of the protocol
 * (`wrong-ring`, `version`, `forbidden`); when it cannot be a node at all: ModuleError (`module`), `unsupported`,
 * `invalid`. Its `retryable` says whether calling join again may help.
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
  #module;
  #tags;
  #ring;
  #name;
  #named; // by its user: the name is kept or the node ends
  /** @type {Map<string, NodeInfo>} */
  #nodes = new Map();
  /** What listeners have not been told of yet. @type {Map<string, NodeInfo>} */
  #changes = new Map();
  /** @type {Map<keyof Events, Set<(detail: any) => void>>} */
  #listeners = new Map();

  /** @type {WebAssembly.Module | undefined} */
  #compiled;
  /** @type {Runtime | undefined} */
  #runtime;
  /** @type {Gateway | null} */
  #gateway = null;
  /** The gateway that this node's presence names; "" before one let it in. */
  #via = "";
  /** How often in a row a name that it took was taken. */
  #taken = 0;
  /** Why a gateway refused, in what the engine says. @type {{code: number, text: string, address: string} | undefined} */
  #refusal;
  /** Settles what join returned; undefined when that is done. @type {{resolve: () => void, reject: (error: unknown) => void} | undefined} */
  #joining;
  #ended = new AbortController();

  /** @param {Options} options */
  constructor({ gateways = [new URL("ring", import.meta.url)], name, tags = {}, ring, module }) {
    this.#gateways = new Gateways(gateways);
    this.#module = new URL(module ?? new URL("nanoring.wasm", import.meta.url), location.href);
    this.#tags = tags;
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
    addEventListener("pagehide", () => node.#sleep(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && node.#live(), { signal });
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

  /** All nodes that belong to the ring, this one too, sorted by name. */
  all() {
    return [...this.#nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Those of them that are up, suspects among them. */
  up() {
    return this.all().filter(isUp);
  }

  /**
   * The nodes to which a key is given, the first owner first, of those that are up and not ephemeral: all of them if
   * they are fewer than asked for. Whoever has the same nodes up, page or process, gives a key to the same. Throws a
   * RingError (`invalid`) if the key is empty, or the count is no whole number of at least 1.
   *
   * @param {string | Uint8Array} key a string is its UTF-8
   * @param {number} [count]
   */
  owners(key, count = 1) {
    return owners(key, count, this.#nodes.values());
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
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /** Says bye to the ring and ends this node. Resolves when its gateway has been told. */
  async leave() {
    const told = this.#runtime?.stop();
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
    return nodeOf(await this.#gateways.ask("POST", "v1/nodes", { name, address }));
  }

  /**
   * Removes a node from the ring, in the same way.
   *
   * @param {string} name
   * @returns {Promise<void>}
   */
  async del(name) {
    await this.#gateways.ask("DELETE", `v1/nodes/${encodeURIComponent(name)}`);
  }

  /** Brings this node to life: at first, from the back/forward cache, and with a new name. */
  async #live() {
    this.#forgetRing();
    const runtime = new Runtime(this.#gateways.urls, {
      dialing: (url) => this.#log("dial", `Dialling ${url}`),
      closed: () => this.#closed(),
      event: (event) => this.#event(event),
      frame: (sent, bytes) => this.#emit("frame", { sent, bytes }),
      halted: (reason, text) => this.#halted(reason, text),
      broke: (error) => this.#end(error),
    });
    this.#runtime = runtime;
    try {
      [this.#compiled, this.#ring] = await Promise.all([
        this.#compiled ?? load(this.#module),
        this.#ring || this.#gateways.ring(),
      ]);
      this.#name ||= remembered(this.#ring) ?? randomName();
      await runtime.start(this.#compiled, this.#settings());
    } catch (error) {
      if (this.#runtime === runtime) {
        this.#end(error);
      }
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
      ...this.#gateways.addresses.map((address) => /** @type {[string, string]} */ (["join", address])),
      ...Object.entries(this.#tags).map(([key, value]) => /** @type {[string, string]} */ ([`tag:${key}`, String(value)])),
    ];
  }

  /** The page is left. It may come back. */
  #sleep() {
    this.#runtime?.stop();
    this.#runtime = undefined;
    this.#setGateway(null);
  }

  /** A new life begins with nothing known. */
  #forgetRing() {
    this.#runtime?.end();
    this.#setGateway(null);
    for (const node of this.#nodes.values()) {
      this.#change(Object.freeze({ ...node, state: "removed" }));
    }
    this.#nodes.clear();
    this.#refusal = undefined;
  }

  /** @param {unknown} error null if it left; what is not a RingError is why its user gave up */
  #end(error) {
    if (this.#ended.signal.aborted) {
      return;
    }
    this.#ended.abort();
    this.#runtime?.end();
    this.#setGateway(null);
    if (this.#joining) {
      this.#joining.reject(error ?? new RingError("halting", "This node has left."));
    } else {
      this.#emit("end", error);
    }
  }

  /** @param {Gateway | null} gateway */
  #setGateway(gateway) {
    this.#via = gateway?.name ?? "";
    if (gateway || this.#gateway) {
      this.#gateway = gateway && Object.freeze(gateway);
      this.#emit("gateway", this.#gateway);
    }
  }

  // What the runtime tells.

  /** @param {any} event as in docs/abi.md */
  #event(event) {
    switch (event.kind) {
      case "node":
        this.#changed(nodeOf(event.node));
        break;
      case "refused":
        this.#refusal = event;
        this.#log("refused", `Refused: ${event.text}`);
        break;
      case "skew": {
        const seconds = Math.round(event.ahead_micros / 1e6);
        this.#log("skew", `The clock of ${event.name} is ${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead"}`);
        break;
      }
      case "leaving":
        this.#log("leaving", `An operator removed ${this.#name}, which ends in some seconds`);
        break;
      case "stays":
        this.#log("stays", `${this.#name} was added again, and stays`);
        break;
      case "stale":
        this.#log("stale", `${this.#name} was apart for long, and asks others first`);
        break;
      case "fresh":
        this.#log("fresh", `${this.#name} is believed again`);
    }
  }

  /** @param {NodeInfo} node */
  #changed(node) {
    if (node.state === "removed") {
      this.#nodes.delete(node.name);
    } else {
      this.#nodes.set(node.name, node);
    }
    this.#change(node);
    if (node.name === this.#name && isUp(node)) {
      this.#via = node.via;
    }
    // It is in when it names a gateway, and knows something of the ring.
    if (this.#runtime && !this.#gateway && isUp(this.#nodes.get(this.#via))) {
      this.#joined({ name: this.#via, url: this.#runtime.url });
    }
  }

  /** @param {NodeInfo} node */
  #change(node) {
    if (!this.#changes.size) {
      queueMicrotask(() => {
        this.#emit("change", [...this.#changes.values()]);
        this.#changes.clear();
      });
    }
    this.#changes.set(node.name, node);
  }

  /** @param {Gateway} gateway */
  #joined(gateway) {
    if (this.#runtime) {
      this.#runtime.failures = 0;
    }
    this.#taken = 0;
    if (!this.#named) {
      remember(this.#ring, this.#name);
    }
    this.#setGateway(gateway);
    this.#log("joined", `${gateway.name} at ${gateway.url} is the gateway of ${this.#name}`);
    this.#joining?.resolve();
    this.#joining = undefined;
  }

  /** A connection is over. The engine dials again; join, though, ends when all gateways were tried. */
  #closed() {
    if (this.#gateway) {
      this.#log("lost", `The connection with ${this.#gateway.name} is lost`);
    }
    this.#setGateway(null);
    if (!this.#joining || !this.#runtime || this.#runtime.failures < this.#gateways.urls.size) {
      return;
    }
    if (this.#refusal) {
      this.#end(new RingError(wordOf(this.#refusal.code), `The gateway at ${this.#refusal.address} does not let this page in: ${this.#refusal.text}.`));
    } else {
      this.#end(new UnreachableError("unreachable", `No gateway answers at ${this.#gateways}. Does it run, and let pages of ${location.origin} in?`, { retryable: true }));
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
      this.#name = randomName();
      this.#log("name", `The name ${old} is taken: this node is ${this.#name} now`);
      this.#live();
    } else {
      this.#end(new RingError("halting", `This node halted: ${text}.`));
    }
  }

  /**
   * Listeners are called after what is under way, so that they may do anything.
   * @param {keyof Events} kind
   * @param {unknown} detail
   */
  #emit(kind, detail) {
    const listeners = this.#listeners.get(kind);
    for (const listener of listeners ?? []) {
      queueMicrotask(() => listeners?.has(listener) && listener(detail));
    }
  }

  /**
   * @param {Entry["kind"]} kind
   * @param {string} text
   */
  #log(kind, text) {
    this.#emit("log", { kind, text });
  }
}

/** @param {NodeInfo | undefined} node */
function isUp(node) {
  return node?.state === "up" || node?.state === "suspect";
}

/**
 * Fills in what an event leaves out.
 * @param {any} fields
 * @returns {NodeInfo}
 */
function nodeOf(fields) {
  const empty = { ephemeral: false, address: "", via: "", incarnation: 0, instance: "", version: 0 };
  return Object.freeze({ ...empty, ...fields, tags: Object.freeze({ ...fields.tags }) });
}
