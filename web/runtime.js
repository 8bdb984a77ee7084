// A runtime: it moves frames between an engine and its gateway, and wakes it. It does not know what is in them.

import { Engine } from "./engine.js";

const subprotocol = "nanoring.v1";
const maxFrame = 256 * 1024;
const maxQueued = 1024 * 1024;
const byeTime = 1000; // ms that a gateway has for its half of a close

// Codes that tell the engine how a connection ended without a close frame.
const lost = 1, unreachable = 3, slow = 4;
const badFrame = 4002;

/**
 * Who uses a runtime. It is told nothing any more once it said stop or end.
 * @typedef {object} Watcher
 * @property {(url: URL) => void} dialing
 * @property {() => void} closed a connection is over, or did not come about
 * @property {(event: any) => void} event
 * @property {(sent: boolean, bytes: Uint8Array) => void} frame
 * @property {(reason: number, text: string) => void} halted it has ended, by itself
 * @property {(error: unknown) => void} broke likewise
 */

/** @typedef {import("./engine.js").Host} Host */

/** @implements {Host} */
export class Runtime {
  /** How many connections in a row came to nothing; who is let in sets it to 0. */
  failures = 0;
  /** The URL of the connection that is open. */
  url = "";

  /** @type {Engine | undefined} */
  #engine;
  /** @type {Watcher | undefined} */
  #watcher;
  #urls;
  /** Those that are open or being dialled; no WebSocket while that is put off. @type {Map<bigint, WebSocket | undefined>} */
  #sockets = new Map();
  #wakeAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Map<string, URL>} urls of gateways, by the address under which the engine dials them
   * @param {Watcher} watcher
   */
  constructor(urls, watcher) {
    this.#urls = urls;
    this.#watcher = watcher;
  }

  /**
   * Runs a node.
   * @param {WebAssembly.Module} module
   * @param {[string, string | bigint][]} settings
   */
  async start(module, settings) {
    const engine = await Engine.make(module, this);
    engine.create(settings);
    if (this.#watcher) {
      this.#engine = engine;
      this.#input("start");
    }
  }

  /** Says bye. Resolves when that has been sent. */
  async stop() {
    const open = [...this.#sockets.values()].filter((socket) => socket?.readyState === WebSocket.OPEN);
    this.#watcher = undefined;
    this.#input("stop", 0n);
    this.end();
    const closed = open.map((socket) => new Promise((resolve) => socket?.addEventListener("close", resolve)));
    await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, byeTime))]);
  }

  /** Ends it, whatever is under way. */
  end() {
    this.#watcher = undefined;
    this.#engine?.free();
    this.#engine = undefined;
    clearTimeout(this.#timer);
    for (const [conn] of this.#sockets) {
      this.#shut(conn);
    }
  }

  // What the engine asks for.

  /**
   * The first one is dialled at once, others after some time: when a gateway dies, its tabs do not come all at once.
   * @param {bigint} conn
   * @param {string} address
   */
  dial(conn, address) {
    const url = /** @type {URL} */ (this.#urls.get(address));
    this.#sockets.set(conn, undefined);
    const pause = this.failures && Math.random() * Math.min(3000, 100 * 2 ** this.failures);
    setTimeout(() => this.#open(conn, url), pause);
  }

  /**
   * @param {bigint} conn
   * @param {Uint8Array<ArrayBuffer>} frame
   */
  send(conn, frame) {
    const socket = this.#sockets.get(conn);
    if (socket && socket.bufferedAmount > maxQueued) {
      this.#shut(conn);
      setTimeout(() => this.#over(conn, slow));
    } else {
      socket?.send(frame);
      this.#watcher?.frame(true, frame);
    }
  }

  /**
   * @param {bigint} conn
   * @param {number} code
   * @param {string} text
   */
  close(conn, code, text) {
    this.#shut(conn, code, text);
    this.failures++;
    this.#watcher?.closed();
  }

  /** @param {any} event */
  event(event) {
    this.#watcher?.event(event);
  }

  /** @param {number} at */
  wake(at) {
    this.#wakeAt = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), at - performance.now());
  }

  /**
   * @param {number} reason
   * @param {string} text
   */
  halt(reason, text) {
    const watcher = this.#watcher;
    this.end();
    watcher?.halted(reason, text);
  }

  // What happens to the engine.

  /**
   * @param {string} name
   * @param {...(bigint | number | string | Uint8Array)} args
   */
  #input(name, ...args) {
    try {
      this.#engine?.input(name, ...args);
    } catch (error) {
      const watcher = this.#watcher;
      this.end();
      watcher?.broke(error);
    }
  }

  #tick() {
    if (performance.now() < this.#wakeAt) {
      this.wake(this.#wakeAt); // timers may come a little early, and the engine asks once
    } else {
      this.#input("tick");
    }
  }

  /**
   * @param {bigint} conn
   * @param {URL} url
   */
  #open(conn, url) {
    if (!this.#sockets.has(conn)) {
      return; // the engine does not want it any more
    }
    this.#watcher?.dialing(url);
    let socket;
    try {
      socket = new WebSocket(url, subprotocol);
    } catch { // the page may not open it: by its Content-Security-Policy, or since it came by https
      this.#over(conn, unreachable);
      return;
    }
    this.#sockets.set(conn, socket);
    socket.binaryType = "arraybuffer";
    let failed = unreachable;
    socket.onopen = () => {
      this.url = url.href;
      failed = lost;
      this.#input("opened", conn, 0, "");
    };
    socket.onmessage = ({ data }) => {
      if (!this.#sockets.has(conn)) {
        return;
      }
      if (!(data instanceof ArrayBuffer) || data.byteLength > maxFrame) {
        this.#shut(conn, badFrame, "frames are binary, and at most 256 KiB");
        this.#over(conn, badFrame);
        return;
      }
      const frame = new Uint8Array(data);
      this.#watcher?.frame(false, frame);
      this.#input("received", conn, frame);
    };
    socket.onclose = ({ code }) => {
      if (this.#sockets.delete(conn)) {
        this.#over(conn, code === 1006 ? failed : code);
      }
    };
  }

  /**
   * Tells that a connection is over that the engine did not close.
   * @param {bigint} conn
   * @param {number} code
   */
  #over(conn, code) {
    this.#sockets.delete(conn);
    this.failures++;
    this.#watcher?.closed();
    this.#input("closed", conn, code);
  }

  /**
   * Closes a connection after what was sent.
   * @param {bigint} conn
   * @param {number} [code]
   * @param {string} [text]
   */
  #shut(conn, code, text) {
    const socket = this.#sockets.get(conn);
    this.#sockets.delete(conn);
    if (code === undefined || code !== 1000 && code < 3000) { // browsers let a page say no other
      socket?.close();
    } else {
      socket?.close(code, text?.slice(0, 41)); // at most 123 bytes
    }
  }
}
