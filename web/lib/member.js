// What a page's node lives through: it joins, loses gateways, sleeps, and ends.

import { moduleAt, ownGateway } from "./beside.js";
import { Commands } from "./commands.js";
import { load } from "./engine.js";
import { NameTakenError, RemovedError, RingError, wordOf } from "./errors.js";
import { entryOf } from "./events.js";
import { again, gatewayURLs, isPrivate } from "./gateways.js";
import { live } from "./life.js";
import { Listeners } from "./listeners.js";
import { Messages } from "./messages.js";
import { forget, ownName, randomName, remember } from "./names.js";
import { reasonOf } from "./needs.js";
import { Operator } from "./operator.js";
import { runtimeOf } from "./remote.js";
import { guestSettings } from "./runtime.js";
import { OwnTags } from "./tags.js";
import { Tokens, allows, mayHear } from "./token.js";
import { View, isUp, nodeOf } from "./view.js";
import { Why } from "./why.js";

/** @typedef {import("./nanoring.js").Options} Options */
/** @typedef {import("./view.js").NodeInfo} NodeInfo */
/** @typedef {import("./events.js").Gateway} Gateway */
/** @typedef {import("./events.js").Entry} Entry */
/** @typedef {import("./events.js").Events} Events */

const MOST_CALLS = 3; // of a token function, until join gives up

export class Member {
  /** @type {Listeners<Events>} */
  listeners = new Listeners("log", ({ kind }) => kind !== "dial" && kind !== "joined");
  view = new View((nodes) => this.listeners.tell("change", nodes), (happened) => this.listeners.tell("event", happened));
  /** @type {Gateway | null} */
  gateway = null;
  ended = new AbortController();
  #commands = new Commands();
  /** @type {Messages} */
  messages;
  /** What its last token claims. @type {import("./token.js").Claims | undefined} */
  claims;
  /** The name that it had once, if it may have it again. */
  old = "";

  #given;
  /** Those that it was given, and what an earlier life learnt of. */
  #gateways;
  #tokens;
  /** The token that this node learnt from, for its first connection. */
  #first = "";
  /** How the names begin that it may take. */
  #begin = "";
  #module;
  named; // by its user, or its token: the name is kept or the node ends

  /** @type {WebAssembly.Module | undefined} */
  #compiled;
  /** @type {import("./remote.js").SomeRuntime | undefined} */
  #runtime;
  /** The URL of the connection that is open, or was last. */
  #url = "";
  /** Who let it in last. @type {Gateway | undefined} */
  #last;
  /** The gateway that this node's presence names; "" before one let it in. */
  #via = "";
  /** How often in a row a name that it took was taken. */
  #taken = 0;
  #asleep = false;
  /** Which of its lives this is. */
  #life = new AbortController();
  /** Why a gateway refused, in what the engine says, or why there is no token. @type {RingError | undefined} */
  #refusal;
  #why = new Why((reason) => this.#told(reason));
  /** Settles what join returned; undefined when that is done. @type {{resolve: () => void, reject: (error: unknown) => void} | undefined} */
  #joining;

  /**
   * @param {Options} options
   * @param {(commands: Commands) => any} [exchange] takes the place of its messages: they are those of others
   */
  constructor({ gateways = ownGateway(), token = "", operator = "", name, tags = {}, ring, module }, exchange) {
    this.messages = exchange?.(this.#commands) ?? new Messages(this.#commands, (pattern) => mayHear(this.claims, pattern), (name) => this.listeners.tell("gap", name));
    this.#given = this.#gateways = gatewayURLs(gateways);
    this.operator = new Operator(this.#given, operator);
    this.#tokens = new Tokens(token, (text) => this.note("token", text));
    this.#module = moduleAt(module);
    this.tags = new OwnTags(tags, this.#commands);
    this.ring = ring ?? "";
    this.named = name !== undefined;
    this.name = name ?? "";
  }

  /**
   * Resolves when a gateway has let it in.
   * @param {AbortSignal} [giveUp]
   * @returns {Promise<void>}
   */
  join(giveUp) {
    const joined = /** @type {Promise<void>} */ (new Promise((resolve, reject) => (this.#joining = { resolve, reject })));
    const signal = this.ended.signal;
    giveUp?.addEventListener("abort", () => this.#joining && this.#end(reasonOf(giveUp)), { signal });
    live({ sleep: () => this.#sleep(), wake: () => this.#wake(), hurry: () => this.hurry() }, signal);
    this.#live();
    return joined;
  }

  /** There may be a network again, or a user who waits. */
  hurry() {
    this.#runtime?.hurry();
  }

  /** Says bye. Resolves when its gateway has been told, or cannot be. */
  async leave() {
    const told = this.#runtime?.stop();
    this.#runtime = undefined;
    this.#end(null);
    await told;
  }

  /** Brings this node to life: at first, after a sleep, and with a new name. */
  async #live() {
    this.#forgetRing();
    const life = (this.#life = new AbortController());
    const runs = runtimeOf(this.#gateways, this.#watcher(), (why) => this.note("worker", `This node lives on the page itself, and is a suspect while that computes for seconds: ${why}`), () => this.#crashed());
    try {
      const [runtime, compiled, ring] = await Promise.all([
        runs,
        this.#compiled ?? load(this.#module),
        this.#compiled ? this.ring : this.#learn(life.signal),
      ]);
      if (life.signal.aborted) {
        return runtime.end(); // it has left, or is asleep
      }
      [this.#compiled, this.ring] = [compiled, ring];
      this.name ||= ownName(ring, this.#begin, this.old);
      this.#runtime = runtime;
      this.askForFrames();
      const started = runtime.start(compiled, [...guestSettings(ring, this.name), ...this.tags.settings]);
      this.#commands.begin(runtime);
      this.messages.begin();
      await started;
    } catch (error) {
      if (!life.signal.aborted) {
        this.#end(error);
      }
      (await runs).end();
    }
  }

  /** Its Worker does not answer any more: it goes on in another. */
  #crashed() {
    this.note("worker", `The Worker of ${this.name || "this node"} does not answer any more: it goes on in another`);
    this.#live();
  }

  /**
   * Has a token, and learns what it may be with it; without, of which ring. Returns the ring's name.
   * @param {AbortSignal} signal
   */
  async #learn(signal) {
    const { text, claims } = await this.#tokens.next(signal, MOST_CALLS);
    if (!claims) {
      return this.ring || this.operator.ring();
    }
    const open = this.#given.find((url) => !isPrivate(url));
    if (open) {
      throw new RingError("tls-required", `The gateway ${open} is without TLS, and of another machine, on whose way others read a token: its URL has to begin with wss:.`);
    }
    if (this.ring && this.ring !== claims.ring) {
      throw new RingError("wrong-ring", `The token is for the ring ${claims.ring}, not for ${this.ring}.`);
    }
    if (this.name && !allows(claims, this.name)) {
      throw new RingError("forbidden", `The token lets in ${claims.name}, not ${this.name}.`);
    }
    [this.#first, this.claims] = [text, claims];
    this.tags.allow(claims);
    if (claims.name.endsWith("*")) {
      this.#begin = claims.name.slice(0, -1);
    } else {
      [this.name, this.named] = [claims.name, true];
    }
    return claims.ring;
  }

  /** @returns {import("./runtime.js").Watcher} */
  #watcher() {
    return {
      token: () => this.#askToken(),
      dialing: (url) => {
        this.#why.dialing(url);
        this.note("dial", `Dialling ${url}`);
      },
      opened: (url) => {
        this.#why.dialled();
        this.#url = url;
      },
      closed: (failures, sentOn) => this.#closed(failures, sentOn),
      event: (event) => this.#event(event),
      frame: (sent, bytes) => this.listeners.tell("frame", { sent, bytes }),
      halted: (reason, text) => this.#halted(reason, text),
      broke: (error) => this.#end(error),
    };
  }

  /** Frames are told of if somebody listens. */
  askForFrames() {
    if (this.#runtime) {
      this.#runtime.frames = this.listeners.has("frame");
    }
  }

  /** @returns {Promise<string>} */
  async #askToken() {
    const first = this.#first;
    if (first) {
      this.#first = "";
      return this.#why.with(first);
    }
    try {
      const { text, claims } = await this.#tokens.next(this.#life.signal, this.#joining ? MOST_CALLS : Infinity);
      this.claims = claims;
      return this.#why.with(text);
    } catch (error) {
      this.#refusal = /** @type {RingError} */ (error);
      this.note("refused", this.#refusal.message);
      throw error;
    }
  }

  /** The page is left, or frozen. It may come back. */
  #sleep() {
    if (this.#asleep) {
      return;
    }
    this.#asleep = true;
    this.#life.abort();
    this.#runtime?.sleep();
    this.#runtime = undefined;
    this.#lost();
  }

  #wake() {
    if (this.#asleep) {
      this.#asleep = false;
      this.#live();
    }
  }

  /** A new life begins with nothing known. */
  #forgetRing() {
    this.#life.abort();
    this.#runtime?.end();
    this.#runtime = undefined;
    this.#lost();
    this.#gateways = this.#last ? again(this.#given, this.view.all(), this.#last) : this.#given;
    this.view.clear();
    this.listeners.tap("forgotten");
    this.#refusal = undefined;
    this.#first = "";
  }

  /** There is no engine any more. */
  #lost() {
    this.#commands.lost();
    this.messages.lost();
    this.#setGateway(null);
  }

  /** @param {any} error null if it left; what is not a RingError is why its user gave up */
  #end(error) {
    if (this.ended.signal.aborted) {
      return;
    }
    this.ended.abort();
    this.#life.abort();
    this.#runtime?.end();
    this.#lost();
    this.messages.end();
    if (this.#joining) {
      this.#joining.reject(error ?? new RingError("halting", "This node has left."));
    } else {
      this.listeners.tell("end", error);
    }
  }

  /** @param {Gateway | null} gateway */
  #setGateway(gateway) {
    this.#via = gateway?.name ?? "";
    if (gateway || this.gateway) {
      this.gateway = gateway && Object.freeze(gateway);
      this.listeners.tell("gateway", this.gateway);
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
        this.#commands.answered(event);
        break;
      case "refused":
        this.#refusal = new RingError(wordOf(event.code), `The gateway at ${this.#url} does not let this page in: ${event.text}.`);
        this.note("refused", `Refused: ${event.text}`);
        break;
      default: {
        const entry = this.messages.take(event) ? undefined : entryOf(event, this.name);
        entry && this.note(entry.kind, entry.text);
      }
    }
  }

  /** @param {NodeInfo} node */
  #changed(node) {
    this.view.set(node);
    if (node.name === this.name && isUp(node)) {
      this.#via = node.via;
    }
    // It is in when it names a gateway, and knows something of the ring.
    if (this.#runtime && !this.gateway && isUp(this.view.get(this.#via))) {
      this.#joined({ name: this.#via, url: this.#url });
    }
  }

  /** @param {Gateway} gateway */
  #joined(gateway) {
    this.#runtime?.accepted(gateway.url, gateway.name);
    this.#why.accepted();
    this.#taken = 0;
    this.#refusal = undefined;
    if (!this.named) {
      remember(this.ring, this.name);
    }
    this.#setGateway(gateway);
    this.#last = gateway;
    this.note("joined", `${gateway.name} at ${gateway.url} is the gateway of ${this.name}`);
    this.#joining?.resolve();
    this.#joining = undefined;
  }

  /**
   * A connection is over. The engine dials again; join, though, ends when all gateways were tried, and so does a node
   * that was in once, when gateways say that its token is of no use any more and it can have no other.
   * @param {number} failures
   * @param {boolean} sentOn
   */
  async #closed(failures, sentOn) {
    if (this.gateway) {
      const { name } = this.gateway;
      this.note("lost", sentOn ? `${name} takes no guests any more, and has sent ${this.name} on` : `The connection with ${name} is lost`);
    }
    this.#why.closed(failures, this.#joining !== undefined);
    this.#setGateway(null);
    if (!this.#joining || failures < this.#gateways.length) {
      return;
    }
    const { signal } = this.#life;
    const why = this.#refusal ?? await this.#why.error(this.#gateways, this.#tokens.renews);
    signal.aborted || this.#joining && this.#end(why);
  }

  /** @param {import("./why.js").Reason} reason why a gateway cannot be had */
  async #told({ code, text }) {
    const { signal } = this.#life;
    this.note(code === "unreachable" ? code : "refused", text);
    if (!this.#joining && !this.#tokens.renews && await this.#why.isTheToken()) {
      const why = await this.#why.error(this.#gateways, false);
      signal.aborted || this.gateway || this.#end(why);
    }
  }

  /**
   * @param {number} reason
   * @param {string} text
   */
  #halted(reason, text) {
    if (reason === 3) {
      forget(this.ring);
      this.#end(new RemovedError("removed", `An operator removed ${this.name} from the ring ${this.ring}.`));
    } else if (reason === 4 && (this.named || ++this.#taken > 5)) {
      this.#end(new NameTakenError("name-taken", `The name ${this.name} cannot be had: ${text}.`));
    } else if (reason === 4) {
      const old = this.name;
      this.name = randomName(this.#begin);
      this.note("name", `The name ${old} is taken: this node is ${this.name} now`);
      this.#live();
    } else {
      this.#end(new RingError("halting", `This node halted: ${text}.`));
    }
  }

  /**
   * Tells what a person may want to know.
   * @param {Entry["kind"]} kind
   * @param {string} text
   */
  note(kind, text) {
    this.listeners.tell("log", { kind, text });
  }
}
