// The events of the ring, as this tab has seen them: newest first.

import { mark } from "./glyph.js";
import { $, clock } from "./panel.js";
import { el, write } from "./text.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */

const KEPT = 200;

/** @type {Record<string, string>} */
const SAYS = { up: "is up", suspect: "is suspect: it did not answer", down: "is down", left: "has left: it said bye", unknown: "is unknown" };

export class Log {
  constructor() {
    this.list = $("log-list");
    /** @type {HTMLElement[]} */
    this.fresh = [];
    /** @type {string[]} */
    this.aloud = [];
  }

  /**
   * Notes what happened, to be shown by the next flush.
   * @param {string} text
   * @param {{state?: string, guest?: boolean, aloud?: boolean, node?: string}} [about] aloud: a screen reader says it; node: of which it says its state
   */
  note(text, { state = "", guest = false, aloud = false, node = "" } = {}) {
    const now = new Date();
    const line = document.createElement("li");
    if (node) Object.assign(line.dataset, { node, state });
    const time = el("time", clock(now));
    time.dateTime = now.toISOString();
    const sign = state ? mark(state, guest) : mark("", false);
    if (!state) sign.replaceChildren();
    line.append(time, sign, el("span", text));
    this.fresh.unshift(line);
    this.fresh.length = Math.min(this.fresh.length, KEPT);
    if (aloud) this.aloud.push(text);
  }

  /**
   * Notes how a node is now, if that differs from how it was.
   * @param {Node | undefined} was @param {Node} n @param {string} self this tab, which tells itself what becomes of it
   * @returns {boolean} whether its state differs
   */
  change(was, n, self) {
    const { ephemeral } = was ?? n;
    const about = { state: n.state, guest: ephemeral, aloud: !ephemeral, node: n.name };
    const note = (/** @type {string} */ text, more = {}) => this.note(`${n.name} ${text}`, { ...about, ...more });
    if (n.name === self && (n.state === "removed" || was?.state === n.state)) return false;
    if (n.state === "removed") {
      const gone = ephemeral && (was?.state === "down" || was?.state === "left");
      note(gone ? "is forgotten: it was a guest" : "was removed from the ring", { state: "left" });
    } else if (n.ephemeral && n.state === "unknown") {
      return false; // it is about to say who it is
    } else if (n.ephemeral && (!was || was.state === "unknown") && n.state === "up") {
      note(`joined as a guest, through ${n.via}`);
    } else if (!was) {
      note("was added");
    } else if (was.state !== n.state) {
      note(SAYS[n.state] ?? n.state, { aloud: n.state !== "up" });
    } else {
      if (was.instance && was.instance !== n.instance) note("has been started again", { aloud: false });
      else if (was.address && was.address !== n.address) note(`is at ${n.address} now`, { aloud: false });
      else if (was.via && was.via !== n.via) note(`is reached through ${n.via} now`);
      else if (was.cordoned !== n.cordoned) note(n.cordoned ? "is cordoned: it is given nothing new" : "is cordoned no more");
      return false;
    }
    return true;
  }

  /** Shows what was noted. */
  flush() {
    if (!this.fresh.length) return;
    this.list.prepend(...this.fresh);
    while (this.list.childElementCount > KEPT) this.list.lastElementChild?.remove();
    if (this.aloud.length) write($("live"), this.aloud.slice(-3).join(". ") + ".");
    this.fresh = [];
    this.aloud = [];
  }
}
