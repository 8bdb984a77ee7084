// nanoring.wasm as an object: docs/abi.md is what this file has to keep to.

import { ModuleError, RingError } from "./errors.js";
import { Stall, waits } from "./waits.js";

const abi = 1;
const nodeFiles = "node:fs/promises"; // no name that a bundler looks for

/**
 * What the module asks for. All of it is called after the call of the module that caused it, never during it.
 * @typedef {object} Host
 * @property {(conn: bigint, address: string) => void} dial
 * @property {(conn: bigint, frame: Uint8Array) => void} send
 * @property {(conn: bigint, code: number, text: string) => void} close
 * @property {(event: any) => void} event
 * @property {(at: number) => void} wake by performance.now()
 * @property {(reason: number, text: string) => void} halt
 */

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/**
 * Fetches and compiles the module, once for a page.
 * @param {URL} url
 */
export function load(url) {
  let module = modules.get(url.href);
  if (!module) {
    module = compile(url);
    module.catch(() => modules.delete(url.href));
    modules.set(url.href, module);
  }
  return module;
}

/** @param {URL} url */
async function compile(url) {
  if (url.protocol === "file:") { // Node.js: no fetch of it knows files
    const { readFile } = /** @type {any} */ (await import(/* webpackIgnore: true */ nodeFiles));
    return WebAssembly.compile(await readFile(url));
  }
  /** @type {(why: string, more?: {retryable?: boolean, cause?: unknown}) => ModuleError} */
  const failed = (why, more) => new ModuleError("module", `The module ${url} ${why}.`, more);
  const stall = new Stall(waits.module); // a slow line is not given up, but one of which nothing comes
  try {
    const response = await fetch(url, { signal: stall.signal }).catch((cause) => {
      throw failed("cannot be fetched: its server does not answer, or the page's Content-Security-Policy (connect-src) or the server's CORS forbids it", { cause, retryable: true });
    });
    if (!response.ok) {
      throw failed(`cannot be fetched: its server answers ${response.status} ${response.statusText}`, { retryable: response.status >= 500 });
    }
    const type = response.headers.get("Content-Type");
    if (type?.split(";")[0]?.trim().toLowerCase() !== "application/wasm") {
      throw failed(`came as ${type}: it is something else, or its server does not know the type application/wasm`);
    }
    follow(response.clone(), stall);
    return await WebAssembly.compileStreaming(response).catch((cause) => {
      throw failed(`cannot be compiled: it is damaged, or the page's Content-Security-Policy (script-src) lacks 'wasm-unsafe-eval' (${cause.message})`, { cause });
    });
  } catch (error) {
    throw stall.signal.aborted ? failed(`cannot be fetched: nothing more of it came in ${waits.module / 1000} s`, { retryable: true }) : error;
  } finally {
    stall.end();
  }
}

/**
 * Sees to it that more comes, until all has.
 * @param {Response} response
 * @param {Stall} stall
 */
async function follow({ body }, stall) {
  const reader = /** @type {NonNullable<typeof body>} */ (body).getReader();
  try {
    while (!(await reader.read()).done) {
      stall.more();
    }
  } catch {
    // Who reads the other one is told.
  }
  stall.end();
}

/** One instance of the module. After a trap, or free, it is of no use any more. */
export class Engine {
  /** @type {any} */
  #exports;
  /** What the call under way wants to be done after it. @type {(() => void)[]} */
  #effects = [];
  /** What a module that is about to trap says. */
  #lastWords = "";
  #utf8 = new TextEncoder();
  #text = new TextDecoder();

  /**
   * @param {WebAssembly.Module} module
   * @param {Host} host
   */
  static async make(module, host) {
    const engine = new Engine();
    let version;
    try {
      const instance = await WebAssembly.instantiate(module, engine.#imports(host));
      engine.#exports = instance.exports;
      engine.#exports._initialize();
      version = engine.#exports.abi();
    } catch (cause) {
      throw new ModuleError("module", "The module is not a nanoring.wasm that this nanoring.js can use: load both from the same place.", { cause });
    }
    if (version !== abi) {
      throw new ModuleError("module", `The module's ABI has the version ${version}, and this nanoring.js is made for ${abi}: load both from the same place.`);
    }
    return engine;
  }

  /**
   * Makes the node. Text is set as text, numbers as BigInt.
   * @param {[string, string | bigint][]} settings
   */
  create(settings) {
    for (const [key, value] of settings) {
      this.set(key, value);
    }
    const where = this.#call("create");
    if (where) {
      const bytes = this.#bytes(Number(BigInt.asUintN(32, where >> 32n)), Number(BigInt.asUintN(32, where)));
      const wrong = JSON.parse(this.#text.decode(bytes));
      throw new RingError("invalid", `This node cannot be made: ${wrong.field ?? ""}: ${wrong.text}.`);
    }
  }

  /**
   * Says what the node is to be, or what an input is about.
   * @param {string} key
   * @param {string | bigint} value
   */
  set(key, value) {
    this.#call(typeof value === "bigint" ? "number" : "text", key, value);
  }

  /**
   * Gives the node an input, and does what comes of it.
   * @param {string} name
   * @param {...(bigint | number | string | Uint8Array)} args
   */
  input(name, ...args) {
    this.#call(name, BigInt(Math.round(performance.now() * 1000)), BigInt(Date.now()) * 1000n, ...args);
    for (const effect of this.#effects.splice(0)) {
      if (this.#exports) {
        effect();
      }
    }
  }

  /** Ends it: nothing is carried out any more. */
  free() {
    this.#exports = undefined;
  }

  /**
   * Calls an export. Strings and bytes go through the module's buffer.
   * @param {string} name
   * @param {...(bigint | number | string | Uint8Array)} args
   */
  #call(name, ...args) {
    const given = args.map((arg) => (typeof arg === "string" ? this.#utf8.encode(arg) : arg));
    let size = 0;
    for (const arg of given) {
      size += typeof arg === "object" ? arg.length : 0;
    }
    try {
      let at = size && this.#exports.buffer(size);
      const flat = given.flatMap((arg) => {
        if (typeof arg !== "object") {
          return [arg];
        }
        this.#bytes(at, arg.length).set(arg);
        at += arg.length;
        return [at - arg.length, arg.length];
      });
      return this.#exports[name](...flat);
    } catch (cause) {
      this.free();
      const why = this.#lastWords.trim() || String(cause);
      throw new RingError("trap", `The node broke, which is a bug in NanoRing: ${why}`, { cause, retryable: true });
    }
  }

  /**
   * A view of the module's memory, of use until the next call. A length that lies throws.
   * @param {number} ptr
   * @param {number} len
   */
  #bytes(ptr, len) {
    return new Uint8Array(this.#exports.memory.buffer, ptr >>> 0, len >>> 0);
  }

  /** @param {Host} host */
  #imports(host) {
    const later = (/** @type {() => void} */ effect) => this.#effects.push(effect);
    /** @type {(ptr: number, len: number) => string} */
    const string = (ptr, len) => this.#text.decode(this.#bytes(ptr, len));
    const memory = () => new DataView(this.#exports.memory.buffer);
    /** @typedef {Record<string, (...args: any[]) => any>} Functions */

    /** @type {Functions} */
    const nanoring = {
      dial: (conn, ptr, len) => {
        const address = string(ptr, len);
        later(() => host.dial(conn, address));
      },
      send: (conn, ptr, len) => {
        const frame = this.#bytes(ptr, len).slice();
        later(() => host.send(conn, frame));
      },
      close: (conn, code, ptr, len) => {
        const why = string(ptr, len);
        later(() => host.close(conn, code, why));
      },
      dirty() {}, // a page keeps nothing: its gateway has it all
      event: (ptr, len) => {
        const event = JSON.parse(string(ptr, len));
        later(() => host.event(event));
      },
      wake: (at) => later(() => host.wake(Number(at) / 1000)),
      halt: (reason, ptr, len) => {
        const why = string(ptr, len);
        later(() => host.halt(reason, why));
      },
    };

    // What the Go runtime wants of WASI. Pointers have no sign here, since its memory stays below 2 GB.
    const none = (/** @type {number} */ count, /** @type {number} */ size) => {
      memory().setUint32(count, 0, true);
      memory().setUint32(size, 0, true);
      return 0;
    };
    /** @type {Functions} */
    const wasi_snapshot_preview1 = {
      args_get: () => 0,
      args_sizes_get: none,
      environ_get: () => 0,
      environ_sizes_get: none,
      sched_yield: () => 0,
      clock_time_get: (_id, _precision, at) => {
        memory().setBigUint64(at, BigInt(Math.round(performance.now() * 1e6)) + 1n, true);
        return 0;
      },
      random_get: (ptr, len) => {
        crypto.getRandomValues(this.#bytes(ptr, len));
        return 0;
      },
      poll_oneoff: (subscriptions, events, count, fired) => {
        for (let i = 0; i < count; i++) { // each has fired, without waiting
          const event = this.#bytes(events + 32 * i, 32).fill(0);
          event.set(this.#bytes(subscriptions + 48 * i, 8));
          event[10] = memory().getUint8(subscriptions + 48 * i + 8);
        }
        memory().setUint32(fired, count, true);
        return 0;
      },
      fd_write: (_fd, vectors, count, written) => {
        let size = 0;
        for (let i = 0; i < count; i++) {
          const len = memory().getUint32(vectors + 8 * i + 4, true);
          this.#lastWords = (this.#lastWords + string(memory().getUint32(vectors + 8 * i, true), len)).slice(0, 2000);
          size += len;
        }
        memory().setUint32(written, size, true);
        return 0;
      },
      proc_exit: (status) => {
        throw new Error(`it exits with status ${status}`);
      },
    };
    return { nanoring, wasi_snapshot_preview1 };
  }
}
