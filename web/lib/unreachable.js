// Why no gateway lets a node in. A browser does not say why a WebSocket failed.

import { UnreachableError } from "./errors.js";

/**
 * What join rejects with when all gateways were dialled in vain.
 * @param {string[]} gateways
 * @param {string} url the one that was dialled last
 * @param {string} token which it was offered; "": none
 * @returns {Promise<import("./errors.js").RingError>}
 */
export async function unreachable(gateways, url, token) {
  return await explained(url, token) ?? new UnreachableError("unreachable", `No gateway answers at ${gateways.join(" or ")}. Does it run, and let ${who()} in ${token ? "with this token" : "without a token"}?`, { retryable: true });
}

function who() {
  const from = globalThis.location?.origin;
  return from ? `pages of ${from}` : "this program";
}

/**
 * Why a dial came to nothing, if that can be found out.
 * @param {string} _url
 * @param {string} _token
 * @returns {Promise<import("./errors.js").RingError | undefined>}
 */
async function explained(_url, _token) {
  return undefined;
}
