// What this page may do: in an open ring what it likes; in a locked one what a guest's token allows, or all that an operator
// may, by a session that a link of `nanoring open` begins. The session is of this tab alone, and of the node that serves the page.

import { invitation } from "./invite.js";

const LOCKED = "locked" in document.documentElement.dataset; // the node has a secret
const KEPT = "nanoring.session", GUEST = "nanoring.guest"; // in sessionStorage: they outlive a reload, and not the tab
const AGAIN = 5 * 60_000; // ms between a guest's token and the next, which is good for three times as long

/** Why nobody gets in: what the page says. */
export class Locked extends Error {
  /** @param {string} title @param {string} text @param {string} [code] for a shell @param {string} [button] */
  constructor(title, text, code = "", button = "") {
    super(text);
    this.title = title;
    this.code = code;
    this.button = button;
  }
}

/** @param {string} text from a node @returns {string} */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/([^.!?])$/, "$1.");

class Session {
  /** An operator's, for the node that serves this page; "" for none. */
  token = "";
  /** By which this tab is a guest. */
  #guest = "";
  /** What came in the URL and was not answered yet. @type {{code?: string, token?: string}} */
  #given = {};
  /** Until when, by performance.now(). */
  #until = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #renewing;
  /** What may be done has changed; text says why, for people. @type {(text: string) => void} */
  changed = () => {};

  /** Whether this page changes the ring. */
  get may() {
    return !LOCKED || this.token !== "";
  }

  /** Until when this session is good, as the clock of this machine has it. */
  get until() {
    return new Date(Date.now() + this.#until - performance.now());
  }

  /**
   * What lets this tab in. Throws a Locked if nothing does.
   * @returns {Promise<string | (() => Promise<string>)>}
   */
  async enter() {
    const { link, token: given } = take();
    if (!LOCKED) return given;
    if (!isSecureContext) {
      throw new Locked("This page is not to be trusted with a secret", `It came by http, where everybody on the way reads what it says: no link and no token is sent from it. Open https://${location.host}/ instead, with another link.`);
    }
    if (link) this.#given = { code: link };
    else if (roleOf(given) === "operator") this.#given = { token: given };
    const token = sessionStorage.getItem(GUEST) ?? "";
    /** @type {unknown} */
    let refused;
    if (this.#given.code || this.#given.token) await this.#begin().catch((err) => (refused = err));
    if (!this.token) await this.#resume(!!token || !!refused);
    if (refused && (this.token || token)) this.changed(oneLine(refused)); // which ends nothing that this tab has
    else if (refused) throw refused;
    if (this.token) return () => this.#renew();
    if (token) return token;
    throw new Locked("The ring is locked", "It takes a link to get in. On the node's machine nanoring open makes one for an operator; who has the ring's secret makes one for a guest:", invitation());
  }

  /** Begins a session by what was given; that is kept for another time only while nobody answers. */
  async #begin() {
    const { code, token: bearer } = this.#given;
    const init = { method: "POST", headers: { "Content-Type": "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) }, body: JSON.stringify({ code }) };
    const { ok, status, answer } = await call(init);
    if (status === 0 || status >= 500) throw silent(answer);
    this.#given = {};
    if (!ok) {
      throw new Locked("This link lets nobody in", `${sentence(answer.detail ?? "the node does not take it")} On the node's machine this makes another:`, "nanoring open");
    }
    this.#has(answer);
  }

  /** Goes on with the session that this tab has from before it was reloaded. @param {boolean} otherwise there is another way in */
  async #resume(otherwise) {
    const token = sessionStorage.getItem(KEPT);
    if (!token) return;
    const { ok, status, answer } = await call({ headers: { Authorization: `Bearer ${token}` } });
    if (ok) return this.#has({ ...answer, token });
    if (status !== 401) throw silent(answer);
    sessionStorage.removeItem(KEPT);
    if (!otherwise) throw new Locked("The operator's session is over", "It ends with the node, after some hours, or when an operator ends it. On the node's machine this makes another link:", "nanoring open");
  }

  /** @param {{token?: string, guest: string, seconds: number}} answer */
  #has({ token = this.token, guest, seconds }) {
    this.token = token;
    this.#guest = guest;
    this.#until = performance.now() + seconds * 1000;
    sessionStorage.setItem(KEPT, token);
    clearInterval(this.#renewing);
    this.#renewing = setInterval(() => this.#renew(), AGAIN);
    document.documentElement.dataset.operator = "";
    this.changed("");
  }

  /** The next token of a guest, or the last one while the node does not answer. */
  async #renew() {
    const { ok, status, answer } = this.token ? await this.call("v1/session") : { ok: false, status: 0, answer: null };
    if (ok) this.#has(answer);
    else if (status === 401) this.over("The operator's session is over: nanoring open, on the node's machine, makes another link.");
    return this.#guest;
  }

  /**
   * Asks the node that serves this page.
   * @param {string} path @param {RequestInit} [init]
   */
  call(path, init = {}) {
    return call({ ...init, headers: { ...this.headers, ...init.headers } }, path);
  }

  /** By which the node knows an operator. @returns {Record<string, string>} */
  get headers() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  /** It is no operator's any more. @param {string} text why, for people */
  over(text) {
    if (!this.token) return;
    this.token = "";
    sessionStorage.removeItem(KEPT);
    clearInterval(this.#renewing);
    delete document.documentElement.dataset.operator;
    this.changed(text);
  }

  /** Ends it, for whoever may have its token, too. */
  async end() {
    await this.call("v1/session", { method: "DELETE" });
    this.over("The operator's session has ended: this tab is a guest.");
  }
}

/** What a fault says in one line. @param {any} err @returns {string} */
export const oneLine = ({ message, code }) => (code ? `${message} ${code}` : message);

/** @param {any} answer of a node that says nothing of what it was asked for */
function silent(answer) {
  return new Locked("The node does not answer", sentence(answer.detail ?? "it may be about to start"), "", "Try again");
}

/** Takes what lets this tab in out of its URL and its history; a guest's token is kept for a reload. */
function take() {
  const given = new URLSearchParams(location.hash.slice(1)); // a fragment is sent to nobody
  const link = given.get("open") ?? "", token = given.get("token") ?? "";
  if (!link && !token) return { link, token };
  given.delete("open");
  given.delete("token");
  const rest = String(given);
  history.replaceState(null, "", location.pathname + location.search + (rest && `#${rest}`));
  if (LOCKED && isSecureContext && token && roleOf(token) !== "operator") sessionStorage.setItem(GUEST, token);
  return { link, token };
}

/** That of this page. */
export const session = new Session();

/**
 * @param {RequestInit} init @param {string} [path]
 * @returns {Promise<{ok: boolean, status: number, answer: any, at: number}>} status is 0 if there is no answer; at is when by the node's clock, in ms since 1970
 */
async function call(init, path = "v1/session") {
  const response = await fetch(path, { cache: "no-store", ...init }).catch(() => null);
  const answer = (await response?.json().catch(() => null)) ?? {};
  const at = Date.parse(response?.headers.get("Date") ?? "") + 999 || Date.now(); // it is cut to the second
  return { ok: !!response?.ok, status: response?.status ?? 0, answer, at };
}

/** What a token says that it makes who has it. @param {string} token */
function roleOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).role;
  } catch {
    return "";
  }
}
