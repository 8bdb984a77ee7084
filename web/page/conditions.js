// What the node that serves this page says is wrong with it, while it is this tab's gateway: as nanoring status does.

import { $, el } from "./panel.js";
import { session } from "./session.js";

export class Conditions {
  #ring;
  #shown = "[]";

  /** @param {() => import("../lib/nanoring.js").RingNode | null} ring this tab's node */
  constructor(ring) {
    this.#ring = ring;
  }

  /** Asks the node, and shows what it says. */
  async look() {
    const own = new URL("ring", location.href.replace(/^http/, "ws")).href;
    const ask = session.may && // a guest's token opens no API
       this.#ring()?.gateway?.url === own;
    const answer = ask ? await fetch("v1/status", { headers: session.headers }).catch(() => null) : null;
    const { name = "", conditions = [] } = answer?.ok ? await answer.json().catch(() => ({})) : {};
    this.#show(name, conditions.filter((/** @type {{severity: string}} */ c) => c.severity !== "info"));
  }

  /** @param {string} name of the node @param {{severity: string, text: string, do: string}[]} conditions */
  #show(name, conditions) {
    const shown = JSON.stringify(conditions);
    if (shown === this.#shown) return; // a screen reader has said it
    this.#shown = shown;
    $("conditions").hidden = !conditions.length;
    $("conditions").replaceChildren(...conditions.map((c) => {
      const item = el("p", "", c.severity);
      item.append(el("b", `${name}: ${c.severity}: `), el("span", `${c.text}. What to do: ${c.do}`));
      return item;
    }));
  }
}
