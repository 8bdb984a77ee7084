// Makes of a browser one that is older, in this page and in its Workers: old(names) takes away what browsers got since
// the oldest that web/README.md names. old([], used) takes nothing, and tells what of it is used.

const properties = `
  AbortSignal.abort AbortSignal.any AbortSignal.timeout AbortSignal.prototype.reason AbortSignal.prototype.throwIfAborted
  Array.fromAsync Array.prototype.at Array.prototype.findLast Array.prototype.findLastIndex Array.prototype.group
  Array.prototype.toReversed Array.prototype.toSorted Array.prototype.toSpliced Array.prototype.with
  ArrayBuffer.prototype.resize ArrayBuffer.prototype.transfer Atomics.waitAsync BroadcastChannel
  CompressionStream DecompressionStream Error.isError EventTarget.prototype.when
  Intl.DurationFormat Intl.Segmenter Iterator Map.groupBy Math.sumPrecise
  Object.groupBy Object.hasOwn Promise.try Promise.withResolvers
  ReadableStream.from ReadableStream.prototype.values RegExp.escape Response.json
  Set.prototype.difference Set.prototype.intersection Set.prototype.isDisjointFrom Set.prototype.isSubsetOf Set.prototype.isSupersetOf
  Set.prototype.symmetricDifference Set.prototype.union SharedWorker String.prototype.at String.prototype.isWellFormed String.prototype.toWellFormed
  Symbol.asyncDispose Symbol.dispose TextDecoderStream TextEncoderStream URL.canParse URL.parse URLPattern URLSearchParams.prototype.size
  Uint8Array.fromBase64 Uint8Array.prototype.at Uint8Array.prototype.findLast Uint8Array.prototype.setFromBase64 Uint8Array.prototype.toBase64
  Uint8Array.prototype.toSorted WebAssembly.Suspending WebSocketStream
  crypto.randomUUID crypto.subtle navigator.connection navigator.locks navigator.scheduling navigator.storage navigator.userActivation navigator.userAgentData
  requestIdleCallback reportError scheduler structuredClone trustedTypes`.trim().split(/\s+/);

// What is no property. Each is given a function to call when it is used, which says whether it is there.
const habits = {
  "getRandomValues:BigInts"(there) {
    const real = Crypto.prototype.getRandomValues;
    Crypto.prototype.getRandomValues = function (array) {
      if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
        if (!there()) throw new DOMException("BigInts", "TypeMismatchError");
      }
      return real.call(this, array);
    };
  },
  "MessagePort:modules"(there) {
    const real = MessagePort.prototype.postMessage;
    const has = (value) => value instanceof WebAssembly.Module || (Array.isArray(value) && value.some(has));
    MessagePort.prototype.postMessage = function (message, ...more) {
      if (has(message) && !there()) throw new DOMException("The object can not be cloned.", "DataCloneError");
      return real.call(this, message, ...more);
    };
  },
};

const modules = "Worker:modules";

function old(names, used) {
  const take = (name) => names.includes(name);
  for (const path of properties) {
    const parts = path.split("."), last = parts.pop();
    let owner = parts.reduce((object, part) => object?.[part], globalThis);
    while (owner && !Object.prototype.hasOwnProperty.call(owner, last)) owner = Object.getPrototypeOf(owner);
    if (owner && take(path)) {
      delete owner[last];
    } else if (owner && used) {
      const { value, get } = Object.getOwnPropertyDescriptor(owner, last);
      const noted = { configurable: true, get() { used(path); return get ? get.call(this) : value; } };
      try {
        Object.defineProperty(owner, last, noted);
      } catch {} // it stays
    }
  }
  for (const name of Object.keys(habits)) {
    (take(name) || used) && habits[name](() => (used?.(name), !take(name)));
  }
  if (typeof Worker !== "function" || typeof document !== "object") return;
  const source = document.querySelector("#old").textContent, Real = Worker;
  globalThis.Worker = class extends Real {
    constructor(url, { type, ...options } = {}) {
      used?.(modules);
      if (take(modules)) {
        super(url, options);
        return;
      }
      const text = `${source}
        old(${JSON.stringify(names)}, ${used ? `((channel) => (name) => channel.postMessage(name))(new BroadcastChannel("used"))` : undefined});
        import(${JSON.stringify(String(url))});`;
      super(URL.createObjectURL(new Blob([text], { type: "text/javascript" })), { type, ...options });
    }
  };
}

const everything = [...properties, ...Object.keys(habits), modules];
