// What is said in the ring while somebody looks, by topic, and what this tab says itself.

import { sentence } from "./operate.js";
import { $, clock } from "./panel.js";
import { el, write } from "./text.js";
import { Topics } from "./topics.js";

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */
/** @typedef {import("../lib/nanoring.js").Message} Message */
/** @typedef {{line: HTMLElement, size: HTMLElement, text: HTMLElement, message: Message, burst: number, more: number, at: number}} Line */

const KEPT = 100; // lines
const BURST = 1000; // ms between messages that are one burst,
const APART = 3; // of which so many get lines of their own; the others share one
const LONG = 280; // characters

/**
 * A payload as something to read; text.js shows it.
 * @param {{text: string, payload: Uint8Array}} message
 */
export function readable({ text, payload }) {
  if (text.includes("\ufffd") && !new TextEncoder().encode(text).every((byte, i) => byte === payload[i])) { // it is no UTF-8
    return hex(payload);
  }
  if ((text.match(/\p{Cc}/gu)?.length ?? 0) > text.length / 2) return hex(payload); // nor is it one to read
  return text.length > LONG ? `${text.slice(0, LONG).replace(/[\ud800-\udbff]$/, "")}… (${payload.length} bytes)` : text;
}

/** @param {Uint8Array} payload */
function hex(payload) {
  const some = [...payload.subarray(0, 24)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${payload.length} bytes: ${some}${payload.length > 24 ? " …" : ""}`;
}

/** @param {number} size */
const bytes = (size) => (size < 1024 ? `${size} B` : `${(size / 1024).toFixed(1)} KiB`);

export class Talk {
  /** The last line of each sender and topic. @type {Map<string, Line>} */
  lines = new Map();
  /** Those that are not shown yet, or have changed, newest first. @type {Set<Line>} */
  fresh = new Set();
  sent = 0;
  /** The node by which this tab listens. @type {RingNode | null} */
  node = null;
  /** Ends that. @type {(() => void) | undefined} */
  stop;
  /** Since when nobody looks, in ms since 1970; 0 if somebody does, or nothing was heard before. */
  pausedAt = 0;
  refilter = false;

  /**
   * @param {() => RingNode | null} ring this tab's node
   * @param {() => void} changed there is something to show
   */
  constructor(ring, changed) {
    this.ring = ring;
    this.changed = changed;
    this.topics = new Topics(() => {
      this.refilter = true;
      changed();
    });
    document.addEventListener("visibilitychange", () => this.listen());
    $("talk").addEventListener("submit", (e) => {
      e.preventDefault();
      this.send($("talk-topic").value.trim(), $("talk-text").value);
    });
  }

  /** Listens while somebody looks: to a tab that does not ask for messages its gateway sends none. */
  listen() {
    const node = this.ring();
    const looks = !$("talk-panel").hidden && !document.hidden && node && node.state !== "ended";
    if (this.stop && (!looks || node !== this.node)) {
      this.stop();
      this.stop = undefined;
      this.pausedAt = Date.now();
    }
    if (!looks || this.stop) return;
    this.node = node;
    try {
      this.stop = node.listen((message) => this.heard(message));
      if (this.pausedAt) this.paused(this.pausedAt);
      write($("talk-none"), "Nothing was said since this was opened. What is said is heard while it is looked at.");
    } catch (err) {
      write($("talk-none"), sentence(/** @type {Error} */ (err).message));
    }
    this.pausedAt = 0;
    this.changed();
  }

  /** Says where something may be missing. @param {number} from */
  paused(from) {
    const list = $("talk-list");
    if (!list.childElementCount) return;
    list.querySelector("li.pause:first-child")?.remove();
    list.prepend(el("li", `Nobody looked from ${clock(new Date(from))} to ${clock(new Date())}, and nothing was heard.`, "pause"));
  }

  /** @param {Message} message */
  heard(message) {
    this.topics.heard(message.topic);
    const key = `${message.from} ${message.topic}`, now = performance.now();
    const last = this.lines.get(key);
    const burst = last && now - last.at < BURST ? last.burst + 1 : 1;
    if (last && burst > APART) {
      message.gap ||= last.message.gap;
      Object.assign(last, { message, burst, more: last.more + 1, at: now });
      this.fresh.add(last);
    } else {
      const line = document.createElement("li"), size = el("span", "", "size"), text = el("bdi", "", "text");
      const time = el("time", clock(new Date()));
      const said = el("div", "");
      said.append(el("bdi", message.from, "from"), el("span", message.topic, "code"), size, text);
      line.append(time, said);
      line.dataset.topic = message.topic;
      const one = { line, size, text, message, burst, more: 0, at: now };
      this.lines.set(key, one);
      this.fresh.add(one);
      if (this.fresh.size > KEPT) this.fresh.delete(/** @type {Line} */ (this.fresh.values().next().value));
    }
    this.changed();
  }

  /** Shows what was heard. */
  flush() {
    if (!this.fresh.size && !this.refilter) return;
    const list = $("talk-list"), { chosen } = this.topics;
    for (const { line, size, text, message, more } of this.fresh) {
      write(size, bytes(message.payload.length));
      write(text, readable(message));
      text.dataset.more = more ? `+ ${more} at once` : "";
      text.classList.toggle("told", message.told);
      text.classList.toggle("gap", message.gap);
      text.classList.toggle("asked", !!message.until);
      line.hidden = chosen !== "" && line.dataset.topic !== chosen;
      if (!line.isConnected) list.prepend(line);
    }
    this.fresh.clear();
    if (this.refilter) {
      for (const line of /** @type {Iterable<HTMLElement>} */ (list.children)) line.hidden = chosen !== "" && line.dataset.topic !== chosen;
      this.refilter = false;
    }
    this.topics.show();
    while (list.childElementCount > KEPT) list.lastElementChild?.remove();
    for (const [key, { line }] of this.lines) {
      if (!line.isConnected) this.lines.delete(key);
    }
    $("talk-none").hidden = list.childElementCount > 0;
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
    write($("talk-answer"), text);
    $("talk-answer").hidden = !text;
  }
}
