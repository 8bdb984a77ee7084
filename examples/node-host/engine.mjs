// nanoring.wasm as an object, by docs/abi.md and nothing else.

const utf8 = new TextEncoder();
const text = new TextDecoder();

export const mono = () => BigInt(Math.round(performance.now() * 1000));

export class Engine {
  #exports;
  #effects = []; // of the call under way: they are carried out after it
  #words = ""; // the last ones, of a module that is about to trap

  // Compiles and starts the module. effects has dial, send, close, dirty, event, wake and halt.
  static async make(bytes, effects) {
    const engine = new Engine();
    const { instance } = await WebAssembly.instantiate(bytes, engine.#imports(effects));
    engine.#exports = instance.exports;
    engine.#call("_initialize");
    const abi = engine.#call("abi");
    if (abi !== 1) {
      throw new Error(`the module has version ${abi} of the ABI, and this host is for 1`);
    }
    return engine;
  }

  // Makes the node: settings are pairs of a key and a text, bytes or a BigInt.
  create(settings) {
    for (const [key, value] of settings) {
      if (this.#call(typeof value === "bigint" ? "number" : "text", key, value) !== 0) {
        throw new Error(`the module does not know ${key}`);
      }
    }
    const wrong = this.#call("create");
    if (wrong !== 0n) {
      const { field, text: why } = JSON.parse(text.decode(this.#left(wrong)));
      throw new Error(`${field}: ${why}`);
    }
  }

  // Gives the node an input, and carries out what comes of it.
  input(name, ...args) {
    this.#call(name, mono(), BigInt(Date.now()) * 1000n, ...args);
    for (const effect of this.#effects.splice(0)) {
      effect();
    }
  }

  snapshot() {
    return this.#left(this.#call("snapshot")).slice();
  }

  // Calls an export. Texts and bytes go through the module's buffer, one after the other.
  #call(name, ...args) {
    args = args.map((arg) => (typeof arg === "string" ? utf8.encode(arg) : arg));
    const size = args.reduce((sum, arg) => sum + (arg.length ?? 0), 0);
    let at = size > 0 ? this.#exports.buffer(size) >>> 0 : 0;
    const flat = args.flatMap((arg) => {
      if (!(arg instanceof Uint8Array)) {
        return [arg];
      }
      this.#memory(at, arg.length).set(arg);
      at += arg.length;
      return [at - arg.length, arg.length];
    });
    try {
      return this.#exports[name](...flat);
    } catch (cause) {
      this.#exports = {}; // it would still answer, wrongly
      throw new Error(`the module broke in ${name}: ${this.#words || cause}`, { cause });
    }
  }

  // A view of the module's memory. Any call may move it.
  #memory(ptr, len) {
    return new Uint8Array(this.#exports.memory.buffer, ptr >>> 0, len >>> 0);
  }

  // Bytes that the module has left: ptr << 32 | len.
  #left(where) {
    return this.#memory(Number(BigInt.asUintN(32, where >> 32n)), Number(BigInt.asUintN(32, where)));
  }

  #imports(host) {
    const later = (effect) => void this.#effects.push(effect);
    const string = (ptr, len) => text.decode(this.#memory(ptr, len));
    const view = () => new DataView(this.#exports.memory.buffer);
    const put = (ptr, value) => view().setUint32(ptr >>> 0, value, true);
    const get = (ptr) => view().getUint32(ptr >>> 0, true);
    const none = (count, size) => (put(count, 0), put(size, 0), 0);
    let clock = 0n;
    return {
      nanoring: {
        dial: (conn, ptr, len) => { const addr = string(ptr, len); later(() => host.dial(conn, addr)); },
        send: (conn, ptr, len) => { const frame = this.#memory(ptr, len).slice(); later(() => host.send(conn, frame)); },
        close: (conn, code, ptr, len) => { const why = string(ptr, len); later(() => host.close(conn, code, why)); },
        dirty: (seq) => later(() => host.dirty(seq)),
        event: (ptr, len) => { const event = JSON.parse(string(ptr, len)); later(() => host.event(event)); },
        wake: (at) => later(() => host.wake(at)),
        halt: (reason, ptr, len) => { const why = string(ptr, len); later(() => host.halt(reason, why)); },
      },
      wasi_snapshot_preview1: {
        args_get: () => 0,
        args_sizes_get: none,
        environ_get: () => 0,
        environ_sizes_get: none,
        sched_yield: () => 0,
        random_get: () => 0,
        clock_time_get: (id, precision, at) => (view().setBigUint64(at >>> 0, ++clock, true), 0),
        fd_write: (fd, vectors, count, written) => {
          let size = 0;
          for (let i = 0; i < count; i++) {
            this.#words += string(get(vectors + 8 * i), get(vectors + 8 * i + 4));
            size += get(vectors + 8 * i + 4);
          }
          put(written, size);
          return 0;
        },
        poll_oneoff: (subscriptions, events, count, fired) => {
          for (let i = 0; i < count; i++) {
            const from = this.#memory(subscriptions + 48 * i, 48), to = this.#memory(events + 32 * i, 32);
            to.fill(0);
            to.set(from.subarray(0, 8)); // whose it is
            to[10] = from[8]; // of which kind
          }
          put(fired, count);
          return 0;
        },
        proc_exit: (status) => { throw new Error(`it exited with status ${status}`); },
      },
    };
  }
}
