// What a node sends, hears, asks and answers: docs/protocol.md, 31.

import { RingError, wordOf } from "./errors.js";
import { isLike, picks } from "./filter.js";
import { Inbox } from "./inbox.js";
import { Answering, Answers } from "./questions.js";
import { Answer, Message, sayable } from "./said.js";

/** @typedef {import("./commands.js").Commands} Commands */
/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {import("./questions.js").Answerer} Answerer */

/**
 * @typedef {object} AskOptions
 * @property {Filter} [to] who is asked; without: all that are up
 * @property {number} [limit] the question is over after so many answers
 * @property {number} [timeout] or after so many milliseconds, 1 to 600,000; without: 5,000
 */

const MAX_PATTERNS = 64;
const MOST_UNREAD = 256; // messages
const MOST_GAPS = 256;

/**
 * What is heard on some topics, as it comes. If it is not read in time the oldest is lost.
 * @extends {Inbox<Message>}
 */
export class Heard extends Inbox {
  #stop;

  /** @param {() => void} stop */
  constructor(stop) {
    super();
    this.#stop = stop;
  }

  /** @param {Message} message */
  put(message) {
    super.put(message);
    if (this.unread > MOST_UNREAD) {
      /** @type {Message} */ (this.drop()).gap = true;
    }
  }

  /** Hears no more. */
  return() {
    this.#stop();
    return super.return();
  }
}

/** Who listens. */
class Listener {
  /** Of whose messages some were lost; "": of anybody's. @type {Set<string>} */
  #gaps = new Set();

  /**
   * @param {string[]} patterns
   * @param {(message: Message) => void} hear
   */
  constructor(patterns, hear) {
    this.patterns = patterns;
    this.hear = hear;
  }

  /** @param {string} name */
  lost(name) {
    if (this.#gaps.size > MOST_GAPS) {
      this.#gaps.clear();
      name = "";
    }
    this.#gaps.add(name);
  }

  /** @param {any} event as in docs/abi.md */
  take(event) {
    if (this.patterns.some((pattern) => isLike(pattern, event.topic))) {
      const message = new Message(event); // each has its own
      const ofAll = this.#gaps.delete(""), ofOne = this.#gaps.delete(event.name);
      message.gap = ofAll || ofOne;
      this.hear(message);
    }
  }
}

export class Messages {
  #commands;
  #mayHear;
  #gap;
  #answering;
  /** @type {Set<Listener>} */
  #listeners = new Set();
  /** @type {Set<Heard>} */
  #inboxes = new Set();
  /** Questions of this node's own. @type {Map<number, Answers>} */
  #open = new Map();

  /**
   * @param {Commands} commands
   * @param {(pattern: string) => boolean} mayHear what the token says of that
   * @param {(name: string) => void} gap something that a node sent was lost
   */
  constructor(commands, mayHear, gap) {
    this.#commands = commands;
    this.#mayHear = mayHear;
    this.#gap = gap;
    this.#answering = new Answering(commands);
  }

  /**
   * @param {string} topic
   * @param {string | Uint8Array} payload
   * @param {Filter} [to]
   */
  async send(topic, payload, to) {
    await this.#commands.do("send_message", "The message was not sent", termsOf(to), sayable(topic, payload));
  }

  /**
   * @param {string} name
   * @param {string} topic
   * @param {string | Uint8Array} payload
   */
  async tell(name, topic, payload) {
    await this.#commands.do("tell", `${name} was not told`, [], [String(name), ...sayable(topic, payload)]);
  }

  /**
   * @param {string} topic
   * @param {string | Uint8Array} payload
   * @param {AskOptions} options
   */
  ask(topic, payload, { to, limit = 0x7fffffff, timeout = 5000 }) {
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= 0x7fffffff && timeout >= 1 && timeout <= 600_000)) {
      throw new RingError("invalid", "A question is open for 1 to 600,000 ms, and its limit is a whole number of at least 1.");
    }
    const args = [...sayable(topic, payload), limit, BigInt(Math.round(timeout * 1000))];
    const terms = termsOf(to), id = this.#commands.number();
    const answers = new Answers(() => this.#open.has(id) && this.#commands.do("call_off", "", [], [BigInt(id)]).catch(() => this.#over(id)));
    this.#open.set(id, answers);
    this.#commands.do("ask", "The question was not asked", terms, args, id).catch((error) => this.#over(id, error));
    return answers;
  }

  /**
   * @param {number} id
   * @param {unknown} [error]
   */
  #over(id, error) {
    this.#open.get(id)?.end(error);
    this.#open.delete(id);
  }

  /**
   * @param {string[]} patterns
   * @param {(message: Message) => void} listener
   * @returns {() => void} ends it
   */
  listen(patterns, listener) {
    patterns.forEach((pattern) => this.#check(pattern));
    const one = new Listener(patterns, listener);
    this.#listeners.add(one);
    this.#hear();
    return () => this.#listeners.delete(one) && this.#hear();
  }

  /** @param {string[]} patterns */
  heard(patterns) {
    const inbox = new Heard(() => {
      this.#inboxes.delete(inbox);
      stop();
    });
    const stop = this.listen(patterns, (message) => inbox.put(message));
    this.#inboxes.add(inbox);
    return inbox;
  }

  /**
   * @param {string} pattern
   * @param {Answerer} answerer
   * @returns {() => void} ends it
   */
  answer(pattern, answerer) {
    this.#check(pattern);
    if (this.#answering.patterns.length >= MAX_PATTERNS - 1) { // one is for messages
      throw new RingError("invalid", `There are ${MAX_PATTERNS - 1} who answer here already, which is as many as there may be.`);
    }
    const remove = this.#answering.add(pattern, answerer);
    this.#hear();
    return () => {
      remove();
      this.#hear();
    };
  }

  /** @param {string} pattern */
  #check(pattern) {
    if (typeof pattern !== "string" || !/^[a-zA-Z0-9._*-]{1,64}$/.test(pattern)) {
      throw new RingError("invalid", `${JSON.stringify(String(pattern).slice(0, 66))} is no pattern of topics: it has 1 to 64 of a-z A-Z 0-9 . _ - and *.`);
    }
    if (!this.#mayHear(pattern)) {
      throw new RingError("forbidden", `The token does not let this node hear ${pattern}.`);
    }
  }

  /** Tells the engine what it is to hear. If that has too many patterns it is all, of which nobody is told what he did not ask for. */
  #hear() {
    const answer = new Set(this.#answering.patterns);
    let hear = new Set([...this.#listeners].flatMap(({ patterns }) => patterns));
    if (hear.size + answer.size > MAX_PATTERNS) {
      hear = new Set("*");
    }
    const texts = [...[...hear].map((pattern) => ["hear", pattern]), ...[...answer].map((pattern) => ["answer", pattern])];
    this.#commands.do("hear", "", /** @type {[string, string][]} */ (texts)).catch(() => {}); // the next engine is told anew
  }

  /** There is an engine, which knows nothing. */
  begin() {
    if (this.#listeners.size || this.#answering.patterns.length) {
      this.#hear();
    }
  }

  /** The engine is gone, and with it what was under way. */
  lost() {
    this.#answering.lost();
    for (const id of [...this.#open.keys()]) {
      this.#over(id, new RingError("halting", "The question is lost: this node has ended, or begins anew.", { retryable: true }));
    }
  }

  /** The node has ended: nothing is heard any more. */
  end() {
    this.#inboxes.forEach((inbox) => inbox.end());
  }

  /** @param {any} event as in docs/abi.md @returns {boolean} whether it is of messages */
  take(event) {
    const { kind, id, name = "" } = event;
    switch (kind) {
      case "heard":
        this.#listeners.forEach((listener) => listener.take(event));
        event.question && this.#answering.take(new Message(event), event.question);
        return true;
      case "gap":
        this.#listeners.forEach((listener) => listener.lost(name));
        this.#gap(name);
        return true;
      case "answer": {
        const answer = new Answer(name, event.payload ?? "");
        const answers = this.#open.get(id);
        const word = event.code && wordOf(event.code);
        word ? answers?.failed.set(name, new RingError(word, `${name} has no answer: ${answer.text || word}.`)) : answers?.put(answer);
        return true;
      }
      case "done":
        Object.assign(this.#open.get(id) ?? {}, { silent: event.names ?? [] });
        this.#over(id);
        return true;
    }
    return false;
  }
}

/** What the engine is told of a filter. @param {Filter} [filter] @returns {[string, string][]} */
function termsOf(filter = {}) {
  picks(filter); // throws what is wrong with it
  const { tags = [], state = "", name = "" } = filter;
  const terms = [state, name, ...tags];
  return terms.some(Boolean) ? terms.map((term) => ["match", term]) : [];
}
