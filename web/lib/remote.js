// A runtime that lives in the page's Worker, and looks as if it were here. worker.js is its other end.

import { makeWorker, noPlace, script } from "./beside.js";
import { ModuleError, RingError } from "./errors.js";
import { Runtime } from "./runtime.js";

/** @typedef {import("./runtime.js").Watcher} Watcher */
/** @typedef {Runtime | RemoteRuntime} SomeRuntime */

/** Of all nodes of this page, while it is awake; or why there is none. @type {Promise<Worker | string> | undefined} */
let worker;

/**
 * A runtime in the page's Worker, or here where there can be none.
 * @param {string[]} gateways checked URLs
 * @param {Watcher} watcher
 * @returns {Promise<SomeRuntime>}
 */
export async function runtimeOf(gateways, watcher) {
  const worker = await pageWorker();
  if (typeof worker === "object") {
    return new RemoteRuntime(worker, gateways, watcher);
  }
  watcher.onPage?.(worker);
  return new Runtime(gateways, watcher);
}

/** @returns {Promise<Worker | string>} */
function pageWorker() {
  worker ??= new Promise((resolve) => {
    if (typeof Worker !== "function" || !globalThis.location) {
      return resolve("there are no Workers here");
    }
    const made = script();
    if (!made) {
      return resolve(noPlace);
    }
    const without = (/** @type {string} */ why) => resolve(`its Worker, ${made.url}, ${why}`);
    try {
      const worker = makeWorker(made);
      worker.onmessage = () => resolve(worker);
      worker.onerror = (event) => {
        event.preventDefault();
        without(event.message ? `fails: ${event.message}` : "cannot be loaded: it is not there, or the page's Content-Security-Policy (worker-src) forbids it");
      };
    } catch (error) { // as the page's Content-Security-Policy has it, in some browsers
      without(`cannot be made: ${/** @type {Error} */ (error).message}`);
    }
  });
  return worker;
}

/** It has the methods of a Runtime. */
class RemoteRuntime {
  #worker;
  #port;
  /** @type {Watcher | undefined} */
  #watcher;
  /** @type {(() => void) | undefined} */
  #stopped;

  /**
   * @param {Worker} worker
   * @param {string[]} gateways
   * @param {Watcher} watcher
   */
  constructor(worker, gateways, watcher) {
    const { port1, port2 } = new MessageChannel();
    this.#worker = worker;
    this.#port = port1;
    this.#watcher = watcher;
    port1.onmessage = ({ data }) => {
      let heard = 0;
      for (const [what, ...args] of data) {
        this.#hear(what, args);
        heard += Number(what === "event" && args[0].kind === "heard");
      }
      heard && this.#say("took", heard);
    };
    worker.postMessage(gateways, [port2]);
  }

  /**
   * @param {WebAssembly.Module} module
   * @param {[string, string | bigint][]} settings
   */
  async start(module, settings) {
    this.#say("start", module, settings);
  }

  /**
   * @param {string} name
   * @param {number} id
   * @param {[string, string][]} texts
   * @param {(bigint | number | string | Uint8Array)[]} args
   */
  command(name, id, texts, args) {
    this.#say("command", name, id, texts, args);
  }

  /** Says bye. Resolves when that has been sent. */
  async stop() {
    this.#watcher = undefined;
    this.#say("stop");
    await new Promise((resolve) => (this.#stopped = () => resolve(undefined)));
    this.end();
  }

  /**
   * The page is left or frozen, and its Worker may do nothing any more: the end of that is the bye, since the browser
   * closes its connections in order.
   */
  sleep() {
    this.#watcher = undefined;
    this.#worker.terminate();
    worker = undefined;
  }

  end() {
    this.#watcher = undefined;
    this.#say("end");
  }

  /**
   * @param {string} url
   * @param {string} name
   */
  accepted(url, name) {
    this.#say("accepted", url, name);
  }

  hurry() {
    this.#say("hurry");
  }

  set frames(/** @type {boolean} */ on) {
    this.#say("frames", on);
  }

  /** @param {...unknown} message */
  #say(...message) {
    this.#port.postMessage(message);
  }

  /**
   * @param {string} what
   * @param {any[]} args
   */
  #hear(what, args) {
    if (what === "stopped") {
      this.#stopped?.();
    } else if (what === "token") {
      this.#watcher?.token().then((token) => this.#say("token", token), (error) => this.#say("token", "", String(error)));
    } else if (what === "broke") {
      const { name, code, message, retryable } = args[0];
      const Kind = name === "ModuleError" ? ModuleError : RingError;
      this.#watcher?.broke(new Kind(code ?? "trap", message, { retryable }));
    } else {
      /** @type {any} */ (this.#watcher)?.[what](...args);
    }
  }
}
