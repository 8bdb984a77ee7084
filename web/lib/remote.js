// A runtime that lives in the page's Worker, and looks as if it were here. worker.js is its other end.

import { makeWorker, noPlace, script } from "./beside.js";
import { Line, revived } from "./line.js";
import { Runtime } from "./runtime.js";
import { waits, within } from "./waits.js";

/** @typedef {import("./runtime.js").Watcher} Watcher */
/** @typedef {Runtime | RemoteRuntime} SomeRuntime */

const MOST_DEATHS = 3;

/** Of all nodes of this page, while it is awake. @type {Promise<Worker> | undefined} */
let worker;
/** How many this page has lost. */
let deaths = 0;

/**
 * A runtime in the page's Worker, or here where there can be none.
 * @param {string[]} gateways checked URLs
 * @param {Watcher} watcher
 * @param {(why: string) => void} without is told why there is no Worker
 * @param {() => void} gone the Worker does not answer any more, and the runtime is lost
 * @returns {Promise<SomeRuntime>}
 */
export async function runtimeOf(gateways, watcher, without, gone) {
  if (typeof Worker === "function" && globalThis.document) { // else this is a program, whose timers nobody slows
    try {
      const began = (worker ??= begun());
      return new RemoteRuntime(await began, began, gateways, watcher, gone);
    } catch (/** @type {any} */ error) {
      worker = undefined; // the next node tries anew
      without(error.message);
    }
  }
  return new Runtime(gateways, watcher);
}

/** A Worker, when it has loaded what it needs. */
async function begun() {
  const its = script();
  if (!its) {
    throw new Error(noPlace);
  }
  if (deaths >= MOST_DEATHS) {
    throw new Error(`its Worker, ${its.url}, has ended ${deaths} times`);
  }
  /** @type {ReturnType<typeof makeWorker> | undefined} */
  let made;
  try {
    const { worker } = (made = makeWorker(its));
    await within(waits.worker, new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message ? `it fails: ${event.message}` : "it cannot be loaded: it is not there, or the page's Content-Security-Policy (worker-src) forbids it"));
      };
    }), "it does not begin");
    worker.onerror = null;
    return worker;
  } catch (/** @type {any} */ error) {
    made?.worker.terminate();
    throw new Error(`its Worker, ${its.url}: ${error.message}`, { cause: error });
  } finally {
    made?.loaded();
  }
}

/** It has the methods of a Runtime. */
class RemoteRuntime {
  #worker;
  #began;
  #gateways;
  /** The Worker's end of the line, which it is given when the node starts. */
  #port;
  #gone;
  #line;
  /** @type {Watcher | undefined} */
  #watcher;

  /**
   * @param {Worker} made
   * @param {Promise<Worker>} began
   * @param {string[]} gateways
   * @param {Watcher} watcher
   * @param {() => void} gone
   */
  constructor(made, began, gateways, watcher, gone) {
    const { port1, port2 } = new MessageChannel();
    this.#worker = made;
    this.#gateways = gateways;
    this.#port = port2;
    this.#gone = gone;
    this.#began = began;
    this.#watcher = watcher;
    /** @type {(name: keyof Watcher) => (...args: any[]) => unknown} */
    const tell = (name) => (...args) => /** @type {any} */ (this.#watcher)?.[name](...args);
    const event = tell("event");
    this.#line = new Line(port1, {
      token: () => this.#watcher?.token(),
      event: (what) => {
        what.kind === "heard" && this.#line.say("took", 1);
        event(what);
      },
      broke: (error) => this.#watcher?.broke(revived(error)),
      dialing: tell("dialing"), opened: tell("opened"), closed: tell("closed"), frame: tell("frame"), halted: tell("halted"),
    });
  }

  /**
   * @param {WebAssembly.Module} module
   * @param {[string, string | bigint][]} settings
   * @returns {Promise<void>}
   */
  start(module, settings) {
    this.#line.watch(() => {
      deaths += Number(worker === this.#began);
      this.sleep(); // what is left of it
      this.#gone();
    });
    this.#worker.postMessage([this.#gateways, module], [this.#port]); // Safari before 16.4 sends no module through a port
    return this.#line.ask("start", settings);
  }

  /**
   * @param {string} name
   * @param {number} id
   * @param {[string, string][]} texts
   * @param {(bigint | number | string | Uint8Array)[]} args
   */
  command(name, id, texts, args) {
    this.#line.say("command", name, id, texts, args);
  }

  /** Says bye. Resolves when that has been sent, or cannot be. */
  async stop() {
    this.#watcher = undefined;
    await within(waits.bye, this.#line.ask("stop"), "").catch(() => {});
    this.end();
  }

  /**
   * The page is left or frozen, and its Worker may do nothing any more: the end of that is the bye, since the browser
   * closes its connections in order.
   */
  sleep() {
    this.#watcher = undefined;
    this.#worker.terminate();
    this.#line.end();
    worker = worker === this.#began ? undefined : worker;
  }

  end() {
    this.#watcher = undefined;
    this.#line.say("end");
    this.#line.end();
  }

  /**
   * @param {string} url
   * @param {string} name
   */
  accepted(url, name) {
    this.#line.say("accepted", url, name);
  }

  hurry() {
    this.#line.say("hurry");
  }

  set frames(/** @type {boolean} */ on) {
    this.#line.say("frames", on);
  }
}
