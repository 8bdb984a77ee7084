// The messages of a node that tabs share: which of them hears what, and which answers.

import { wordOf } from "./errors.js";
import { isLike } from "./filter.js";

/** @typedef {import("./commands.js").Commands} Commands */
/** @typedef {import("./hub.js").Tab} Tab */

const MAX_PATTERNS = 64;
const NOBODY = 7, BUSY = 4012;

/** In the place of the Messages of a Member. */
export class Exchange {
  #commands;
  #tabs;
  /** What tabs have asked the ring, by the engine's number. @type {Map<number, {tab: Tab, id: number}>} */
  #asked = new Map();

  /**
   * @param {Commands} commands
   * @param {Set<Tab>} tabs in the order of their coming
   */
  constructor(commands, tabs) {
    this.#commands = commands;
    this.#tabs = tabs;
  }

  /**
   * Does what a tab has its engine do.
   * @param {Tab} tab
   * @param {string} name
   * @param {number} id the tab's number of it
   * @param {[string, string][]} texts
   * @param {import("./commands.js").Argument[]} args
   */
  command(tab, name, id, texts, args) {
    const own = this.#commands.number(), { hears, answers } = tab;
    if (name === "ask") {
      this.#asked.set(own, { tab, id });
    } else if (name === "call_off") {
      args = [BigInt([...this.#asked].find(([, asked]) => asked.tab === tab && asked.id === Number(args[0]))?.[0] ?? own)];
    } else if (name === "hear") {
      tab.hears = texts.filter(([kind]) => kind === "hear").map(([, pattern]) => pattern);
      tab.answers = texts.filter(([kind]) => kind === "answer").map(([, pattern]) => pattern);
      texts = this.#patterns();
    }
    this.#commands.give(name, texts, args, (result) => {
      if (result.code) {
        this.#asked.delete(own);
        if (name === "hear" && wordOf(result.code) === "invalid") { // there are more patterns than an engine takes
          Object.assign(tab, { hears, answers });
          tab.line.say("log", { kind: "shared", text: "The tabs that share this node answer more topics than one node may: this one answers and hears no more than before." });
        }
      }
      tab.line.say("event", { kind: "result", id, ...result });
    }, own);
  }

  /** What the engine has to hear for all tabs: all topics, if these are too many patterns. @returns {[string, string][]} */
  #patterns() {
    const tabs = [...this.#tabs], answers = new Set(tabs.flatMap((tab) => tab.answers));
    let hears = new Set(tabs.flatMap((tab) => tab.hears));
    if (hears.size + answers.size > MAX_PATTERNS) {
      hears = new Set("*");
    }
    /** @type {(kind: string) => (pattern: string) => [string, string]} */
    const as = (kind) => (pattern) => [kind, pattern];
    return [...[...hears].map(as("hear")), ...[...answers].map(as("answer"))];
  }

  #hear() {
    this.#commands.give("hear", this.#patterns(), [], () => {});
  }

  /** A tab is too busy for a question. @param {number} question */
  refuse(question) {
    this.#commands.give("answer", [], [BigInt(question), BUSY, ""], () => {});
  }

  /** A tab is gone. @param {Tab} tab */
  drop(tab) {
    for (const [own, asked] of this.#asked) {
      if (asked.tab === tab) {
        this.#asked.delete(own);
        this.#commands.give("call_off", [], [BigInt(own)], () => {});
      }
    }
    if (tab.hears.length || tab.answers.length) {
      this.#hear();
    }
  }

  // As Messages.

  begin() {
    if (this.#patterns().length) {
      this.#hear();
    }
  }

  lost() {
    this.#asked.clear();
    this.#tabs.forEach((tab) => tab.line.say("lost"));
  }

  end() {}

  /** @param {any} event as in docs/abi.md @returns {boolean} whether it is of messages */
  take(event) {
    const { kind, id, question, topic } = event;
    const like = (/** @type {string[]} */ patterns) => patterns.some((pattern) => isLike(pattern, topic));
    switch (kind) {
      case "heard": {
        const answers = question && [...this.#tabs].find((tab) => like(tab.answers)); // the first that came, of all tabs that answer this
        for (const tab of this.#tabs) {
          if (tab === answers || like(tab.hears)) {
            tab.backlog.hear({ ...event, question: tab === answers ? question : 0 });
          }
        }
        if (question && !answers) {
          this.#commands.give("answer", [], [BigInt(question), NOBODY, ""], () => {});
        }
        return true;
      }
      case "gap":
        this.#tabs.forEach((tab) => tab.line.say("event", event));
        return true;
      case "answer":
      case "done": {
        const asked = this.#asked.get(id);
        asked?.tab.line.say("event", { ...event, id: asked.id });
        kind === "done" && this.#asked.delete(id);
        return true;
      }
    }
    return false;
  }
}
