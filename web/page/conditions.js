// What is wrong with this tab's gateway, as it says itself and nanoring status does.

import { $ } from "./panel.js";
import { el } from "./text.js";

const FAR = 30_000; // ms after which a gateway is asked again through the ring

export class Conditions {
  #teller;
  #gateway = "";
  #next = 0;
  #shown = "[]";

  /** @param {import("./teller.js").Teller} teller */
  constructor(teller) {
    this.#teller = teller;
  }

  /** Asks the gateway, if it is time to, and shows what it says. @param {string} gateway "" if there is none */
  async look(gateway) {
    const another = gateway !== this.#gateway;
    if (another) [this.#gateway, this.#next] = [gateway, 0];
    if (!gateway) return this.#show("", []);
    if (performance.now() < this.#next) return;
    if (!this.#teller.near) this.#next = performance.now() + FAR;
    const told = await this.#teller.status().catch(() => undefined); // a token may not allow it
    if (gateway !== this.#gateway) return;
    const conditions = Array.isArray(told?.conditions) ? told.conditions : [];
    this.#show(gateway, conditions.filter((c) => c.severity === "warning" || c.severity === "error"));
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
