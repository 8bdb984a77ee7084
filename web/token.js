// What lets a node in where a gateway asks for it: a JWT, which travels as the name of a subprotocol.

import { RingError } from "./errors.js";

/**
 * Has a token, as its user gives it, or makes it.
 * @param {string | (() => string | Promise<string>)} from
 * @returns {Promise<string>}
 */
export async function tokenOf(from) {
  try {
    const token = typeof from === "function" ? await from() : from;
    if (typeof token !== "string" || !/^[\w.-]*$/.test(token)) {
      throw new Error("it is not a JWT, which is of letters, digits, hyphens, underscores and dots");
    }
    return token;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RingError("token", `There is no token to join with: ${why}.`, { cause, retryable: true });
  }
}
