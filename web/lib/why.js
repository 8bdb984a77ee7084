// Why a gateway cannot be had. A browser keeps from a page why its WebSocket has failed, so the gateway is asked by
// HTTP: GET /ring/why (docs/api.md). What answers, or does not, tells the rest.

import { RingError, UnreachableError } from "./errors.js";
import { isLoopback } from "./gateways.js";

const PATIENCE = 3000; // ms, in all
const ASKS = 3; // failures in a row after which one that was in asks: before, another gateway has taken it in
const PATIENT = 6; // more, after which one is asked again

/**
 * @typedef {object} Reason
 * @property {string} code
 * @property {string} text a sentence
 * @property {boolean} [later] whether trying again may help
 */

/**
 * Asks for each gateway that could not be dialled, until one has let this node in: once, and now and then again where
 * the answer may be another one later.
 */
export class Why {
  /** What is being dialled, and with which token. */
  #url = "";
  #token = "";
  /** What the gateways said, by URL. @type {Map<string, Promise<Reason>>} */
  #asked = new Map();
  /** Those to ask again, and after how many failures. @type {Map<string, number>} */
  #again = new Map();
  #say;

  /** @param {(reason: Reason) => void} say */
  constructor(say) {
    this.#say = say;
  }

  /** @param {string} url */
  dialing(url) {
    this.#url = url;
  }

  /** @param {string} token what the next dial is made with; it returns it */
  with(token) {
    return (this.#token = token);
  }

  /** The dial came about. */
  dialled() {
    this.#url = "";
  }

  /** It is in. */
  accepted() {
    this.#url = "";
    this.#asked.clear();
    this.#again.clear();
  }

  /**
   * A connection is over. Asks, if it did not come about.
   * @param {number} failures in a row
   * @param {boolean} joining whether it has never been in
   */
  closed(failures, joining) {
    const [url, token] = [this.#url, this.#token];
    this.#url = "";
    if (url && (this.#asked.has(url) ? failures >= (this.#again.get(url) ?? Infinity) : joining || failures >= ASKS)) {
      this.#ask(url, token, failures);
    }
  }

  /**
   * @param {string} url
   * @param {string} token
   * @param {number} failures
   */
  async #ask(url, token, failures) {
    const before = this.#asked.get(url), asked = whyNot(url, token);
    this.#again.delete(url);
    this.#asked.set(url, asked);
    const reason = await asked;
    if (this.#asked.get(url) === asked) {
      reason.later && this.#again.set(url, failures + PATIENT);
      (await before)?.text === reason.text || this.#say(reason);
    }
  }

  /** Whether it is the token that all gateways refuse, as they say. */
  async isTheToken() {
    const reasons = await Promise.all(this.#asked.values());
    return reasons.length > 0 && reasons.every(({ code }) => ABOUT_TOKENS.includes(code));
  }

  /**
   * Why no gateway lets this node in, as far as was found out: at first what one has said.
   * @param {string[]} urls of all
   * @param {boolean} another whether another token may be had
   * @returns {Promise<RingError>}
   */
  async error(urls, another) {
    const reasons = await Promise.all(this.#asked.values());
    const first = reasons.find(({ code }) => !UNSAID.includes(code)) ?? reasons[0];
    if (!first) {
      return new UnreachableError("unreachable", `No gateway answers at ${urls.join(" or ")}.`, { retryable: true });
    }
    const texts = [first, ...reasons.filter((reason) => reason !== first)].map(({ text }) => text);
    const retryable = reasons.some(({ code, later }) => later || another && ABOUT_TOKENS.includes(code));
    const Kind = UNSAID.includes(first.code) ? UnreachableError : RingError;
    return new Kind(first.code, texts.join(" "), { retryable });
  }
}

/** Whether this is a page, or a SharedWorker, and no program: a browser keeps from it why something failed. */
const inBrowser = typeof document === "object" || "onconnect" in globalThis;

/** What tells of the policy. */
const policed = globalThis.document ?? globalThis;
const whose = globalThis.document ? "This page's" : "Its SharedWorker's";

/** No gateway has said so. */
const UNSAID = ["unreachable", "no-upgrade", "mixed-content"];
const ABOUT_TOKENS = ["unauthorized", "forbidden", "wrong-ring"];

/**
 * Finds out why the WebSocket at a URL cannot be had.
 * @param {string} url
 * @param {string} token
 * @returns {Promise<Reason>}
 */
export async function whyNot(url, token) {
  const secure = url.startsWith("wss:"), at = new URL(url.replace(/^ws/, "http")), host = at.host;
  at.pathname = at.pathname.replace(/\/?$/, "/why");
  const nobody = (/** @type {string} */ text) => ({ code: "unreachable", text, later: true });
  if (!secure && globalThis.location?.protocol === "https:" && !isLocal(at.hostname)) {
    return { code: "mixed-content", text: `A browser lets no page that came by https: connect to ${url}: the gateway needs TLS, and a URL with wss:.` };
  }
  if (globalThis.navigator?.onLine === false) {
    return nobody(`There is no gateway at ${url}, since this browser is offline.`);
  }
  if (typeof fetch !== "function") { // in a test, which plays a browser
    return nobody(`No gateway answers at ${url}.`);
  }
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  const forbidden = watchPolicy(at.origin);
  try {
    let answer = await ask(at, stop.signal);
    if (answer.said?.code === "unauthorized" && token) { // it is a gateway, and asks for it
      answer = await ask(at, stop.signal, token);
    }
    const { said, status } = answer;
    if (!said) {
      return nobody(`${noGateway(host)}: it says ${status} to GET ${at.pathname}.`);
    }
    if (!said.lets_in) {
      const later = ["busy", "too-many-attempts", "barred"].includes(said.code);
      return { code: said.code, text: `The gateway at ${url} does not let ${globalThis.location ? "this page" : "this program"} in: ${said.detail}.`, later };
    }
    return await policyForbids(url) ?? { code: "no-upgrade", text: `The gateway at ${url} answers by HTTP: ${said.detail}.`, later: true };
  } catch (error) {
    if (stop.signal.aborted) {
      return nobody(`No gateway answers at ${url}: ${host} has said nothing for ${PATIENCE / 1000} s.`);
    }
    if (!inBrowser) {
      return nobody(`No gateway answers at ${url}: ${causeOf(error)}.`);
    }
    if (await forbidden()) {
      return await policyForbids(url) ?? nobody(`No gateway can be had at ${url}. ${whose} Content-Security-Policy forbids to ask why: connect-src would have to allow ${at.origin}, too.`);
    }
    const opaque = await fetch(at, { ...QUIET, mode: "no-cors", redirect: "follow", signal: stop.signal }).then(() => true, () => false);
    return nobody(opaque
      ? `${noGateway(host)}: it does not let this page read what it says.`
      : `No gateway answers at ${url}: ` + (secure
        ? `nobody is there, or this browser does not trust the certificate: open https://${host}/ in a tab to see which.`
        : `nobody is there. Does a node run, and listen on that port?`));
  } finally {
    clearTimeout(timer);
    forbidden();
  }
}

/** @param {string} host */
const noGateway = (host) => `What answers at ${host} is no gateway, or a proxy that does not pass /ring and all below it on`;

/** How it is asked: with nothing of this browser's. @type {RequestInit} */
const QUIET = { credentials: "omit", cache: "no-store", redirect: "manual", referrerPolicy: "no-referrer" };

/**
 * @param {URL} at
 * @param {AbortSignal} signal
 * @param {string} [token] goes in a header, as to the rest of the API, and never in the URL
 * @returns {Promise<{status: string, said?: {lets_in: boolean, code: string, detail: string}}>}
 */
async function ask(at, signal, token) {
  const headers = new Headers();
  if (token) {
    headers.set("Authorization", `Bearer ${token}`);
  }
  if (globalThis.origin === at.origin) {
    headers.set("Nanoring-Origin", at.origin); // which a browser does not say, then
  }
  const response = await fetch(at, { ...QUIET, headers, signal });
  const said = await response.json().catch(() => undefined);
  const redirects = response.type === "opaqueredirect" || response.status >= 300 && response.status < 400;
  const status = redirects ? "to go elsewhere, which no WebSocket does," : `${response.status} ${response.statusText}`.trim();
  if (response.status === 429) {
    return { status, said: { lets_in: false, code: "too-many-attempts", detail: String(said?.detail ?? "too many ask") } };
  }
  if (!response.ok || typeof said?.lets_in !== "boolean") {
    return { status };
  }
  return { status, said: { lets_in: said.lets_in, code: String(said.code ?? ""), detail: String(said.detail ?? "").slice(0, 500) } };
}

/**
 * Says whether this page's policy has forbidden something at an origin since then.
 * @param {string} origin
 * @returns {() => Promise<boolean>}
 */
function watchPolicy(origin) {
  let seen = false;
  const see = (/** @type {Event} */ event) => {
    const { blockedURI } = /** @type {SecurityPolicyViolationEvent} */ (event);
    seen ||= blockedURI === origin || blockedURI.startsWith(`${origin}/`);
  };
  policed.addEventListener?.("securitypolicyviolation", see); // Node.js hears of nothing
  return async () => {
    await new Promise((resolve) => setTimeout(resolve)); // the event comes after the error
    policed.removeEventListener?.("securitypolicyviolation", see);
    return seen;
  };
}

/**
 * Whether the policy here forbids the WebSocket: of that in a page's Worker it is told nothing.
 * @param {string} url
 * @returns {Promise<Reason | undefined>}
 */
async function policyForbids(url) {
  if (!inBrowser) {
    return undefined;
  }
  const { origin } = new URL(url), forbidden = watchPolicy(origin);
  let socket;
  try {
    socket = new WebSocket(url, "nanoring.v1");
  } catch {
    // It is forbidden at once.
  }
  const is = await forbidden();
  socket?.close();
  return is ? { code: "unreachable", text: `${whose} Content-Security-Policy does not let it connect to ${url}: connect-src has to allow ${origin}.` } : undefined;
}

/** Whether a page that came by https: may connect there without TLS. @param {string} host */
function isLocal(host) {
  return isLoopback(host) || host.endsWith(".localhost");
}

/** What Node.js and others know of why a fetch failed. @param {any} error */
function causeOf(error) {
  const cause = error?.cause?.errors?.[0] ?? error?.cause ?? error;
  const code = String(cause?.code ?? ""), text = String(cause?.message ?? cause);
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") {
    return "nothing listens there";
  }
  if (code === "ENOTFOUND") {
    return "there is no such host";
  }
  return /CERT|SELF_SIGNED|UNABLE_TO|SSL|TLS/.test(code) ? `its certificate is not trusted (${text}): NODE_EXTRA_CA_CERTS has Node.js trust a CA` : text;
}
