// Questions: those that a node asks, and those that it answers.

import { RingError } from "./errors.js";
import { isLike } from "./filter.js";
import { Inbox } from "./inbox.js";
import { isBytes } from "./needs.js";
import { within } from "./waits.js";

/** @typedef {import("./commands.js").Commands} Commands */
/** @typedef {import("./said.js").Answer} Answer */
/** @typedef {import("./said.js").Message} Message */

/**
 * Answers a question: what it returns is the answer.
 * @typedef {(question: Message) => string | Uint8Array | Promise<string | Uint8Array>} Answerer
 */

const MOST_UNREAD = 4096; // answers
const MOST_ANSWERING = 16, MOST_WAITING = 256; // questions
const MOST_REASON = 1024; // characters
const NOBODY = 7, FAILED = 10, BUSY = 4012;

/**
 * The answers to a question, as they come.
 * @extends {Inbox<Answer>}
 */
export class Answers extends Inbox {
  #callOff;
  /** @type {() => void} */
  #ended = () => {};
  #end = new Promise((resolve) => (this.#ended = () => resolve(undefined)));

  /** @param {() => unknown} callOff */
  constructor(callOff) {
    super();
    this.#callOff = callOff;
    /** Who was asked and has not answered: known after the loop. @type {readonly string[]} */
    this.silent = [];
    /** Who said that there is no answer, and why. @type {Map<string, RingError>} */
    this.failed = new Map();
  }

  /** @param {Answer} answer */
  put(answer) {
    super.put(answer);
    if (this.unread > MOST_UNREAD) {
      this.end(new RingError("slow", "The question is called off: its answers are not read."));
      this.#callOff();
    }
  }

  /** The question is over. @param {unknown} [error] */
  end(error) {
    super.end(error);
    this.#ended();
  }

  /** Calls it off: nobody need answer any more. */
  async return() {
    this.#callOff();
    await this.#end; // then it is known who is silent
    return super.return();
  }
}

/** Who answers here, and what is to be answered. */
export class Answering {
  #commands;
  /** In the order of their coming. @type {{pattern: string, answer: Answerer}[]} */
  #answerers = [];
  #busy = 0;
  /** @type {[Message, number][]} */
  #waiting = [];
  /** The engine that numbers the questions. */
  #engine = {};

  /** @param {Commands} commands */
  constructor(commands) {
    this.#commands = commands;
  }

  get patterns() {
    return this.#answerers.map(({ pattern }) => pattern);
  }

  /**
   * @param {string} pattern
   * @param {Answerer} answer
   * @returns {() => void} ends it
   */
  add(pattern, answer) {
    const answerer = { pattern, answer };
    this.#answerers.push(answerer);
    return () => (this.#answerers = this.#answerers.filter((other) => other !== answerer));
  }

  /**
   * Takes a question in.
   * @param {Message} question
   * @param {number} number
   */
  take(question, number) {
    if (this.#busy < MOST_ANSWERING) {
      this.#work(question, number);
    } else if (this.#waiting.length < MOST_WAITING) {
      this.#waiting.push([question, number]);
    } else {
      this.#give(number, BUSY, "");
    }
  }

  /**
   * @param {Message} question
   * @param {number} number
   */
  async #work(question, number) {
    this.#busy++;
    const engine = this.#engine;
    await null; // whoever answers may do anything
    const found = this.#answerers.find(({ pattern }) => isLike(pattern, question.topic));
    const [code, payload] = found ? await answered(found.answer, question) : /** @type {[number, string]} */ ([NOBODY, ""]);
    if (engine === this.#engine) {
      this.#give(number, code, payload);
    }
    this.#busy--;
    const next = this.#waiting.shift();
    next && this.#work(...next);
  }

  /**
   * @param {number} number
   * @param {number} code
   * @param {string | Uint8Array} payload
   */
  #give(number, code, payload) {
    this.#commands.do("answer", "", [], [BigInt(number), code, payload]).catch(() => {}); // it is late: the question is over
  }

  /** Nobody waits for an answer of this engine any more. */
  lost() {
    this.#engine = {};
    this.#waiting.length = 0;
  }
}

/**
 * What a question is answered with: a code, and the answer or why there is none.
 * @param {Answerer} answer
 * @param {Message} question
 * @returns {Promise<[number, string | Uint8Array]>}
 */
async function answered(answer, question) {
  try {
    const time = Math.max(0, Number(question.until) - Date.now()); // it makes room for others when nobody waits any more
    const payload = (await within(time, Promise.resolve(answer(question)), "There was no answer")) ?? "";
    const size = typeof payload === "string" ? new TextEncoder().encode(payload).length : payload.length;
    if (typeof payload !== "string" && !isBytes(payload)) {
      return [FAILED, "the answer is neither a string nor bytes"];
    }
    return size > 8192 ? [FAILED, `the answer has ${size} bytes, and may have 8192`] : [0, payload];
  } catch (/** @type {any} */ error) {
    return error?.code === "busy" ? [BUSY, ""] : [FAILED, String(error?.message ?? error).slice(0, MOST_REASON)];
  }
}
