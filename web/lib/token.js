// What lets a node in where a gateway asks for it: a JWT, which travels as the name of a subprotocol. docs/security.md
// says what it claims; it is the gateway that finds out whether that is true.

import { RingError } from "./errors.js";
import { isLike } from "./filter.js";

const LEEWAY = 60_000; // ms that clocks may differ

/**
 * What a guest's token claims.
 * @typedef {object} Claims
 * @property {string} ring
 * @property {string} role "guest"
 * @property {string} name the name that the guest may have, or how it begins and "*"
 * @property {Record<string, string>} [tags] those that it has to have
 * @property {string[]} [own] the keys of others that it may have, with * for any characters; without, any if there are no tags, and none else
 * @property {string[]} [send] the topics that it may send on, with * for any characters; without, none
 * @property {string[]} [hear] likewise, that it may hear
 * @property {number} [exp] Unix seconds
 */

/**
 * Has a token, as its user gives it, or makes it, and what it claims. It is "" where there is none.
 * @param {string | (() => string | Promise<string>)} from
 * @returns {Promise<{text: string, claims?: Claims}>}
 */
export async function tokenOf(from) {
  try {
    const given = typeof from === "function" ? await from() : from;
    const text = typeof given === "string" ? given.trim() : given; // a line, perhaps
    return text === "" ? { text } : { text, claims: claimsOf(text) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RingError("token", `There is no token to join with: ${why}.`, { cause, retryable: true });
  }
}

/**
 * @param {unknown} text
 * @returns {Claims}
 */
function claimsOf(text) {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(String(text)) ?? [];
  let claims;
  try {
    const bytes = Uint8Array.from(atob(String(payload).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    claims = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error("it is not a JWT, which is three parts in base64url with dots between them");
  }
  if (claims?.role !== "guest" || typeof claims.ring !== "string" || typeof claims.name !== "string") {
    throw new Error("it is not a guest's, which has the role guest, a ring and a name");
  }
  return claims;
}

/**
 * Whether a token lets a guest have a name.
 * @param {Claims} claims
 * @param {string} name
 */
export function allows({ name: allowed }, name) {
  return allowed.endsWith("*") ? name.startsWith(allowed.slice(0, -1)) : name === allowed;
}

/**
 * Whether a token lets a guest hear something of a pattern of topics, as far as that can be told without trying.
 * @param {Claims | undefined} claims
 * @param {string} pattern
 */
export function mayHear(claims, pattern) {
  return !claims || (claims.hear ?? []).some((allowed) => pattern.includes("*") || isLike(allowed, pattern));
}

/**
 * Why nobody is let in with a token any more, if it has expired; by this clock, which may be wrong.
 * @param {Claims | undefined} claims
 * @param {boolean} retryable whether another may be had
 */
export function expiryOf(claims, retryable) {
  const at = Number(claims?.exp ?? NaN) * 1000;
  if (at + LEEWAY < Date.now()) {
    return new RingError("forbidden", `No gateway lets this node in, since its token expired at ${new Date(at).toISOString()}.`, { retryable });
  }
}
