// The SharedWorkers in which tabs meet, by name. One that hangs can be ended by nobody, and is found by its name for as long as a tab
// lives that knows it. So names have a generation, and tabs go on to the next when one hangs.

import { noPlace, ofPackage, trusted } from "./beside.js";

/** Of a page that may store nothing. @type {Map<string, number>} */
const known = new Map();

/**
 * Makes the SharedWorker, or finds the one that other tabs have made. Throws where there can be none.
 * @param {string} name
 * @returns {{worker: SharedWorker, hangs: () => void, whenLeft: (signal: AbortSignal, left: () => void) => void}} hangs: to be called if it does, and nobody
 *   finds it any more; whenLeft says that other tabs have found that it hangs, be it so or not: they go on in a later one
 */
export function sharedWorker(name) {
  const { SharedWorker: real } = globalThis;
  if (typeof real !== "function") {
    throw new Error("this browser has no SharedWorkers");
  }
  const script = scriptOf(real);
  const { href, origin } = new URL(script.url, location.href);
  if (origin !== location.origin) {
    throw new Error(`the library is of another origin, ${origin}, and tabs share what is of their own: it has to be served from there, too`);
  }
  const generation = generationOf(name);
  return {
    worker: new real(/** @type {any} */ (trusted(href)), { ...script.options, name: generation ? `${name} ${generation}` : name }),
    hangs: () => generationOf(name) === generation && next(name, generation + 1),
    whenLeft: (signal, left) => {
      const look = () => void (!signal.aborted && generationOf(name) > generation && left());
      addEventListener("storage", look, { signal }); // of other tabs
      look();
    },
  };
}

/** @param {string} name */
function generationOf(name) {
  let stored = 0;
  try {
    stored = Number(localStorage.getItem(name)) || 0;
  } catch {} // nobody tells this page
  return Math.max(stored, known.get(name) ?? 0);
}

/**
 * @param {string} name
 * @param {number} generation
 */
function next(name, generation) {
  known.set(name, generation);
  try {
    localStorage.setItem(name, String(generation));
  } catch {} // then other pages find out for themselves
}

/**
 * Where its script is: see script in beside.js.
 * @param {typeof SharedWorker} real
 * @returns {import("./beside.js").Script}
 */
function scriptOf(real) {
  globalThis.SharedWorker = /** @type {any} */ (class {
    constructor(/** @type {string | URL} */ url, options = {}) {
      return { url: ofPackage(url), options };
    }
  });
  try {
    return /** @type {any} */ (new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module" }));
  } catch {
    throw new Error(noPlace);
  } finally {
    globalThis.SharedWorker = real;
  }
}
