// Who owns a key: looked up as it is typed, and marked on the ring.

import { $ } from "./panel.js";
import { el } from "./text.js";

const COUNT = 3;

export class Lookup {
  /** The names of the owners of what is typed, the first one first. @type {string[]} */
  owners = [];

  /** @param {() => void} changed @param {(name: string) => void} choose */
  constructor(changed, choose) {
    this.choose = choose;
    $("key").addEventListener("input", changed);
    $("lookup").addEventListener("submit", (e) => e.preventDefault());
  }

  /** @param {import("../lib/nanoring.js").RingNode | null} node */
  show(node) {
    const key = $("key").value;
    const owners = key && node ? node.owners(key, COUNT).map((n) => n.name) : [];
    const shown = key ? owners.join() || " " : "";
    if (shown === $("owners").dataset.shown) return;
    this.owners = owners;
    $("owners").dataset.shown = shown;
    $("owners").replaceChildren(...owners.map((name, i) => {
      const item = el("li", ""), button = el("button", name);
      button.type = "button";
      button.addEventListener("click", () => this.choose(name));
      item.append(el("b", String(i + 1)), button);
      return item;
    }));
    if (key && !owners.length) $("owners").replaceChildren(el("li", "Nobody is up that could own it."));
  }
}
