// A line between a page and a Worker: what one side says, in order, and what it asks, each question with a number, so that
// an answer finds its own, and one that comes late disturbs nothing.

import { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError } from "./errors.js";
import { waits } from "./waits.js";

const MOST_MISSED = 3;
const kinds = { ModuleError, NameTakenError, RemovedError, RingError, UnreachableError };

/** What one side does when it is told something: what it returns is the answer. @typedef {Record<string, (...args: any[]) => unknown>} Does */

export class Line {
  #port;
  #does;
  #last = 0;
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: unknown) => void}>} */
  #waiting = new Map();
  /** What comes of one input is one message. @type {unknown[][]} */
  #batch = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #beat;
  #over = false;

  /**
   * @param {MessagePort} port
   * @param {Does} does
   */
  constructor(port, does) {
    this.#port = port;
    this.#does = does;
    port.onmessage = ({ data }) => data.forEach((/** @type {[number, string, ...unknown[]]} */ said) => this.#hear(...said));
  }

  /**
   * Says something, to which nothing is answered.
   * @param {string} what
   * @param {...unknown} args
   */
  say(what, ...args) {
    this.#post(0, what, ...args);
  }

  /**
   * Asks for something. Rejects with what went wrong there, and when the line is over.
   * @param {string} what
   * @param {...unknown} args
   * @returns {Promise<any>}
   */
  ask(what, ...args) {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        return reject(gone());
      }
      this.#waiting.set(++this.#last, { resolve, reject });
      this.#post(this.#last, what, ...args);
    });
  }

  /**
   * Looks now and then whether the other side still answers, and says once if it does not.
   * @param {() => void} dead
   */
  watch(dead) {
    let missed = 0;
    this.#beat = setInterval(() => {
      if (missed++ < MOST_MISSED) { // who was asleep himself asks before he judges
        this.ask("beat").then(() => (missed = 0), () => {});
      } else {
        clearInterval(this.#beat);
        dead();
      }
    }, waits.beat);
  }

  /** Nothing is heard or said any more. What was said before gets there. */
  end() {
    clearInterval(this.#beat);
    this.#over = true;
    this.#port.onmessage = null;
    this.#waiting.forEach(({ reject }) => reject(gone()));
    this.#waiting.clear();
    queueMicrotask(() => queueMicrotask(() => this.#port.close())); // after the batch
  }

  /** @param {unknown[]} said */
  #post(...said) {
    if (!this.#over && this.#batch.push(said) === 1) {
      queueMicrotask(() => this.#port.postMessage(this.#batch.splice(0)));
    }
  }

  /**
   * @param {number} id of a question, or 0
   * @param {string} what
   * @param {...any} args
   */
  async #hear(id, what, ...args) {
    if (this.#over) {
      return;
    }
    if (what === "answer" || what === "failed") {
      const [of, value] = args, asked = this.#waiting.get(of);
      this.#waiting.delete(of);
      return what === "answer" ? asked?.resolve(value) : asked?.reject(revived(value));
    }
    try {
      const answer = what === "beat" ? true : this.#does[what]?.(...args); // at once, in the order of what was said
      id && this.say("answer", id, await answer);
    } catch (error) {
      if (!id) {
        throw error;
      }
      this.say("failed", id, plain(error));
    }
  }
}

const gone = () => new RingError("halting", "The Worker of this node is gone.", { retryable: true });

/** An error, as far as a message can carry it. @param {any} error */
export function plain(error) {
  const { name = "Error", code, message = String(error), retryable } = error ?? {};
  return { name, code, message, retryable };
}

/** What it was. @param {ReturnType<typeof plain>} error */
export function revived({ name, code, message, retryable }) {
  const Kind = kinds[/** @type {keyof typeof kinds} */ (name)] ?? RingError;
  return new Kind(code ?? "trap", message, { retryable });
}
