// What can go wrong. docs/protocol.md (22) and docs/api.md have the codes.

/** The numbers of the protocol's words. @type {Record<string, number>} */
const numbers = {
  lost: 1, refused: 2, unreachable: 3, slow: 4, invalid: 5, "unknown-node": 6, nobody: 7, halting: 8,
  untrusted: 9, failed: 10,
  bye: 1000, "going-away": 1001, "too-big": 1009,
  rotated: 4000, duplicate: 4001, "bad-frame": 4002, version: 4003, "wrong-ring": 4004, "name-taken": 4005,
  "clock-skew": 4006, "out-of-order": 4007, forbidden: 4008, timeout: 4009, "wrong-node": 4010, self: 4011, busy: 4012,
  removed: 4013, cordoned: 4014,
};

/**
 * The protocol's word for a number.
 * @param {number} number
 */
export function wordOf(number) {
  return Object.keys(numbers).find((word) => numbers[word] === number) ?? `code-${number}`;
}

/** What all errors of this library are. Its message is a sentence for people. */
export class RingError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{retryable?: boolean, cause?: unknown}} [more]
   */
  constructor(code, message, { retryable = false, cause } = {}) {
    super(message, { cause });
    this.name = new.target.name;
    /**
     * The protocol's word, or that of the HTTP API for add and del, or "unsupported" (this browser lacks what it
     * takes), "module" (nanoring.wasm cannot be had), "token" (there is none to join with) or "trap" (it broke).
     */
    this.code = code;
    /** The protocol's number of that word, or 0. */
    this.number = numbers[code] ?? 0;
    /** Whether trying again may help. */
    this.retryable = retryable;
  }
}

/** An operator removed this node from the ring. Its name is of no use any more; joining anew takes another. */
export class RemovedError extends RingError {}

/** A living node has the name that was asked for. */
export class NameTakenError extends RingError {}

/** No gateway answers. */
export class UnreachableError extends RingError {}

/** nanoring.wasm is missing, blocked, damaged, or not the one that this library is made for. */
export class ModuleError extends RingError {}
