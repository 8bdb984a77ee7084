// Removes nodes that are down for long, as `nanoring prune` does: they are shown before, and one that has come back stays.

import { sentence } from "./operate.js";
import { $ } from "./panel.js";
import { session } from "./session.js";
import { el, write } from "./text.js";

/** @typedef {{name: string, state: string, since?: string, address: string, ephemeral: boolean}} Known as docs/api.md has a node */

const REST = 100; // ms between two that are removed

export class Prune {
  /** Those that are shown. @type {Known[]} */
  #picked = [];
  /** Which preview, or removal, is under way. */
  #turn = 0;

  /** @param {(removed: Known[], text: string, failed: boolean) => void} done told what came of it */
  constructor(done) {
    this.done = done;
    this.dialog = /** @type {HTMLDialogElement} */ (/** @type {HTMLElement} */ ($("prune")));
    $("prune-open").addEventListener("click", () => {
      this.dialog.showModal();
      this.#preview();
    });
    for (const id of ["prune-for", "prune-tags"]) $(id).addEventListener("input", () => this.#preview());
    $("prune-sure").addEventListener("input", () => this.#enable());
    $("prune-form").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#remove(this.#picked, Number($("prune-for").value));
    });
    this.dialog.addEventListener("close", () => this.#turn++); // which calls off what is under way
    $("prune-cancel").addEventListener("click", () => this.dialog.close());
  }

  /** Shows what would be removed. */
  async #preview() {
    const turn = ++this.#turn;
    this.#picked = [];
    this.#enable();
    const terms = $("prune-tags").value.split(/\s+/).filter(Boolean);
    const [all, some] = await Promise.all(["", ...terms.length ? [`?${new URLSearchParams(terms.map((term) => ["tag", term]))}`] : []].map((query) => session.call(`v1/nodes${query}`)));
    if (turn !== this.#turn) return;
    const list = some ?? all;
    if (!list.ok || !all.ok) return this.#say(sentence((list.ok ? all : list).answer.detail ?? "The node does not answer"), true);
    const before = list.at - Number($("prune-for").value) * 1000;
    this.#picked = list.answer.nodes.filter((/** @type {Known} */ n) => isGone(n, before)).sort((/** @type {Known} */ a, /** @type {Known} */ b) => Date.parse(a.since ?? "") - Date.parse(b.since ?? ""));
    const members = all.answer.nodes.length, most = 2 * this.#picked.length > members;
    $("prune-list").replaceChildren(...this.#picked.map((n) => {
      const line = el("li", "");
      line.append(el("bdi", n.name), el("span", `${n.state} for ${span(list.at - Date.parse(n.since ?? ""))}`));
      return line;
    }));
    $("prune-list").hidden = !this.#picked.length;
    $("prune-most").hidden = !most;
    $("prune-sure").checked = false;
    this.#say(this.#picked.length ? `${this.#picked.length} of ${members} nodes would be removed:` : `None of ${members} nodes is down for so long.`);
    this.#enable();
  }

  /** @param {string} text @param {boolean} [bad] */
  #say(text, bad = false) {
    write($("prune-says"), text);
    $("prune-says").className = bad ? "bad" : "";
  }

  #enable() {
    const count = this.#picked.length;
    write($("prune-remove"), !count ? "Remove" : count === 1 ? "Remove 1 node" : `Remove ${count} nodes`);
    $("prune-remove").disabled = !count || !($("prune-most").hidden || $("prune-sure").checked);
  }

  /** @param {Known[]} picked @param {number} seconds for which they have been down */
  async #remove(picked, seconds) {
    const turn = ++this.#turn;
    /** @type {Known[]} */
    const removed = [];
    let stayed = 0, failed = "";
    $("prune-remove").disabled = true;
    for (const { name } of picked) {
      this.#say(`${removed.length} of ${picked.length} are removed…`);
      const path = `v1/nodes/${encodeURIComponent(name)}`;
      const now = await session.call(path);
      if (turn !== this.#turn) failed = "you stopped it";
      else if (!now.ok && now.status !== 404) failed = now.answer.detail ?? "the node does not answer";
      if (failed) break;
      if (now.status === 404) continue; // by another operator
      if (!isGone(now.answer, now.at - seconds * 1000)) {
        stayed++;
        continue;
      }
      const { ok, status, answer } = await session.call(path, { method: "DELETE" });
      if (ok) removed.push(now.answer);
      else if (status !== 404) failed = answer.detail ?? "the node does not answer";
      if (failed) break;
      await new Promise((rest) => setTimeout(rest, REST));
    }
    const count = removed.length === 1 ? "1 node was removed" : `${removed.length} nodes were removed`;
    const text = [count, stayed ? `${stayed} came back, and stay` : "", failed && `the others were not: ${failed}`].filter(Boolean).join("; ");
    this.dialog.close();
    this.done(removed, sentence(text), !!failed);
  }
}

/** Whether a node is down, or has left, and was so at a time. @param {Known} n @param {number} before ms since 1970, by the clock of the node that says it */
function isGone(n, before) {
  return (n.state === "down" || n.state === "left") && Date.parse(n.since ?? "") < before;
}

/** @param {number} ms */
export function span(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60_000)), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  return days ? `${days} d ${hours % 24} h` : hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}
