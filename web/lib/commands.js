// What a node's engine is asked to do, and answers.

import { RingError, wordOf } from "./errors.js";

/** @typedef {{command: import("./runtime.js").Runtime["command"]}} Commanded */
/** @typedef {bigint | number | string | Uint8Array} Argument */

/** What the engine answers: 0, or a code of the protocol and why. @typedef {{code?: number, text?: string}} Result */

const HALTING = 8;
const again = ["busy", "nobody", "unreachable", "halting"];

export class Commands {
  /** Undefined while there is no engine. @type {Commanded | undefined} */
  #runtime;
  #last = 0;
  /** Those that are not answered. @type {Map<number, (result: Result) => void>} */
  #waiting = new Map();

  /** Whether there is an engine to ask. */
  get able() {
    return !!this.#runtime;
  }

  /** A number for a command, or for what is one. */
  number() {
    return ++this.#last;
  }

  /** There is an engine from now on. @param {Commanded} runtime */
  begin(runtime) {
    this.#runtime = runtime;
  }

  /**
   * Gives the engine a command. Resolves when that is done; rejects with a RingError that says why it was not.
   * @param {string} name the module's export
   * @param {string} fails begins the sentence that says why it failed: "The message was not sent", say
   * @param {[string, string][]} texts what it is about, said before
   * @param {Argument[]} [args]
   * @param {number} [id]
   * @returns {Promise<void>}
   */
  do(name, fails, texts, args = [], id = this.number()) {
    return new Promise((resolve, reject) => this.give(name, texts, args, ({ code = 0, text = "" }) => {
      const word = code && wordOf(code);
      word ? reject(new RingError(word, `${fails}: ${text || word}.`, { retryable: again.includes(word) })) : resolve();
    }, id));
  }

  /**
   * Gives the engine a command.
   * @param {string} name
   * @param {[string, string][]} texts
   * @param {Argument[]} args
   * @param {(result: Result) => void} answered is told once what came of it
   * @param {number} [id]
   */
  give(name, texts, args, answered, id = this.number()) {
    this.#waiting.set(id, answered);
    if (this.#runtime) {
      this.#runtime.command(name, id, texts, args);
    } else {
      this.#lose(id);
    }
  }

  /** The engine's answer. @param {any} event as in docs/abi.md */
  answered({ id, code, text }) {
    const answered = this.#waiting.get(id);
    this.#waiting.delete(id);
    answered?.({ code, text });
  }

  /** @param {number} id */
  #lose(id) {
    this.answered({ id, code: HALTING, text: "this node has ended, or begins anew" });
  }

  /** The engine is gone: what it has not answered is not known to be done. */
  lost() {
    this.#runtime = undefined;
    [...this.#waiting.keys()].forEach((id) => this.#lose(id));
  }
}
