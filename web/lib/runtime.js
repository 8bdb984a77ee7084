// A runtime: it moves frames between an engine and its gateway, and wakes it. It does not know what is in them.

import { Engine } from "./engine.js";
import { Gateways } from "./gateways.js";
import { nodeOf } from "./view.js";
import { within } from "./waits.js";

const subprotocol = "nanoring.v1";
const maxFrame = 256 * 1024;
const maxQueued = 1024 * 1024;
const byeTime = 1000; // ms that a gateway has for its half of a close
const promptToken = 1000; // ms: the engine gives a dial some seconds, which one that takes longer would use up

// Codes that tell the engine how a connection ended without a close frame.
const lost = 1, unreachable = 3, slow = 4;
const badFrame = 4002, cordoned = 4014;

/**
 * Who uses a runtime. It is told nothing any more once it said stop or end.
 * @typedef {object} Watcher
 * @property {() => Promise<string>} token what lets this node in; "" where it takes none
 * @property {(url: string) => void} dialing
 * @property {(url: string) => void} opened
 * @property {(failures: number, sentOn: boolean) => void} closed a connection is over, or did not come about: so many in a row. One that has sent this node on to another gateway is no failure
 * @property {(event: any) => void} event
 * @property {(sent: boolean, bytes: Uint8Array) => void} frame
 * @property {(reason: number, text: string) => void} halted it has ended, by itself
 * @property {(error: unknown) => void} broke likewise
 */

/** @typedef {import("./engine.js").Host} Host */

/** @implements {Host} */
export class Runtime {
  /** Whether the watcher is told of frames. */
  frames = false;

  /** How many connections in a row came to nothing. */
  #failures = 0;
  /** @type {Engine | undefined} */
  #engine;
  /** Commands for an engine that is not there yet. @type {(() => void)[]} */
  #early = [];
  /** @type {Watcher | undefined} */
  #watcher;
  /** What lets this node in, being asked for, or not used yet. @type {Promise<string> | undefined} */
  #token;
  #gateways;
  /** Those that are open or being dialled; no WebSocket while that is put off. @type {Map<bigint, WebSocket | undefined>} */
  #sockets = new Map();
  /** What has been put off. @type {Map<bigint, ReturnType<typeof setTimeout>>} */
  #later = new Map();
  #wakeAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string[]} gateways checked URLs
   * @param {Watcher} watcher
   */
  constructor(gateways, watcher) {
    this.#gateways = new Gateways(gateways);
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
      this.#input("start", []);
      this.#early.splice(0).forEach((command) => this.#engine && command());
    }
  }

  /** Says bye. Resolves when that has been sent. */
  async stop() {
    const open = [...this.#sockets.values()].filter((socket) => socket?.readyState === WebSocket.OPEN);
    this.#watcher = undefined;
    this.#input("stop", [], 0n);
    this.end();
    const closed = open.map((socket) => new Promise((resolve) => socket?.addEventListener("close", resolve)));
    await within(byeTime, Promise.all(closed), "").catch(() => {});
  }

  /**
   * Gives the engine a command, as soon as there is one; a result follows.
   * @param {string} name
   * @param {number} id
   * @param {[string, string][]} texts what it is about
   * @param {(bigint | number | string | Uint8Array)[]} args
   */
  command(name, id, texts, args) {
    if (this.#engine) {
      this.#input(name, texts, BigInt(id), ...args);
    } else {
      this.#early.push(() => this.command(name, id, texts, args));
    }
  }

  /** The page is left or frozen. */
  sleep() {
    this.stop();
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

  /**
   * The node is in.
   * @param {string} url
   * @param {string} name its gateway's
   */
  accepted(url, name) {
    this.#failures = 0;
    this.#gateways.accepted(url, name);
  }

  /** There may be a network again, or a user who waits: what was put off is done now. */
  hurry() {
    this.#failures = 0;
    [...this.#later.keys()].forEach((conn) => this.#now(conn));
  }

  // What the engine asks for.

  /**
   * The first one is dialled at once, others after some time: when a gateway dies, its tabs do not come all at once.
   * Which one it is, is not the engine's choice: its address stands for all gateways.
   * @param {bigint} conn
   */
  dial(conn) {
    this.#sockets.set(conn, undefined);
    this.#later.set(conn, setTimeout(() => this.#now(conn), this.#gateways.pause(this.#failures)));
  }

  /**
   * @param {bigint} conn
   * @param {Uint8Array} frame
   */
  send(conn, frame) {
    const socket = this.#sockets.get(conn);
    if (socket && socket.bufferedAmount > maxQueued) {
      this.#shut(conn);
      setTimeout(() => this.#over(conn, slow));
    } else if (socket?.readyState === WebSocket.OPEN) { // else its close is about to be told
      socket.send(/** @type {any} */ (frame));
      this.#tell(true, frame);
    }
  }

  /**
   * @param {bigint} conn
   * @param {number} code
   * @param {string} text
   */
  close(conn, code, text) {
    const dialled = !!this.#sockets.get(conn); // else it waited for a token, which is no gateway's fault
    this.#shut(conn, code, text);
    dialled && this.#watcher?.closed(++this.#failures, false);
  }

  /** @param {any} event */
  event(event) {
    if (event.kind === "node") {
      this.#gateways.learn(nodeOf(event.node));
    }
    this.#watcher?.event(event);
  }

  /** @param {number} at */
  wake(at) {
    this.#wakeAt = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, at - performance.now())); // Node.js warns of what is past
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

  /**
   * @param {boolean} sent
   * @param {Uint8Array} bytes
   */
  #tell(sent, bytes) {
    if (this.frames) {
      this.#watcher?.frame(sent, bytes);
    }
  }

  // What happens to the engine.

  /**
   * @param {string} name
   * @param {[string, string][]} texts
   * @param {...(bigint | number | string | Uint8Array)} args
   */
  #input(name, texts, ...args) {
    try {
      texts.forEach(([key, value]) => this.#engine?.set(key, value));
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
      this.#input("tick", []);
    }
  }

  /** Dials what was put off. @param {bigint} conn */
  #now(conn) {
    this.#notLater(conn);
    this.#open(conn);
  }

  /** @param {bigint} conn */
  #notLater(conn) {
    clearTimeout(this.#later.get(conn));
    this.#later.delete(conn);
  }

  /** @param {bigint} conn */
  async #open(conn) {
    const watcher = this.#watcher;
    if (!watcher || !this.#sockets.has(conn)) {
      return; // the engine does not want it any more
    }
    let url = "", socket;
    try {
      const asked = performance.now();
      const token = await this.#askToken(watcher);
      if (!this.#sockets.has(conn)) {
        return;
      }
      if (performance.now() - asked > promptToken) { // the next dial has it, and all its time
        this.#sockets.delete(conn);
        return this.#input("closed", [], conn, unreachable);
      }
      this.#token = undefined;
      const next = this.#gateways.next(token !== "");
      if (next === undefined) {
        return this.#over(conn, unreachable);
      }
      url = next;
      watcher.dialing(url);
      socket = new WebSocket(url, token ? [subprotocol, `nanoring.token.${token}`] : [subprotocol]);
    } catch { // there is no token; or the page may not open it: by its Content-Security-Policy, or since it came by https
      if (this.#sockets.has(conn)) {
        this.#over(conn, unreachable);
      }
      return;
    }
    this.#sockets.set(conn, socket);
    socket.binaryType = "arraybuffer";
    let failed = unreachable;
    socket.onopen = () => {
      failed = lost;
      this.#watcher?.opened(url);
      this.#input("opened", [], conn, 0, "");
    };
    socket.onmessage = ({ data }) => {
      if (!this.#sockets.has(conn)) {
        return;
      }
      if (typeof data === "string" || data.byteLength > maxFrame) {
        this.#shut(conn, badFrame, "frames are binary, and at most 256 KiB");
        this.#over(conn, badFrame);
        return;
      }
      const frame = new Uint8Array(data);
      this.#tell(false, frame);
      this.#input("received", [], conn, frame);
    };
    const over = (/** @type {number} */ code) => {
      if (this.#sockets.delete(conn)) {
        code === cordoned && this.#gateways.sentOn(url);
        this.#over(conn, code);
      }
    };
    socket.onclose = ({ code }) => over(code === 1006 ? failed : code);
    socket.onerror = () => over(failed); // Node.js closes none that did not come about
  }

  /**
   * A token for a connection. If that is over before it comes, it is for the next one.
   * @param {Watcher} watcher
   */
  #askToken(watcher) {
    this.#token ??= watcher.token().catch((error) => {
      this.#token = undefined;
      throw error;
    });
    return this.#token;
  }

  /**
   * Tells that a connection is over that the engine did not close.
   * @param {bigint} conn
   * @param {number} code
   */
  #over(conn, code) {
    this.#sockets.delete(conn);
    const sentOn = code === cordoned;
    this.#watcher?.closed(sentOn ? this.#failures : ++this.#failures, sentOn);
    this.#input("closed", [], conn, code);
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
    this.#notLater(conn);
    if (code === undefined || code !== 1000 && code < 3000) { // browsers let a page say no other
      socket?.close();
    } else {
      socket?.close(code, text?.slice(0, 41)); // at most 123 bytes
    }
  }
}

/**
 * What the engine of a guest is made with, beside its tags.
 * @param {string} ring
 * @param {string} name
 * @returns {[string, string | bigint][]}
 */
export function guestSettings(ring, name) {
  const [seed = 0n, nonce = 0n] = new BigInt64Array(crypto.getRandomValues(new Uint8Array(16)).buffer);
  return [
    ["ring", ring],
    ["name", name],
    ["ephemeral", 1n],
    ["seed", seed],
    ["instance-start", BigInt(Date.now()) * 1000n],
    ["instance-nonce", nonce],
    ["join", "gateway:443"], // the runtime knows where that is
  ];
}
