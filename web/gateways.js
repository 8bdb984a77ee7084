// The gateways of a node: the URLs of their WebSockets, and their HTTP API (docs/api.md).

import { RingError, UnreachableError } from "./errors.js";

export class Gateways {
  /** The URLs by HOST:PORT, as the engine calls them. @type {Map<string, URL>} */
  urls = new Map();

  /** @param {(string | URL)[]} gateways */
  constructor(gateways) {
    for (const gateway of gateways) {
      const url = URL.canParse(gateway, location.href) ? new URL(gateway, location.href) : undefined;
      if (url) {
        url.protocol = url.protocol.replace("http", "ws");
      }
      if (url?.protocol !== "ws:" && url?.protocol !== "wss:") {
        throw new RingError("invalid", `The gateway ${gateway} is not a URL like ws://127.0.0.1:7001/ring.`);
      }
      const port = url.port || (url.protocol === "wss:" ? "443" : "80");
      this.urls.set(`${url.hostname}:${port}`, url);
    }
    if (this.urls.size === 0) {
      throw new RingError("invalid", "There is no gateway: say the URL of one.");
    }
  }

  get addresses() {
    return [...this.urls.keys()];
  }

  toString() {
    return [...this.urls.values()].join(" or ");
  }

  /** Where the HTTP API of a gateway of the page's own origin is: it takes no others. */
  get #api() {
    return [...this.urls.values()].map(httpOf).find((url) => url.origin === location.origin);
  }

  /** The ring's name, as a gateway says. */
  async ring() {
    const status = this.#api && (await this.ask("GET", "v1/status").catch(() => undefined));
    return String(status?.ring ?? "nanoring");
  }

  /**
   * Asks a gateway, and returns what it answers.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async ask(method, path, body) {
    const api = this.#api;
    if (!api) {
      throw new RingError("cross-origin", `No gateway is of this page's origin, ${location.origin}: only to such pages a node gives its operator's rights.`);
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

/** @param {URL} url */
function httpOf(url) {
  return new URL(url.href.replace(/^ws/, "http"));
}
