// The table of all nodes, and what there is to know of the chosen one.

import { mark } from "./glyph.js";
import { picture } from "./history.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */
/** @typedef {{self: string, gateway: string, chosen: string}} Marks */

const natural = new Intl.Collator("en", { numeric: true });

/** @typedef {HTMLElement & HTMLInputElement & HTMLButtonElement} Any what the page has, by its id */

/** @param {string} id @returns {Any} */
export const $ = (id) => /** @type {any} */ (document.getElementById(id));

/**
 * Makes an HTML element with text in it.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {string} text @param {string} [className]
 */
export function el(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

/** @param {Node} n @param {Marks} marks */
export const role = (n, marks) => (n.name === marks.self ? "this tab" : n.name === marks.gateway ? "gateway" : "");

export class Panel {
  /**
   * @param {import("./history.js").History} history
   * @param {(name: string) => void} choose
   * @param {(name: string) => void} point the pointer or the focus is at a node, or at none
   * @param {(n: Node) => string} reason why it is what it is, if that is known
   * @param {(n: Node) => import("./seen.js").Since} since when it is what it is
   */
  constructor(history, choose, point, reason, since) {
    this.history = history;
    this.since = since;
    this.reason = reason;
    this.body = $("nodes-body");
    this.only = ""; // the one node that the search finds
    /** @type {Map<string, {row: HTMLTableRowElement, button: HTMLButtonElement, past: SVGElement, shown: string}>} */
    this.rows = new Map();
    /** @type {(e: Event) => string} */
    const of = (e) => /** @type {Element} */ (e.target).closest("tr")?.dataset.name ?? "";
    this.body.addEventListener("click", (e) => of(e) && choose(of(e)));
    this.body.addEventListener("pointerover", (e) => point(of(e)));
    this.body.addEventListener("pointerleave", () => point(""));
    this.body.addEventListener("focusin", (e) => point(of(e)));
    this.body.addEventListener("focusout", () => point(""));
    this.body.addEventListener("keydown", (e) => this.walk(e, of(e)));
  }

  /**
   * Moves the focus by the arrow keys: the table is one stop of the Tab key.
   * @param {KeyboardEvent} e @param {string} from
   */
  walk(e, from) {
    const buttons = [...this.body.querySelectorAll("button")];
    const at = buttons.findIndex((b) => b.closest("tr")?.dataset.name === from);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[e.key];
    if (to === undefined || !buttons[to]) return;
    e.preventDefault();
    this.stop(buttons[to]);
    buttons[to].focus();
  }

  /** @param {HTMLElement} [button] */
  stop(button) {
    for (const b of this.body.querySelectorAll("button")) b.tabIndex = b === button ? 0 : -1;
  }

  /** @param {Node[]} nodes @param {Marks} marks @param {{found: Node[], none: string}} search */
  show(nodes, marks, { found, none }) {
    const sorted = found.toSorted((a, b) => +a.ephemeral - +b.ephemeral || natural.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
    const names = new Set(found.map((n) => n.name));
    for (const [name, { row }] of this.rows) {
      if (names.has(name)) continue;
      row.remove();
      this.rows.delete(name);
    }
    $("nodes-none").hidden = found.length > 0 || nodes.length === 0;
    $("nodes-none").textContent = none;
    this.only = found.length === 1 ? found[0].name : "";
    sorted.forEach((n, i) => {
      const { row } = this.row(n, marks);
      if (this.body.children[i] !== row) this.body.insertBefore(row, this.body.children[i] ?? null);
    });
    if (!this.body.querySelector('[tabindex="0"]')) this.stop((this.rows.get(marks.chosen) ?? this.rows.get(sorted[0]?.name))?.button);
    this.details(nodes.find((n) => n.name === marks.chosen), marks);
  }

  /** @param {Node} n @param {Marks} marks */
  row(n, marks) {
    let entry = this.rows.get(n.name);
    if (!entry) {
      const row = document.createElement("tr");
      row.dataset.name = n.name;
      const button = el("button", "");
      button.type = "button";
      button.tabIndex = -1;
      const first = el("td", "");
      first.append(button);
      const last = el("td", ""), past = picture();
      last.append(past);
      row.append(first, el("td", "", "state"), last);
      entry = { row, button, past, shown: "" };
      this.rows.set(n.name, entry);
    }
    const shown = JSON.stringify([n.state, n.ephemeral, n.cordoned, role(n, marks)]);
    if (shown !== entry.shown) {
      entry.shown = shown;
      const [, state] = entry.row.cells;
      const name = el("span", n.name);
      name.title = n.name;
      entry.button.replaceChildren(mark(n.state, n.ephemeral, n.cordoned), name, el("small", role(n, marks)));
      state.textContent = n.cordoned && n.state === "up" ? "cordoned" : n.state;
      state.title = n.cordoned ? `${n.state}, and given nothing new` : "";
      state.className = `state ${n.state}`;
      this.history.draw(entry.past, n.name);
    }
    const chosen = n.name === marks.chosen;
    entry.row.classList.toggle("chosen", chosen);
    entry.button.setAttribute("aria-pressed", String(chosen));
    return entry;
  }

  /**
   * Brings a chosen node's row into view, and makes it where the Tab key stops.
   * @param {string} name
   */
  reveal(name) {
    const entry = this.rows.get(name);
    if (!entry) return;
    this.stop(entry.button);
    const box = $("nodes-scroll"), top = entry.row.offsetTop - 30, bottom = entry.row.offsetTop + entry.row.offsetHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
  }

  /** Moves the past on. */
  tick() {
    for (const [name, { past }] of this.rows) this.history.draw(past, name);
  }

  /** @param {string} name the node that the pointer is at, in the drawing */
  point(name) {
    for (const [n, { row }] of this.rows) row.classList.toggle("pointed", n === name);
  }

  /** @param {Node | undefined} n @param {Marks} marks */
  details(n, marks) {
    $("details-name").replaceChildren(...(n ? [mark(n.state, n.ephemeral, n.cordoned)] : []), el("span", n?.name ?? "–"));
    const is = n && role(n, marks);
    const reason = n && this.reason(n);
    const since = n && this.since(n);
    const state = n && since && `${n.state}${since.began ? " since" : ", seen since"} ${day(new Date(since.at))}`;
    $("details-kind").title = !since ? "" : since.by ? `Since then, as far as ${since.by} knows` : since.began ? "Since then, as this tab has seen it" : "This tab has seen it so since then; it may have been so for longer";
    $("details-kind").textContent = n
      ? [reason ? `${state}, ${reason}` : state, n.cordoned ? "cordoned" : "", n.ephemeral ? "guest" : "durable", is === "gateway" ? "the gateway of this tab" : is].filter(Boolean).join(" · ")
      : "\u00a0";
    $("details-known").textContent = n ? known(n, marks) : "–";
    $("details-reached").replaceChildren(n?.address ? "at " : "", n?.address ? el("span", n.address, "code") : n?.via ? `through ${n.via}: it cannot be dialled` : n ? "nowhere yet" : "–");
    $("details-incarnation").textContent = n ? stamp(n.incarnation) : "–";
    $("details-version").textContent = n ? (n.version ? `version ${n.version}` : "unknown") : "–";
    const tags = Object.entries(n?.tags ?? {}).sort();
    $("details-tags").replaceChildren(...tags.map(([key, value]) => el("span", `${key}=${value}`, "code tag")));
    if (!tags.length) $("details-tags").textContent = n ? "none" : "–";
  }
}

/** How this tab knows of a node. @param {Node} n @param {Marks} marks */
function known(n, marks) {
  if (n.name === marks.self) return "it is this tab";
  if (!marks.gateway) return "as last heard";
  return n.name === marks.gateway ? "connected with it" : n.via === marks.gateway ? `from ${n.via}, its gateway, too` : `from ${marks.gateway}, by gossip`;
}

const two = (/** @type {number} */ v, digits = 2) => String(v).padStart(digits, "0");

/** @param {Date} t the time of day */
export const clock = (t) => [t.getHours(), t.getMinutes(), t.getSeconds()].map((v) => two(v)).join(":");

/** @param {Date} t */
const date = (t) => `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${clock(t)}`;

/** The time of today, or the day, too. @param {Date} t */
export const day = (t) => (t.toDateString() === new Date().toDateString() ? clock(t) : date(t));

/** @param {number} micros since 1970 */
function stamp(micros) {
  if (!micros) return "unknown";
  const t = new Date(micros / 1000);
  return `${date(t)}.${two(t.getMilliseconds(), 3)}`;
}
