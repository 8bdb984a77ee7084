// The topics of what was heard, with how often: one of them alone can be looked at.

import { $ } from "./panel.js";
import { el } from "./text.js";

const KEPT = 50, SHOWN = 8; // topics

export class Topics {
  /** How many messages each had, the last one heard last. @type {Map<string, number>} */
  #counts = new Map();
  /** The one that is looked at; "" for all. */
  chosen = "";
  #changed;

  /** @param {() => void} changed another one is looked at */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {string} topic */
  heard(topic) {
    const count = this.#counts.get(topic) ?? 0;
    this.#counts.delete(topic);
    this.#counts.set(topic, count + 1);
    if (this.#counts.size <= KEPT) return;
    const oldest = [...this.#counts.keys()].find((one) => one !== this.chosen);
    this.#counts.delete(oldest ?? "");
  }

  /** Shows those that have most, in an order that stays: what somebody is about to press does not move. */
  show() {
    const most = [...this.#counts].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
    if (this.chosen && !most.some(([topic]) => topic === this.chosen)) most.push([this.chosen, this.#counts.get(this.chosen) ?? 0]);
    most.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const shown = this.#counts.size > 1 || this.chosen ? [["", 0], ...most] : [];
    const focused = document.activeElement?.closest("#talk-topics button")?.getAttribute("data-topic");
    $("talk-topics").hidden = !shown.length;
    $("talk-topics").replaceChildren(...shown.map(([topic, count]) => {
      const button = el("button", topic ? `${topic} ${count}` : "all topics");
      button.type = "button";
      button.dataset.topic = String(topic);
      button.setAttribute("aria-pressed", String(topic === this.chosen));
      button.addEventListener("click", () => {
        this.chosen = String(topic);
        this.#changed();
      });
      return button;
    }));
    if (focused !== null && focused !== undefined) [...$("talk-topics").querySelectorAll("button")].find((b) => b.dataset.topic === focused)?.focus();
  }
}
