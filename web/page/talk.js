// What is said in the ring while somebody looks, and what this tab says itself.

import { sentence } from "./operate.js";
import { $, clock, el } from "./panel.js";

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */
/** @typedef {import("../lib/nanoring.js").Message} Message */
/** @typedef {{line: HTMLElement, text: HTMLElement, message: Message, burst: number, more: number, at: number}} Line */

const KEPT = 100; // lines
const BURST = 1000; // ms between messages that are one burst,
const APART = 3; // of which so many get lines of their own; the others share one
const LONG = 280; // characters

/**
 * A payload as something to read: what does not show itself, or changes how other text is shown, is spelled out.
 * @param {{text: string, payload: Uint8Array}} message
 */
export function readable({ text, payload }) {
  if (text.includes("\ufffd") && !new TextEncoder().encode(text).every((byte, i) => byte === payload[i])) { // it is no UTF-8
    const hex = [...payload.subarray(0, 24)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return `${payload.length} bytes: ${hex}${payload.length > 24 ? " …" : ""}`;
  }
  const short = text.length > LONG ? `${text.slice(0, LONG).replace(/[\ud800-\udbff]$/, "")}… (${payload.length} bytes)` : text;
  return short.replace(/(?!\u200d)[\p{C}\u2028\u2029]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

export class Talk {
  /** The last line of each sender and topic. @type {Map<string, Line>} */
  lines = new Map();
  /** Those that are not shown yet, or have changed, newest first. @type {Set<Line>} */
  fresh = new Set();
  sent = 0;
  /** The node by which this tab listens. @type {RingNode | null} */
  node = null;

  /**
   * @param {() => RingNode | null} ring this tab's node
   * @param {() => void} changed there is something to show
   */
  constructor(ring, changed) {
    this.ring = ring;
    this.changed = changed;
    const tabs = [$("log-tab"), $("talk-tab")];
    tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => this.choose(tab));
      tab.addEventListener("keydown", (e) => {
        const to = { ArrowLeft: tabs[0], ArrowRight: tabs[1], Home: tabs[0], End: tabs[1] }[e.key];
        if (!to || to === tabs[i]) return;
        e.preventDefault();
        this.choose(to);
        to.focus();
      });
    });
    $("talk").addEventListener("submit", (e) => {
      e.preventDefault();
      this.send($("talk-topic").value.trim(), $("talk-text").value);
    });
  }

  /** @param {HTMLElement} chosen */
  choose(chosen) {
    for (const tab of [$("log-tab"), $("talk-tab")]) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      $(tab.getAttribute("aria-controls") ?? "").hidden = tab !== chosen;
    }
    this.listen();
  }

  /** Listens if somebody looks: to a tab that does not ask for messages its gateway sends none. */
  listen() {
    const node = this.ring();
    if ($("talk-panel").hidden || !node || node === this.node || node.state === "ended") return;
    this.node = node;
    try {
      node.listen((message) => this.heard(message));
      $("talk-none").textContent = "Nothing was said since this was opened.";
    } catch (err) {
      $("talk-none").textContent = sentence(/** @type {Error} */ (err).message);
    }
    this.changed();
  }

  /** @param {Message} message */
  heard(message) {
    const key = `${message.from} ${message.topic}`, now = performance.now();
    const last = this.lines.get(key);
    const burst = last && now - last.at < BURST ? last.burst + 1 : 1;
    if (last && burst > APART) {
      message.gap ||= last.message.gap;
      Object.assign(last, { message, burst, more: last.more + 1, at: now });
      this.fresh.add(last);
    } else {
      const line = document.createElement("li"), text = el("bdi", "", "text");
      const time = el("time", clock(new Date()));
      const said = el("div", "");
      said.append(el("bdi", message.from, "from"), el("span", message.topic, "code"), text);
      line.append(time, said);
      const one = { line, text, message, burst, more: 0, at: now };
      this.lines.set(key, one);
      this.fresh.add(one);
      if (this.fresh.size > KEPT) this.fresh.delete(/** @type {Line} */ (this.fresh.values().next().value));
    }
    this.changed();
  }

  /** Shows what was heard. */
  flush() {
    if (!this.fresh.size) return;
    const list = $("talk-list");
    for (const { line, text, message, more } of this.fresh) {
      text.textContent = readable(message);
      text.dataset.more = more ? `+ ${more} at once` : "";
      text.classList.toggle("told", message.told);
      text.classList.toggle("gap", message.gap);
      text.classList.toggle("asked", !!message.until);
      if (!line.isConnected) list.prepend(line);
    }
    this.fresh.clear();
    while (list.childElementCount > KEPT) list.lastElementChild?.remove();
    for (const [key, { line }] of this.lines) {
      if (!line.isConnected) this.lines.delete(key);
    }
    $("talk-none").hidden = true;
  }

  /** @param {string} topic @param {string} text */
  async send(topic, text) {
    const nth = ++this.sent;
    try {
      await this.ring()?.send(topic, text);
      if (nth !== this.sent) return; // what was typed since is of another
      $("talk-text").value = "";
      this.answer("");
    } catch (err) {
      this.answer(sentence(/** @type {Error} */ (err).message));
    }
  }

  /** @param {string} text what went wrong */
  answer(text) {
    $("talk-answer").textContent = text;
    $("talk-answer").hidden = !text;
  }
}
