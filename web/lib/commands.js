// What a node's engine is asked to do, and answers.

import { RingError, wordOf } from "./errors.js";

/** @typedef {import("./remote.js").SomeRuntime} SomeRuntime */
/** @typedef {bigint | number | string | Uint8Array} Argument */

/**
 * A command that is not answered.
 * @typedef {object} Waiting
 * @property {string} fails begins the sentence that says why it failed
 * @property {() => void} resolve
 * @property {(error: RingError) => void} reject
 */

export class Commands {
  /** Undefined while there is no engine. @type {SomeRuntime | undefined} */
  #runtime;
  #last = 0;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();

  /** Whether there is an engine to ask. */
  get able() {
    return !!this.#runtime;
  }

  /** A number for a command, or for what is one. */
  number() {
    return ++this.#last;
  }

  /** There is an engine from now on. @param {SomeRuntime} runtime */
  begin(runtime) {
    this.#runtime = runtime;
  }

  /**
   * Gives the engine a command. Resolves when that is done; rejects with a RingError that says why it was not.
   * @param {string} name the module's export
   * @param {string} fails "The message was not sent", say
   * @param {[string, string][]} texts what it is about, said before
   * @param {Argument[]} [args]
   * @param {number} [id]
   * @returns {Promise<void>}
   */
  do(name, fails, texts, args = [], id = this.number()) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { fails, resolve, reject });
      if (this.#runtime) {
        this.#runtime.command(name, id, texts, args);
      } else {
        this.#answer(id, new RingError("halting", `${fails}: this node has ended, or begins anew.`, { retryable: true }));
      }
    });
  }

  /** The engine's answer. @param {any} event as in docs/abi.md */
  answered({ id, code = 0, text = "" }) {
    const word = code && wordOf(code);
    const fails = this.#waiting.get(id)?.fails;
    this.#answer(id, word && new RingError(word, `${fails}: ${text || word}.`, { retryable: ["busy", "nobody", "unreachable", "halting"].includes(word) }));
  }

  /**
   * @param {number} id
   * @param {RingError | 0 | ""} error
   */
  #answer(id, error) {
    const command = this.#waiting.get(id);
    this.#waiting.delete(id);
    error ? command?.reject(error) : command?.resolve();
  }

  /** The engine is gone: what it has not answered is not known to be done. */
  lost() {
    this.#runtime = undefined;
    for (const [id, { fails }] of [...this.#waiting]) {
      this.#answer(id, new RingError("halting", `${fails}: this node has ended, or begins anew.`, { retryable: true }));
    }
  }
}
