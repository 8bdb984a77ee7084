// What there is to know of the chosen node, beside the table of all, which is in table.js.

import { mark } from "./glyph.js";
import { Groups } from "./groups.js";
import { Table } from "./table.js";
import { el, hint, legible, write } from "./text.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */
/** @typedef {{self: string, gateway: string, chosen: string}} Marks */

/** @typedef {HTMLElement & HTMLInputElement & HTMLButtonElement} Any what the page has, by its id */

/** @param {string} id @returns {Any} */
export const $ = (id) => /** @type {any} */ (document.getElementById(id));

/** Writes a text, unless it is there already: then nothing has to be laid out anew. @param {string} id @param {string} text */
export function say(id, text) {
  const element = $(id);
  if (element.textContent !== legible(text)) write(element, text);
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
   * @param {() => void} changed there is something else to show
   */
  constructor(history, choose, point, reason, since, changed) {
    this.since = since;
    this.reason = reason;
    this.only = ""; // the one node that the search finds
    this.told = ""; // what the details were made of
    this.groups = new Groups(changed);
    this.table = new Table(history, choose, point, (group) => this.groups.turn(group));
  }

  /** @param {Node[]} nodes @param {Marks} marks @param {{found: Node[], none: string}} search */
  show(nodes, marks, { found, none }) {
    $("nodes-none").hidden = found.length > 0 || nodes.length === 0;
    write($("nodes-none"), none);
    this.only = found.length === 1 ? found[0].name : "";
    this.table.show(this.groups.rows(nodes, found), marks);
    this.details(nodes.find((n) => n.name === marks.chosen), marks);
  }

  /** Brings a chosen node's row into view. @param {Node | undefined} n */
  reveal(n) {
    this.groups.reveal(n);
    this.table.reveal(n?.name ?? "");
  }

  /** @param {Node | undefined} n @param {Marks} marks */
  details(n, marks) {
    const about = JSON.stringify([n, marks, n && this.reason(n), n && this.since(n), new Date().toDateString()]);
    if (about === this.told) return; // of thousands this one alone did not change
    this.told = about;
    $("details-name").replaceChildren(...(n ? [mark(n.state, n.ephemeral, n.cordoned)] : []), el("span", n?.name ?? "–"));
    const is = n && role(n, marks);
    const reason = n && this.reason(n);
    const since = n && this.since(n);
    const state = n && since && `${n.state}${since.began ? " since" : ", seen since"} ${day(new Date(since.at))}`;
    hint($("details-kind"), !since ? "" : since.by ? `Since then, as far as ${since.by} knows` : since.began ? "Since then, as this tab has seen it" : "This tab has seen it so since then; it may have been so for longer");
    write($("details-kind"), n
      ? [reason ? `${state}, ${reason}` : state, n.cordoned ? "cordoned" : "", n.ephemeral ? "guest" : "durable", is === "gateway" ? "the gateway of this tab" : is].filter(Boolean).join(" · ")
      : "\u00a0");
    write($("details-known"), n ? known(n, marks) : "–");
    $("details-reached").replaceChildren(n?.address ? "at " : "", n?.address ? el("span", n.address, "code") : n?.via ? legible(`through ${n.via}: it cannot be dialled`) : n ? "nowhere yet" : "–");
    write($("details-incarnation"), n ? stamp(n.incarnation) : "–");
    write($("details-version"), n ? (n.version ? `version ${n.version}` : "unknown") : "–");
    const tags = Object.entries(n?.tags ?? {}).sort();
    $("details-tags").replaceChildren(...tags.map(([key, value]) => el("span", `${key}=${value}`, "code tag")));
    if (!tags.length) write($("details-tags"), n ? "none" : "–");
    $("details-tags").tabIndex = tags.join("").length > 80 ? 0 : -1; // what may scroll is scrolled by keys, too
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
