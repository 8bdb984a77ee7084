// What lies beside the library: its Worker and the module. Bundlers look for the two expressions below and put in their
// place where they have put the file, as long as each is written in one piece.

import { ModuleError } from "./errors.js";

/**
 * Where the Worker is, and what it has to be made with.
 * @typedef {{url: string, options: WorkerOptions}} Script
 */

/** Why this file has no place: it is in a bundle that is no ES module. */
export const noPlace = "the library was bundled as something else than an ES module, and so does not know where it is (esbuild: --format=esm)";

/**
 * Makes the Worker; throws where there can be none.
 * @param {Script} script
 * @returns {{worker: Worker, loaded: () => void}} loaded: to be called when it has begun, or never will
 */
export function makeWorker({ url, options }) {
  const at = ofThisOrigin(url, options), loaded = () => URL.revokeObjectURL(at); // which does nothing to one of http:
  try {
    return { worker: new Worker(/** @type {any} */ (trusted(at)), { ...options, name: "nanoring" }), loaded };
  } catch (error) {
    loaded();
    throw error;
  }
}

/**
 * Bundlers find a Worker only where it is made, at once. Here it is made by a class that tells what the browser would
 * have been given: a page with Trusted Types, or whose scripts are of another origin, has to give it something else.
 * @returns {Script | undefined} undefined: see noPlace
 */
export function script() {
  const { Worker: real } = globalThis;
  class Told {
    constructor(/** @type {string | URL} */ url, options = {}) { // there are none any more where a bundler made a classic script of it
      return { url: ofPackage(url), options };
    }
  }
  try {
    globalThis.Worker = /** @type {any} */ (Told);
    try {
      return /** @type {any} */ (new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
    } finally {
      globalThis.Worker = real;
    }
  } catch {
    return undefined;
  }
}

/**
 * Where the module is; throws where nobody knows: see noPlace.
 * @param {string | URL} [given]
 */
export function moduleAt(given) {
  try {
    return new URL(given ?? ofPackage(new URL("./nanoring.wasm", import.meta.url)), globalThis.location?.href);
  } catch (cause) {
    throw new ModuleError("module", given ? `The module is at no URL: ${given}.` : `The module cannot be found: ${noPlace}. Else say where it is: join({ module }).`, { cause });
  }
}

/** The gateway that serves these files, if a node does: none where they are bundled. */
export function ownGateway() {
  const url = script()?.url ?? "";
  return /^http.*\/worker\.js$/.test(url) ? [url.replace(/worker\.js$/, "ring")] : [];
}

/**
 * vite dev runs the library from a cache of its own, with nothing beside it.
 * @param {string | URL} url
 */
export function ofPackage(url) {
  return String(url).replace("/.vite/deps/", "/nanoring/lib/");
}

/**
 * A page makes Workers of its own origin only; but a script of that may import others.
 * @param {string} url
 * @param {WorkerOptions} options
 */
function ofThisOrigin(url, { type }) {
  const { href, origin } = new URL(url, location.href);
  if (origin === location.origin) {
    return href;
  }
  const text = JSON.stringify(href);
  return URL.createObjectURL(new Blob([type === "module" ? `import ${text};` : `importScripts(${text});`], { type: "text/javascript" }));
}

/** @type {{createScriptURL: (url: string) => string} | undefined} */
let policy;

/** What a page with Trusted Types takes for a script's URL. @param {string} url */
export function trusted(url) {
  try {
    policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy("nanoring", { createScriptURL: (/** @type {string} */ url) => url });
  } catch {} // the page lets in no policy of this name: it may do without
  return policy ? policy.createScriptURL(url) : url;
}
