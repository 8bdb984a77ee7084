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

import { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError } from "./errors.js";
import { picks } from "./filter.js";
import { Member } from "./member.js";
import { check, reasonOf } from "./needs.js";
import { owners } from "./owners.js";
import { SharedMember } from "./shared.js";
import { tabsOf } from "./tabs.js";
import { isUp, nodeOf } from "./view.js";

export { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError, tabsOf };

/** @typedef {import("./view.js").NodeInfo} NodeInfo */
/** @typedef {import("./view.js").Happened} Happened */
/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {import("./events.js").Gateway} Gateway */
/** @typedef {import("./events.js").Frame} Frame */
/** @typedef {import("./events.js").Entry} Entry */
/** @typedef {import("./events.js").Events} Events */
/** @typedef {import("./said.js").Answer} Answer */
/** @typedef {import("./said.js").Message} Message */
/** @typedef {import("./messages.js").AskOptions} AskOptions */
/** @typedef {import("./messages.js").Heard} Heard */
/** @typedef {import("./questions.js").Answers} Answers */
/** @typedef {import("./questions.js").Answerer} Answerer */

/**
 * @typedef {{
 *   (...patterns: string[]): Heard;
 *   (...patternsAndListener: [...patterns: string[], listener: (message: Message) => void]): () => void;
 * }} Listen
 */

/**
 * @typedef {object} Options
 * @property {(string | URL)[]} [gateways] the WebSockets of nodes, like ws://127.0.0.1:7001/ring; when one dies, another is taken, of these or of those that the ring knows. Without: /ring beside this file, which is the node that serves it
 * @property {string | (() => string | Promise<string>)} [token] lets this node in, where a gateway asks for one; a function is called for each connection
 * @property {string | (() => string)} [operator] a token of the role operator, with which a page of the gateway's own origin adds, removes and cordons nodes in a ring with a secret
 * @property {string} [name] who this node is; without: as the token says, else "tab-" and some letters, or "js-" where there is no page
 * @property {Record<string, string>} [tags] its own labels, for all to see; what a token that says which does not allow is left out
 * @property {string} [ring] the ring's name; without: as the token says, or a gateway of the page's own origin, else "nanoring"
 * @property {string | URL} [module] nanoring.wasm; without: the one beside this file
 * @property {boolean} [shared] tabs of one origin that join alike share one node, in a SharedWorker; where they cannot, this one is a node of its own, and a `log` event says why
 * @property {AbortSignal} [signal] gives up joining; of no effect once who waits for join has the node
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
export function join(options) {
  const joins = begin(options ?? {}), signal = options?.signal;
  signal && joins.then((node) => void (signal.aborted && node.leave()), () => {}); // just before who waits for it has it
  return joins;
}

/**
 * @param {Options} options
 * @returns {Promise<RingNode>}
 */
async function begin(options) {
  check();
  if (options.signal?.aborted) {
    throw reasonOf(options.signal);
  }
  let why = "";
  if (options.shared) {
    const shared = new SharedMember(options);
    why = await shared.join(options.signal);
    if (!why) {
      return kept(shared, options.signal);
    }
    if (options.signal?.aborted) {
      throw reasonOf(options.signal);
    }
  }
  const member = new Member(options);
  why && member.note("shared", `This tab is a node of its own, and shares none: ${why}`);
  await member.join(options.signal);
  return kept(member, options.signal);
}

/**
 * Who gives up before join has said so has no node.
 * @param {Member | SharedMember} member
 * @param {AbortSignal} [signal]
 */
function kept(member, signal) {
  if (signal?.aborted) {
    member.leave();
    throw reasonOf(signal);
  }
  return new RingNode(member);
}

/** This page's node. It is made by join. */
export class RingNode {
  #member;

  /** @param {object} member what join makes: none of the types that are published */
  constructor(member) {
    this.#member = /** @type {Member} */ (member);
  }

  #alive() {
    if (this.#member.ended.signal.aborted) {
      throw new RingError("halting", "This node has ended.");
    }
    return this.#member;
  }

  /** Who this node is. Without a name of its user's it may change when it comes back: another may have it by then. */
  get name() {
    return this.#member.name;
  }

  /** The ring's name. */
  get ring() {
    return this.#member.ring;
  }

  /**
   * Where it stands: "joining" while it has no gateway and looks for one.
   * @returns {"joining" | "joined" | "ended"}
   */
  get state() {
    return this.#member.ended.signal.aborted ? "ended" : this.#member.gateway ? "joined" : "joining";
  }

  /** The node by which this one is reached; null while there is none. */
  get gateway() {
    return this.#member.gateway;
  }

  /**
   * All nodes that belong to the ring, this one too, sorted by name; with a filter, those that it picks.
   * @param {Filter} [filter]
   */
  all(filter) {
    return this.#member.view.all().filter(picks(filter));
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
    return owners(key, count, [...this.#member.view.values()].filter(picks(filter)));
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
    this.#member.listeners.add(kind, listener);
    this.#member.askForFrames();
    return () => {
      this.#member.listeners.delete(kind, listener);
      this.#member.askForFrames();
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
    await this.#alive().tags.change(tags);
  }

  /**
   * Sends a message to all nodes that are up, this one too, or to those of them that a filter picks. Who listens to the
   * topic hears it once, after what this node sent before. Resolves when the gateway has taken it. Rejects with a
   * RingError: `invalid`, `forbidden` if the token does not let it send on the topic, `busy` if it sends too much, `nobody`
   * if no gateway has taken it in 30 s, `halting`.
   *
   * @param {string} topic 1 to 64 of a-z A-Z 0-9 . _ -
   * @param {string | Uint8Array} [payload] at most 8 KiB
   * @param {{to?: Filter}} [options]
   * @returns {Promise<void>}
   */
  async send(topic, payload = "", { to } = {}) {
    await this.#member.messages.send(topic, payload, to);
  }

  /**
   * Sends a message to one node, wherever it hangs. Resolves when that has heard it. Rejects like send, and with
   * `unknown-node`, `nobody` if nobody there listens to the topic, and `unreachable` if it has not confirmed in 30 s: it may
   * have heard it, or not.
   *
   * @param {string} name
   * @param {string} topic
   * @param {string | Uint8Array} [payload]
   * @returns {Promise<void>}
   */
  async tell(name, topic, payload = "") {
    await this.#member.messages.tell(name, topic, payload);
  }

  /**
   * Asks all nodes that are up, and where somebody answers the topic: this one too. What it returns is for one loop,
   * `for await (const { from, text } of node.ask("who"))`, which ends when all have answered, or enough of them, or the
   * time is over; who breaks off calls the question off. Afterwards it says who is `silent`, and who has `failed`. The
   * loop throws like send.
   *
   * @param {string} topic
   * @param {string | Uint8Array} [payload]
   * @param {AskOptions} [options]
   */
  ask(topic, payload = "", options = {}) {
    return this.#member.messages.ask(topic, payload, options);
  }

  /**
   * Hears from now on what is sent to all, or told this node, on the topics of some patterns, in which `*` stands for any
   * characters; none stand for all. With a function as last argument it is called with each message, until the function
   * that is returned is called. Without, what is returned is for one loop, `for await (const { from, text } of
   * node.listen("chat.*"))`, which ends with the node; if that does not read, the oldest are lost beyond 256, and the next has
   * a `gap`. Throws `invalid` for a pattern that is none, and `forbidden` if the token lets it hear nothing of that.
   *
   * @type {Listen}
   */
  listen = (/** @type {any[]} */ ...args) => {
    const listener = typeof args[args.length - 1] === "function" && args.pop();
    const patterns = args.length ? args : ["*"];
    const { messages } = this.#alive();
    return listener ? messages.listen(patterns, (message) => queueMicrotask(() => listener(message))) : /** @type {any} */ (messages.heard(patterns));
  };

  /**
   * Answers what is asked on a topic, or on those of a pattern, with what a function returns, until the function that is
   * returned is called: 16 at a time, and 256 wait. Who asked is told of what it throws; a RingError of the code `busy` says
   * that there is too much to do. Of several functions the first answers. Throws like listen.
   *
   * @param {string} pattern
   * @param {Answerer} answerer
   * @returns {() => void}
   */
  answer(pattern, answerer) {
    return this.#alive().messages.answer(pattern, answerer);
  }

  /** Says bye to the ring and ends this node. Resolves when its gateway has been told. */
  async leave() {
    await this.#member.leave();
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
    return nodeOf(await this.#member.operator.ask("POST", "v1/nodes", { name, address }));
  }

  /**
   * Removes a node from the ring, in the same way.
   *
   * @param {string} name
   * @returns {Promise<void>}
   */
  async del(name) {
    await this.#member.operator.ask("DELETE", `v1/nodes/${encodeURIComponent(name)}`);
  }

  /**
   * Has a node be given nothing new, in the same way: it is up, but owns no keys, and takes no new guests. Resolves when it
   * says so itself.
   *
   * @param {string} name
   * @returns {Promise<NodeInfo>}
   */
  async cordon(name) {
    return nodeOf(await this.#member.operator.ask("PUT", `v1/nodes/${encodeURIComponent(name)}/cordon`));
  }

  /**
   * Ends that, in the same way.
   *
   * @param {string} name
   * @returns {Promise<NodeInfo>}
   */
  async uncordon(name) {
    return nodeOf(await this.#member.operator.ask("DELETE", `v1/nodes/${encodeURIComponent(name)}/cordon`));
  }
}
