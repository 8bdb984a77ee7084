// A node that tabs share. It lives in a SharedWorker; shared.js is each tab's end.

import { Backlog } from "./backlog.js";
import { RingError } from "./errors.js";
import { Exchange } from "./exchange.js";
import { Line, plain } from "./line.js";
import { whenFree } from "./locks.js";
import { Member } from "./member.js";
import { TABS, joined } from "./tabs.js";
import { waits } from "./waits.js";

/**
 * One of the tabs.
 * @typedef {object} Tab
 * @property {Line} line
 * @property {Backlog} backlog
 * @property {AbortController} gone
 * @property {Record<string, string>} [tags] its own, from when they are told
 * @property {string[]} hears
 * @property {string[]} answers
 * @property {boolean} frames whether it wants to know of them
 * @property {boolean} isIn
 */

/**
 * What a tab joins with: options of join that are the same for all tabs, and its own.
 * @typedef {object} Coming
 * @property {import("./nanoring.js").Options} options
 * @property {Record<string, string>} tags
 * @property {boolean} renews whether it makes tokens
 * @property {string} token that it has made already
 * @property {string} old the name that it had once
 * @property {string} lock that it holds for as long as it lives; "" if it holds none
 */

export class Hub {
  /** In the order of their coming. @type {Set<Tab>} */
  #tabs = new Set();
  /** @type {Member | undefined} */
  #member;
  /** Settles when it has joined, or not. @type {Promise<void> | undefined} */
  #joins;
  /** @type {Exchange | undefined} */
  #exchange;
  /** Changes of tags, one after another. @type {Promise<unknown>} */
  #turn = Promise.resolve();
  #asked = 0;

  /** A tab has come. @param {MessagePort} port */
  connect(port) {
    /** @type {Tab} */
    const tab = { tags: undefined, hears: [], answers: [], frames: false, isIn: false, gone: new AbortController(), line: new Line(port, {
      hello: () => true,
      join: (coming) => this.#join(tab, coming),
      tags: (patch) => this.#setTags(tab, patch),
      command: (name, id, texts, args) => this.#exchange?.command(tab, name, id, texts, args),
      took: (messages) => tab.backlog.took(messages),
      frames: (on) => (tab.frames = on),
      hurry: () => this.#member?.hurry(),
      leave: () => this.#leaves(tab),
    }), backlog: new Backlog((event) => tab.line.say("event", event), (question) => this.#exchange?.refuse(question)) };
  }

  /**
   * Resolves when a tab is in, with "", or with why it cannot share this node. Rejects with why there is none.
   * @param {Tab} tab
   * @param {Coming} coming
   */
  async #join(tab, coming) {
    this.#tabs.add(tab);
    const dead = () => this.#leaves(tab);
    coming.lock ? whenFree(coming.lock, tab.gone.signal, dead) : tab.line.watch(dead);
    try {
      await (this.#joins ??= this.#begin(coming));
    } catch (error) {
      this.#forget(tab);
      throw error;
    }
    const member = this.#member, { signal } = tab.gone;
    if (!member || signal.aborted) {
      throw new RingError("halting", "This node has left.");
    }
    tab.tags = Object.fromEntries(Object.entries(coming.tags).filter(([key]) => member.tags.mayBe(key)));
    try {
      await this.#retag();
    } catch (/** @type {any} */ error) {
      this.#leaves(tab);
      if (!member.named) {
        return error.message;
      }
      throw new RingError(error.code, `This tab cannot share ${member.name}, and there can be no other of that name: its tags ${Object.keys(tab.tags).join(", ")} are too much. ${error.message}`, error);
    }
    if (signal.aborted) {
      throw new RingError("halting", "This tab has left.");
    }
    tab.isIn = true;
    const { name, ring, claims, gateway } = member;
    tab.line.say("begin", { name, ring, claims, gateway, nodes: member.view.all() });
    return "";
  }

  /** @param {Coming} coming the first tab's */
  async #begin({ options, tags, renews, token, old }) {
    /** @type {string | undefined} */
    let first = token;
    const tokens = () => {
      const made = first;
      first = undefined;
      return made ?? this.#askToken();
    };
    const member = new Member({ ...options, tags, token: renews ? tokens : token }, (commands) => (this.#exchange = new Exchange(commands, this.#tabs)));
    member.old = old;
    member.listeners.tap = (kind, detail) => member === this.#member && this.#tell(kind, detail);
    member.listeners.add("frame", () => {}); // each tab is told of what it wants to know
    this.#member = member;
    try {
      await member.join();
    } catch (error) {
      if (this.#member === member) {
        this.#member = this.#joins = undefined;
      }
      throw error;
    }
  }

  /** A token of any tab's: of another one, when that does not answer. @returns {Promise<string>} */
  async #askToken() {
    const tabs = [...this.#tabs], tab = tabs[this.#asked++ % tabs.length];
    if (!tab) {
      throw new Error("no tab is there any more that could make one");
    }
    return tab.line.ask("token");
  }

  /**
   * @param {string} kind
   * @param {any} detail
   */
  #tell(kind, detail) {
    const { name, claims } = /** @type {Member} */ (this.#member);
    for (const tab of this.#tabs) {
      if (kind === "log") {
        tab.line.say("log", detail);
      } else if (!tab.isIn || kind === "frame" && !tab.frames) {
        continue;
      } else if (kind === "event") {
        tab.line.say("node", detail.node);
      } else if (kind === "gateway") {
        tab.line.say("gateway", detail, name, claims);
      } else if (kind === "end") {
        tab.line.say("end", detail && plain(detail));
      } else if (kind === "frame" || kind === "forgotten") {
        tab.line.say(kind, detail);
      }
    }
    if (kind === "end") {
      this.#member = this.#joins = undefined;
      this.#tabs.forEach((tab) => this.#forget(tab));
    }
  }

  /**
   * @param {Tab} tab
   * @param {Record<string, string | null>} patch
   */
  async #setTags(tab, patch) {
    const member = this.#member;
    const not = Object.keys(patch).find((key) => !member?.tags.mayBe(key));
    if (not !== undefined) {
      throw new RingError("forbidden", `The token does not let this node set its tag ${JSON.stringify(not)}.`);
    }
    let before = tab.tags ?? {};
    const patched = () => {
      before = tab.tags ?? {};
      const set = Object.entries({ ...before, ...patch }).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]]));
      tab.tags = Object.fromEntries(set);
    };
    await this.#retag(patched, () => (tab.tags = before));
  }

  /**
   * Gives the node the tags of all its tabs.
   * @param {() => void} [first] changes them before, when it is its turn
   * @param {() => void} [undo] takes that back, if the node does not take them
   */
  #retag(first, undo) {
    const change = async () => {
      first?.();
      const tags = this.#member?.tags;
      const will = joined([...this.#tabs].flatMap(({ tags }) => (tags ? [tags] : []))), now = tags?.now ?? {};
      const dropped = Object.keys(now).filter((key) => !(key in will) && tags?.mayBe(key)).map((key) => [key, null]);
      const set = Object.entries(will).filter(([key, value]) => now[key] !== value);
      if (dropped.length + set.length) {
        await tags?.change(Object.fromEntries([...dropped, ...set])).catch((error) => {
          undo?.();
          throw TABS in will ? new RingError(error.code, `${error.message} ${this.#tabs.size} tabs share this node, and its tags.`, error) : error;
        });
      }
    };
    this.#turn = this.#turn.catch(() => {}).then(change);
    return this.#turn;
  }

  /** A tab is gone, and with the last one the node. @param {Tab} tab */
  async #leaves(tab) {
    if (!this.#tabs.has(tab)) {
      return;
    }
    this.#forget(tab);
    if (this.#tabs.size) {
      this.#exchange?.drop(tab);
      await this.#retag().catch(() => {}); // there is another engine: it is told
      return;
    }
    const member = this.#member;
    this.#member = this.#joins = undefined;
    await member?.leave();
  }

  /** @param {Tab} tab */
  #forget(tab) {
    this.#tabs.delete(tab);
    tab.gone.abort();
    setTimeout(() => tab.line.end(), waits.bye); // by then it has been told
  }
}
