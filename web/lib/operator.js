// What a page of a node's own origin may do by the node's HTTP API (docs/api.md): it has its operator's rights.

import { RingError, UnreachableError } from "./errors.js";

export class Operator {
  #api;

  /** @param {string[]} gateways of which that of the page's own origin is asked: others take no pages of it */
  constructor(gateways) {
    const own = globalThis.location?.origin;
    this.#api = gateways.map((url) => new URL(url.replace(/^ws/, "http"))).find((url) => url.origin === own);
  }

  /** The ring's name, as who has no token learns it. */
  async ring() {
    const status = this.#api && (await this.ask("GET", "v1/status").catch((error) => {
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
   * @returns {Promise<any>}
   */
  async ask(method, path, body) {
    const api = this.#api;
    if (!api) {
      throw new RingError("cross-origin", `No gateway is of this page's origin, ${globalThis.location?.origin ?? "none"}: only to such pages a node gives its operator's rights.`);
    }
    const init = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(new URL(path, api), { method, ...init }).catch((cause) => {
      throw new UnreachableError("unreachable", `The node at ${api.host} does not answer.`, { cause, retryable: true });
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      const { code = "internal", detail = `The node at ${api.host} answers ${response.status} ${response.statusText}.` } = answer;
      throw new RingError(code, detail, { retryable: response.status >= 500 });
    }
    return answer;
  }
}
