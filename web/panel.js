// The table of all nodes, and what there is to know of the chosen one.

import { mark } from "./glyph.js";

/** @typedef {import("./nanoring.js").NodeInfo} Node */
/** @typedef {{self: string, gateway: string, chosen: string}} Marks */

const natural = new Intl.Collator("en", { numeric: true });

/** @template {HTMLElement} [T=HTMLElement] @param {string} id @returns {T} */
export const $ = (id) => /** @type {T} */ (document.getElementById(id));

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
const role = (n, marks) => (n.name === marks.self ? "this tab" : n.name === marks.gateway ? "gateway" : "");

export class Panel {
  /**
   * @param {(name: string) => void} choose
   * @param {(name: string) => void} point the pointer or the focus is at a node, or at none
   */
  constructor(choose, point) {
    this.body = $("nodes-body");
    /** @type {Map<string, {row: HTMLTableRowElement, button: HTMLButtonElement, shown: string}>} */
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

  /** @param {Node[]} nodes @param {Marks} marks */
  show(nodes, marks) {
    const sorted = nodes.toSorted((a, b) => +a.ephemeral - +b.ephemeral || natural.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
    const names = new Set(nodes.map((n) => n.name));
    for (const [name, { row }] of this.rows) {
      if (names.has(name)) continue;
      row.remove();
      this.rows.delete(name);
    }
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
      row.append(first, el("td", "", "state"), el("td", ""));
      entry = { row, button, shown: "" };
      this.rows.set(n.name, entry);
    }
    const reached = n.address || (n.via ? `through ${n.via}` : "–");
    const shown = JSON.stringify([n.state, n.ephemeral, reached, role(n, marks)]);
    if (shown !== entry.shown) {
      entry.shown = shown;
      const [, state, address] = entry.row.cells;
      const name = el("span", n.name);
      name.title = n.name;
      entry.button.replaceChildren(mark(n.state, n.ephemeral), name, el("small", role(n, marks)));
      state.textContent = n.state;
      state.className = `state ${n.state}`;
      address.textContent = address.title = reached;
      address.className = n.address ? "code" : "soft";
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

  /** @param {string} name the node that the pointer is at, in the drawing */
  point(name) {
    for (const [n, { row }] of this.rows) row.classList.toggle("pointed", n === name);
  }

  /** @param {Node | undefined} n @param {Marks} marks */
  details(n, marks) {
    $("details-name").replaceChildren(...(n ? [mark(n.state, n.ephemeral)] : []), el("span", n?.name ?? "–"));
    const is = n && role(n, marks);
    $("details-kind").textContent = n
      ? [n.state, n.ephemeral ? "guest" : "durable", is === "gateway" ? "the gateway of this tab" : is].filter(Boolean).join(" · ")
      : "\u00a0";
    $("details-address").replaceChildren(n?.address ? el("span", n.address, "code") : n ? "none: it cannot be dialled" : "–");
    $("details-gateway").textContent = n ? n.via || (n.address ? "needs none" : "none") : "–";
    $("details-incarnation").textContent = n ? stamp(n.incarnation) : "–";
    $("details-version").textContent = n ? (n.version ? `version ${n.version}` : "unknown") : "–";
    const tags = Object.entries(n?.tags ?? {}).sort();
    $("details-tags").replaceChildren(...tags.map(([key, value]) => el("span", `${key}=${value}`, "code tag")));
    if (!tags.length) $("details-tags").textContent = n ? "none" : "–";
  }
}

const two = (/** @type {number} */ v, digits = 2) => String(v).padStart(digits, "0");

/** @param {Date} t the time of day */
export const clock = (t) => [t.getHours(), t.getMinutes(), t.getSeconds()].map((v) => two(v)).join(":");

/** @param {number} micros since 1970 */
function stamp(micros) {
  if (!micros) return "unknown";
  const t = new Date(micros / 1000);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${clock(t)}.${two(t.getMilliseconds(), 3)}`;
}
