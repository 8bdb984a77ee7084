// A tab of a node that tabs share, which lives in a SharedWorker: hub.js is its other end.

import { moduleAt, ownGateway } from "./beside.js";
import { Commands } from "./commands.js";
import { RingError } from "./errors.js";
import { gatewayURLs } from "./gateways.js";
import { sharedWorker } from "./generations.js";
import { live } from "./life.js";
import { Line, revived } from "./line.js";
import { Listeners } from "./listeners.js";
import { held } from "./locks.js";
import { Messages } from "./messages.js";
import { forget, remember, remembered } from "./names.js";
import { reasonOf } from "./needs.js";
import { Operator } from "./operator.js";
import { TABS } from "./tabs.js";
import { Tokens, mayHear } from "./token.js";
import { View, nodeOf } from "./view.js";
import { waits, within } from "./waits.js";

/** @typedef {import("./nanoring.js").Options} Options */
/** @typedef {import("./events.js").Events} Events */
/** @typedef {import("./events.js").Gateway} Gateway */

const VERSION = 1; // of what a tab and the Worker say to each other
const MOST_CALLS = 3; // of a token function, until join gives up
const MOST_HUNG = 2; // SharedWorkers, one after another, until a tab shares none
const FIRST = 250, MOST = 3000; // ms between attempts to come back

/** It has what a RingNode needs of a Member. */
export class SharedMember {
  /** @type {Listeners<Events>} */
  listeners = new Listeners("log", ({ kind }) => kind !== "dial" && kind !== "joined");
  view = new View((nodes) => this.listeners.tell("change", nodes), (happened) => this.listeners.tell("event", happened));
  /** @type {Gateway | null} */
  gateway = null;
  name = "";
  ring = "";
  ended = new AbortController();
  /** Its own tags. */
  tags = { change: (/** @type {Record<string, string | null>} */ patch) => this.#setTags(patch) };
  #commands = new Commands();
  messages = new Messages(this.#commands, (pattern) => mayHear(this.#claims, pattern), (name) => this.listeners.tell("gap", name));

  #given;
  #own;
  #tokens;
  /** @type {import("./token.js").Claims | undefined} */
  #claims;
  /** @type {Line | undefined} */
  #line;
  /** Which of its lives this is. */
  #life = new AbortController();
  /** What the Worker is called, by which tabs find the same. */
  #key = "";
  #asleep = false;
  /** Resolves when it is not asleep. */
  #awake = Promise.resolve();
  #wakes = () => {};
  /** A token that the Worker has asked for. @type {Promise<string> | undefined} */
  #asked;
  #joining = true;
  /** Ends the attempts to come back. */
  #again = new AbortController();
  /** Makes the next one at once. */
  #hurry = () => {};

  /** @param {Options} options */
  constructor({ gateways = ownGateway(), token = "", operator = "", name, tags = {}, ring, module }) {
    const urls = gatewayURLs(gateways);
    this.#given = { gateways: urls, name, ring, module: moduleAt(module).href };
    this.#own = checked(tags);
    this.#tokens = new Tokens(token, (text) => this.listeners.tell("log", { kind: "token", text }));
    this.operator = new Operator(urls, operator);
  }

  /**
   * Resolves when this tab is in, with "", or with why it can share no node. Rejects with why there is none.
   * @param {AbortSignal} [giveUp]
   * @returns {Promise<string>}
   */
  async join(giveUp) {
    const { signal } = this.ended;
    giveUp?.addEventListener("abort", () => this.#joining && this.#end(reasonOf(giveUp)), { signal });
    live({ sleep: () => this.#sleep(), wake: () => this.#wake(), hurry: () => (this.#hurry(), this.#line?.say("hurry")) }, signal);
    try {
      const why = await this.#come();
      why && this.ended.abort();
      return why;
    } catch (error) {
      this.ended.abort();
      this.#part(false);
      throw giveUp?.aborted ? reasonOf(giveUp) : error;
    } finally {
      this.#joining = false;
    }
  }

  /** Comes in for the first time: a tab that was asleep meanwhile, or whose Worker has died, begins anew. */
  async #come() {
    for (;;) {
      await this.#awake;
      try {
        return await this.#connect();
      } catch (error) {
        if (this.ended.signal.aborted || !this.#life.signal.aborted) {
          throw error;
        }
      }
    }
  }

  /** Comes back, after a sleep, or when the Worker has died. */
  async #live() {
    this.#again.abort();
    const { signal } = (this.#again = new AbortController());
    for (let pause = FIRST; !signal.aborted; pause = Math.min(2 * pause, MOST)) {
      try {
        const why = await this.#connect();
        why && this.#end(new RingError("unsupported", `This tab cannot share a node any more: ${why}`, { retryable: true }));
        return;
      } catch (/** @type {any} */ error) {
        if (!signal.aborted && !error.retryable) {
          return this.#end(error);
        }
        signal.aborted || this.#part(false);
      }
      await new Promise((next) => {
        this.#hurry = () => next(0);
        setTimeout(next, pause * (0.5 + Math.random() / 2));
      });
    }
  }

  /** Comes in. Resolves with "", or with why it can share no node. */
  async #connect() {
    const life = (this.#life = new AbortController()), { signal } = life;
    const { text: token, claims } = await this.#tokens.next(signal, MOST_CALLS);
    const { gateways, ring = claims?.ring, name = claims?.name, module } = this.#given;
    this.#key = `nanoring ${VERSION} ${JSON.stringify([ring, name, module, ...gateways])}`;
    const lock = await held(`nanoring tab ${Math.random()}`, signal);
    let line;
    try {
      line = await this.#begun(signal);
    } catch (/** @type {any} */ error) {
      life.abort();
      return String(error.message);
    }
    if (signal.aborted) {
      line.end();
      throw new RingError("halting", "This node has left.");
    }
    this.#line = line;
    const options = this.#given, renews = this.#tokens.renews;
    const why = await line.ask("join", { options, tags: this.#own, renews, token, old: remembered(this.#key) ?? "", lock });
    why && this.#part(false);
    return why;
  }

  /**
   * A line to the Worker, when it has begun.
   * @param {AbortSignal} signal of this life
   */
  async #begun(signal) {
    let line, whenLeft;
    for (let hung = 0; !line; ) {
      const { worker, hangs, whenLeft: when } = sharedWorker(this.#key);
      const said = new Line(worker.port, this.#does());
      const fails = new Promise((_, reject) => (worker.onerror = () => reject(new Error("its SharedWorker cannot be loaded: it is not there, or the page's Content-Security-Policy (worker-src) forbids it"))));
      try {
        await within(waits.worker, Promise.race([said.ask("hello"), fails]), "its SharedWorker does not begin");
        [line, whenLeft] = [said, when];
      } catch (/** @type {any} */ error) {
        said.end();
        if (error.code === "timeout" && !signal.aborted) { // who was asleep may not judge
          hangs();
          hung++;
        }
        if (!hung || hung === MOST_HUNG || signal.aborted) {
          throw error;
        }
      }
    }
    const leave = (/** @type {string} */ why) => {
      if (signal.aborted) {
        return;
      }
      this.listeners.tell("log", { kind: "worker", text: `${why}: this tab goes on in another` });
      line.say("leave"); // it may only have been slow
      this.#part(false);
      this.#joining || this.#live();
    };
    line.watch(() => leave(`The SharedWorker of ${this.name || "this node"} does not answer any more`));
    whenLeft?.(signal, () => leave(`Other tabs have left the SharedWorker of ${this.name || "this node"}, which did not answer them`));
    return line;
  }

  /** What the Worker has to say. @returns {import("./line.js").Does} */
  #does() {
    return {
      token: () => (this.#asked ??= this.#tokens.next(this.#life.signal).then(({ text }) => text).finally(() => (this.#asked = undefined))),
      begin: ({ name, ring, claims, gateway, nodes }) => {
        this.view.clear();
        [this.ring, this.#claims] = [ring, claims];
        nodes.forEach((/** @type {any} */ node) => this.#set(node));
        this.#setGateway(gateway, name);
        this.#commands.begin({ command: (...command) => this.#line?.say("command", ...command) });
        this.messages.begin();
        this.askForFrames();
      },
      node: (node) => this.#set(node),
      forgotten: () => this.view.clear(),
      gateway: (gateway, name, claims) => {
        this.#claims = claims;
        this.#setGateway(gateway, name);
      },
      log: (entry) => this.listeners.tell("log", entry),
      frame: (frame) => this.listeners.tell("frame", frame),
      lost: () => this.messages.lost(),
      event: (event) => {
        event.kind === "heard" && this.#line?.say("took", 1);
        event.kind === "result" ? this.#commands.answered(event) : this.messages.take(event);
      },
      end: (error) => this.#end(error && revived(error)),
    };
  }

  /** @param {any} node */
  #set(node) {
    this.view.set(Object.freeze({ ...nodeOf(node), since: node.since }));
  }

  /**
   * @param {Gateway | null} gateway
   * @param {string} name
   */
  #setGateway(gateway, name) {
    this.name = name;
    gateway && remember(this.#key, name);
    if (gateway || this.gateway) {
      this.gateway = gateway && Object.freeze(gateway);
      this.listeners.tell("gateway", this.gateway);
    }
  }

  /** Frames are told of if somebody listens. */
  askForFrames() {
    this.#line?.say("frames", this.listeners.has("frame"));
  }

  /** @param {Record<string, string | null>} patch */
  async #setTags(patch) {
    checked(patch);
    if (!this.#line) {
      throw new RingError("halting", "The tags stay as they are: this node begins anew.", { retryable: true });
    }
    await this.#line.ask("tags", patch);
    const kept = Object.entries({ ...this.#own, ...patch }).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]]));
    this.#own = Object.fromEntries(kept);
  }

  /** Leaves the others. Resolves when they, or the ring, are told, or cannot be. */
  async leave() {
    const told = this.#part(true);
    this.#end(null);
    await told;
  }

  /**
   * Has nothing to do with the Worker any more.
   * @param {boolean} says whether the Worker has to be told
   */
  async #part(says) {
    const line = this.#line, life = this.#life;
    this.#line = undefined;
    this.#commands.lost();
    this.messages.lost();
    this.#setGateway(null, this.name);
    if (says && line) {
      await within(waits.bye, line.ask("leave"), "").catch(() => {});
    }
    life.abort();
    line?.end();
  }

  #sleep() {
    if (!this.#asleep) {
      this.#asleep = true;
      this.#awake = new Promise((resolve) => (this.#wakes = resolve));
      this.#again.abort();
      this.#line?.say("leave");
      this.#part(false);
    }
  }

  #wake() {
    if (this.#asleep) {
      this.#asleep = false;
      this.#wakes();
      this.#joining || this.#live();
    }
  }

  /** @param {any} error null if it left */
  #end(error) {
    if (this.ended.signal.aborted) {
      return;
    }
    this.ended.abort();
    this.#again.abort();
    this.#wakes();
    error?.code === "removed" && forget(this.#key);
    this.#line?.say("leave");
    this.#part(false);
    this.messages.end();
    this.#joining || this.listeners.tell("end", error);
  }
}

/**
 * @param {Record<string, unknown>} tags
 * @returns {Record<string, string>}
 */
function checked(tags) {
  if (TABS in tags) {
    throw new RingError("invalid", `A tab that shares a node has no tag ${TABS} of its own: it says what each of the tabs has.`);
  }
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]));
}
