// The table of nodes. Of thousands only those rows are there that are seen, and some around them.

import { mark } from "./glyph.js";
import { picture } from "./history.js";
import { $, role } from "./panel.js";
import { el, hint, write } from "./text.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */
/** @typedef {import("./panel.js").Marks} Marks */
/** @typedef {import("./groups.js").Group} Group */
/** @typedef {{key: string, node?: Node, group?: Group}} Item a row: a node, or the head of a group */
/** @typedef {{row: HTMLTableRowElement, button: HTMLButtonElement, past?: SVGElement, shown: string}} Entry */

const ALL = 200; // rows that may all be there
const AROUND = 12; // rows above and below those that are seen

export class Table {
  /** @type {Item[]} */
  #items = [];
  /** Where each is. @type {Map<string, number>} */
  #at = new Map();
  /** @type {Marks} */
  #marks = { self: "", gateway: "", chosen: "" };
  /** Those that are there. @type {Map<string, Entry>} */
  #rows = new Map();
  /** Where the Tab key stops. */
  #stop = "";
  /** What is to be brought into view once it is there. */
  #wanted = "";
  #height = 30; // px of a row
  #measured = false; // it is one's that is there
  /** How far it is scrolled, and how much of it is seen, in px: asked for when that changes alone, since it makes the browser lay out. */
  #top = 0;
  #tall = 600;
  #asked = false;

  /**
   * @param {import("./history.js").History} history
   * @param {(name: string) => void} choose
   * @param {(name: string) => void} point the pointer or the focus is at a node, or at none
   * @param {(group: string) => void} turn a group is to be opened, or shut
   */
  constructor(history, choose, point, turn) {
    this.history = history;
    this.body = $("nodes-body");
    this.box = $("nodes-scroll");
    this.above = space();
    this.below = space();
    /** @type {(e: Event) => DOMStringMap} */
    const of = (e) => /** @type {HTMLElement | null} */ (/** @type {Element} */ (e.target).closest("tr"))?.dataset ?? {};
    this.body.addEventListener("click", (e) => {
      const { name, group } = of(e);
      if (name) choose(name);
      else if (group !== undefined) turn(group);
    });
    this.body.addEventListener("pointerover", (e) => point(of(e).name ?? ""));
    this.body.addEventListener("pointerleave", () => point(""));
    this.body.addEventListener("focusin", (e) => point(of(e).name ?? ""));
    this.body.addEventListener("focusout", () => point(""));
    this.body.addEventListener("keydown", (e) => this.#walk(e, of(e).key ?? ""));
    this.box.addEventListener("scroll", () => {
      this.#top = this.box.scrollTop;
      this.#ask();
    });
    new ResizeObserver(() => {
      [this.#top, this.#tall, this.#measured] = [this.box.scrollTop, this.box.clientHeight, false];
      this.#ask();
    }).observe(this.box);
  }

  /** Draws again, with the next picture, if what is seen may be other rows. */
  #ask() {
    if (this.#asked || this.#items.length <= ALL) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  /** @param {Item[]} items @param {Marks} marks */
  show(items, marks) {
    this.#items = items;
    this.#at = new Map(items.map(({ key }, i) => [key, i]));
    this.#marks = marks;
    if (!this.#at.has(this.#stop)) this.#stop = this.#at.has(marks.chosen) ? marks.chosen : items[0]?.key ?? "";
    this.#draw();
    if (this.#at.has(this.#wanted)) this.reveal(this.#wanted);
  }

  /** Which are to be there. @returns {[number, number]} */
  #seen() {
    const count = this.#items.length;
    if (count <= ALL) return [0, count];
    const first = Math.floor(this.#top / this.#height) - AROUND;
    const last = first + Math.ceil(this.#tall / this.#height) + 2 * AROUND;
    return [Math.max(0, Math.min(first, count - AROUND)), Math.min(count, last)];
  }

  /** A row that has the focus stays where it is not seen, too. @param {Set<string>} shown @returns {string} "" for none */
  #kept(shown) {
    const key = /** @type {HTMLElement | null} */ (document.activeElement?.closest("#nodes-body tr") ?? null)?.dataset.key ?? "";
    return this.#at.has(key) && !shown.has(key) ? key : "";
  }

  #draw() {
    const [first, last] = this.#seen();
    const shown = this.#items.slice(first, last), keys = new Set(shown.map(({ key }) => key));
    const kept = this.#kept(keys), at = this.#at.get(kept) ?? first; // where it is of those that are not seen
    if (kept) keys.add(kept);
    for (const [key, { row }] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    const most = this.#items.length > ALL;
    $("nodes-table").setAttribute("aria-rowcount", String(this.#items.length + 1));
    const before = at < first ? 1 : 0, after = at >= last ? 1 : 0;
    this.above.style.height = `${(first - before) * this.#height}px`;
    this.below.style.height = `${(this.#items.length - last - after) * this.#height}px`;
    if (most) { // a row that is moved loses the focus: these move around it
      const row = this.#rows.get(kept)?.row ?? null;
      const top = before && row ? row.nextSibling : this.body.firstChild;
      if (top !== this.above) this.body.insertBefore(this.above, top);
      const end = after ? row : null;
      if (!this.below.isConnected || this.below.nextSibling !== end) this.body.insertBefore(this.below, end);
    } else for (const s of [this.above, this.below]) s.remove();
    let next = most ? this.above.nextSibling : this.body.firstChild;
    shown.forEach((item, i) => {
      const { row } = item.group ? this.#head(item.key, item.group) : this.#row(/** @type {Node} */ (item.node));
      if (row === next) next = row.nextSibling;
      else this.body.insertBefore(row, next);
      const place = String(first + i + 2);
      if (row.ariaRowIndex !== place) row.ariaRowIndex = place;
    });
    for (const [key, { button }] of this.#rows) {
      const index = key === this.#stop || (!keys.has(this.#stop) && key === shown[0]?.key) ? 0 : -1;
      if (button.tabIndex !== index) button.tabIndex = index;
    }
    if (!most || this.#measured) return;
    const height = this.#rows.get(shown[0]?.key)?.row.offsetHeight;
    if (!height) return;
    this.#measured = true;
    if (height !== this.#height) this.#ask();
    this.#height = height;
  }

  /** @param {string} key */
  #entry(key) {
    const row = document.createElement("tr"), button = el("button", "");
    row.dataset.key = key;
    button.type = "button";
    button.tabIndex = -1;
    const first = el("td", "");
    first.append(button);
    row.append(first);
    const entry = /** @type {Entry} */ ({ row, button, shown: "" });
    this.#rows.set(key, entry);
    return entry;
  }

  /** @param {Node} n */
  #row(n) {
    let entry = this.#rows.get(n.name);
    if (!entry) {
      entry = this.#entry(n.name);
      entry.row.dataset.name = n.name;
      const last = el("td", "");
      entry.past = picture();
      last.append(entry.past);
      entry.row.append(el("td", "", "state"), last);
    }
    const is = role(n, this.#marks), chosen = n.name === this.#marks.chosen;
    const shown = JSON.stringify([n.state, n.ephemeral, n.cordoned, is]);
    if (shown !== entry.shown) {
      entry.shown = shown;
      const [, state] = entry.row.cells;
      const name = el("span", n.name);
      hint(name, n.name);
      entry.button.replaceChildren(mark(n.state, n.ephemeral, n.cordoned), name, el("small", is));
      write(state, n.cordoned && n.state === "up" ? "cordoned" : n.state);
      hint(state, n.cordoned ? `${n.state}, and given nothing new` : "");
      state.className = `state ${n.state}`;
      this.history.draw(/** @type {SVGElement} */ (entry.past), n.name);
    }
    if (entry.button.ariaPressed !== String(chosen)) {
      entry.row.classList.toggle("chosen", chosen);
      entry.button.ariaPressed = String(chosen);
    }
    return entry;
  }

  /** The head of a group: how many of it are in which state. @param {string} key @param {Group} group */
  #head(key, group) {
    let entry = this.#rows.get(key);
    if (!entry) {
      entry = this.#entry(key);
      entry.row.dataset.group = group.value;
      entry.row.className = "group";
      entry.row.cells[0].colSpan = 3;
    }
    const shown = JSON.stringify(group);
    if (shown !== entry.shown) {
      entry.shown = shown;
      const counts = Object.entries(group.states).map(([state, count]) => {
        const one = el("span", String(count), `count ${state}`);
        one.prepend(mark(state, false));
        one.append(el("span", ` ${state}`, "word"));
        return one;
      });
      entry.button.replaceChildren(el("b", group.title), ...counts);
      entry.button.ariaExpanded = String(group.open);
    }
    return entry;
  }

  /**
   * Moves the focus by the arrow keys: the table is one stop of the Tab key.
   * @param {KeyboardEvent} e @param {string} from
   */
  #walk(e, from) {
    const at = this.#at.get(from) ?? -1;
    const to = this.#items[{ ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.#items.length - 1 }[e.key] ?? -1];
    if (!to) return;
    e.preventDefault();
    this.reveal(to.key);
    this.#rows.get(to.key)?.button.focus();
  }

  /**
   * Brings a row into view, and makes it where the Tab key stops.
   * @param {string} key
   */
  reveal(key) {
    const at = this.#at.get(key);
    this.#wanted = at === undefined ? key : "";
    if (at === undefined) return;
    this.#stop = key;
    const [first, last] = this.#seen();
    const row = at < first || at >= last ? undefined : this.#rows.get(key)?.row, height = row?.offsetHeight ?? this.#height;
    const head = 30, top = row ? row.offsetTop - head : at * this.#height, bottom = top + head + height;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (bottom > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = bottom - this.box.clientHeight;
    this.#top = this.box.scrollTop;
    this.#draw();
  }

  /** Moves the past on. */
  tick() {
    for (const [key, { past }] of this.#rows) if (past) this.history.draw(past, key);
  }

  /** @param {string} name the node that the pointer is at, in the drawing */
  point(name) {
    for (const [key, { row }] of this.#rows) row.classList.toggle("pointed", key === name);
  }
}

/** What takes the place of rows that are not there. */
function space() {
  const row = document.createElement("tr"), cell = el("td", "");
  row.className = "space";
  row.ariaHidden = "true";
  cell.colSpan = 3;
  row.append(cell);
  return row;
}
