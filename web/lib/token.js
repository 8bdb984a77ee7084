// What lets a node in where a gateway asks for it: a JWT, which travels as the name of a subprotocol. docs/security.md
// says what it claims; it is the gateway that finds out whether that is true.

import { RingError } from "./errors.js";
import { isLike } from "./filter.js";
import { waits } from "./waits.js";

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

/** @typedef {{text: string, claims?: Claims}} Token "" where there is none */

const LONGEST = 4; // times that the wait for a token doubles

/** Has tokens: the one that its user gives, or those that a function of its user makes, one for each connection. */
export class Tokens {
  #from;
  #late;

  /**
   * @param {string | (() => string | Promise<string>)} from
   * @param {(text: string) => void} late is told when the function takes long
   */
  constructor(from, late) {
    this.#from = from;
    this.#late = late;
  }

  /** Whether another one can be had. */
  get renews() {
    return typeof this.#from === "function";
  }

  /**
   * Has one. A function that does not answer is called again, and the first answer counts: what it was waiting for may
   * never come. Rejects if the last call fails, and if all of so many took too long.
   * @param {AbortSignal} signal ends the wait
   * @param {number} [most] calls
   * @returns {Promise<Token>}
   */
  next(signal, most = Infinity) {
    return new Promise((resolve, reject) => {
      let calls = 0, waited = 0;
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      const over = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", gone);
      };
      const gone = () => {
        over();
        reject(signal.reason);
      };
      const call = () => {
        const nth = ++calls, patience = waits.token * 2 ** Math.min(nth - 1, LONGEST);
        timer = setTimeout(() => {
          waited += patience;
          const late = `The token function has not answered in ${waited / 1000} s`;
          if (nth < most) {
            this.#late(`${late}: it is called again`);
            call();
          } else {
            over();
            reject(new RingError("token", `${late}, and was called ${nth} times.`, { retryable: true }));
          }
        }, patience);
        tokenOf(this.#from).then((token) => (over(), resolve(token)), (error) => nth === calls && (over(), reject(error)));
      };
      signal.addEventListener("abort", gone);
      call();
    });
  }
}

/**
 * @param {string | (() => string | Promise<string>)} from
 * @returns {Promise<Token>}
 */
async function tokenOf(from) {
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
