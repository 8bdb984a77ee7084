// What there has to be for a node. README.md ("Browsers") says which browsers have it, and what is done without where it is
// not there.

import { RingError } from "./errors.js";

const needs = ["WebAssembly", "WebSocket", "TextEncoder", "TextDecoder", "crypto"];

/** Throws what says so if something is missing. */
export function check() {
  const missing = needs.filter((name) => /** @type {any} */ (globalThis)[name] === undefined);
  if (missing.length) {
    const browser = typeof document === "object" && !navigator.userAgent.includes("jsdom");
    const what = browser ? "This browser" : "What runs this program";
    const help = browser ? "" : " The package's README says what to do, under Node.js.";
    throw new RingError("unsupported", `${what} cannot be a node of a ring: it has no ${missing.join(" and no ")}.${help}`);
  }
}

/**
 * Why a user gives up: browsers of before 2022 keep that to themselves.
 * @param {AbortSignal} signal
 */
export function reasonOf(signal) {
  return signal.reason ?? new DOMException("The node was given up.", "AbortError");
}

/**
 * Whether a value is bytes; those of another realm, like the one that a test runner makes up, are.
 * @param {unknown} value
 * @returns {value is Uint8Array}
 */
export function isBytes(value) {
  return Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/**
 * Whether an object has a property of its own.
 * @param {object} object
 * @param {string} key
 */
export function has(object, key) {
  return Object.prototype.hasOwnProperty.call(object, key);
}
