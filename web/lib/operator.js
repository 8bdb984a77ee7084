// What a page of a node's own origin may do by the node's HTTP API (docs/api.md): it has its operator's rights.

import { RingError, UnreachableError } from "./errors.js";
import { waits, within } from "./waits.js";

export class Operator {
  #api;
  #token;

  /**
   * @param {string[]} gateways of which that of the page's own origin is asked: others take no pages of it
   * @param {string | (() => string)} token an operator's, in a ring with a secret; "" for none
   */
  constructor(gateways, token) {
    this.#token = token;
    const own = globalThis.location?.origin;
    this.#api = gateways.map((url) => new URL(url.replace(/^ws/, "http"))).find((url) => url.origin === own);
  }

  /** The ring's name, as who has no token learns it. */
  async ring() {
    const status = this.#api && (await this.ask("GET", "v1/status", undefined, waits.status).catch((error) => {
      if (error.code === "unauthorized") {
        throw new RingError("unauthorized", "The ring is locked: it takes a token to join.", { cause: error });
      }
    }));
    return String(status?.ring ?? "nanoring");
  }

  /**
   * Asks the node, and returns what it answers.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {number} [patience] ms
   * @returns {Promise<any>}
   */
  async ask(method, path, body, patience = waits.api) {
    const api = this.#api;
    if (!api) {
      throw new RingError("cross-origin", `No gateway is of this page's origin, ${globalThis.location?.origin ?? "none"}: only to such pages a node gives its operator's rights.`);
    }
    const token = typeof this.#token === "function" ? this.#token() : this.#token;
    if (token && globalThis.isSecureContext === false) {
      throw new RingError("tls-required", "This page came by http, where others read what it says: an operator's token is not sent from it.");
    }
    const headers = { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await within(patience, fetch(new URL(path, api), { method, headers, body: body && JSON.stringify(body) }), "No answer").catch((cause) => {
      throw new UnreachableError("unreachable", `The node at ${api.host} does not answer.`, { cause, retryable: true });
    });
    const answer = await within(patience, response.json(), "No more").catch(() => ({}));
    if (!response.ok) {
      const { code = "internal", detail = `The node at ${api.host} answers ${response.status} ${response.statusText}.` } = answer;
      throw new RingError(code, detail, { retryable: response.status >= 500 });
    }
    return answer;
  }
}
