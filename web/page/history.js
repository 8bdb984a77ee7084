// What became of each node in the last ten minutes, as far as this tab has seen it: so that a flap is seen after the fact.

import { svg } from "./glyph.js";
import { legible } from "./text.js";

/** How far back it goes, in seconds. */
const KEPT = 600;

/** The height of a state, of 12: it says what its colour says. @type {Record<string, number>} */
const HEIGHTS = { up: 12, suspect: 7, down: 4, left: 2, unknown: 2 };

/** @typedef {{state: string, from: number}} Span a state, and since when in seconds; it lasts until the next */

export class History {
  /** @type {Map<string, Span[]>} */
  #spans = new Map();

  /**
   * @param {string} name
   * @param {string} state "" when nothing is heard of it
   */
  note(name, state) {
    const now = Date.now() / 1000;
    const spans = this.#spans.get(name) ?? [];
    if (spans.at(-1)?.state !== state) spans.push({ state, from: now });
    while (spans.length > 1 && spans[1].from < now - KEPT) spans.shift();
    this.#spans.set(name, spans);
  }

  /** @param {string} name */
  forget(name) {
    this.#spans.delete(name);
  }

  /** This tab hears nothing: what follows is not known. */
  pause() {
    for (const name of this.#spans.keys()) this.note(name, "");
  }

  /** How often a node went down or was suspect, in words. @param {string} name */
  words(name) {
    const spans = this.#spans.get(name) ?? [];
    const count = (/** @type {string} */ state) => spans.filter((span) => span.state === state).length;
    const times = (/** @type {number} */ n) => (n === 1 ? "once" : `${n} times`);
    const said = ["down", "suspect"].filter(count).map((state) => `${state} ${times(count(state))}`);
    return said.length ? said.join(", ") : "no trouble";
  }

  /**
   * Draws what became of a node, the present at the right.
   * @param {SVGElement} picture
   * @param {string} name
   */
  draw(picture, name) {
    const now = Date.now() / 1000;
    const spans = this.#spans.get(name) ?? [];
    picture.setAttribute("aria-label", legible(this.words(name)));
    picture.replaceChildren(...spans.flatMap(({ state, from }, i) => {
      const x = Math.min(Math.max(0, KEPT + from - now), KEPT - 10), end = KEPT + (spans[i + 1]?.from ?? now) - now;
      if (!state || end <= 0) return [];
      const height = HEIGHTS[state] ?? 2;
      return [svg("rect", { class: state, x: x.toFixed(1), y: 12 - height, width: Math.max(end - x, 10).toFixed(1), height })];
    }));
  }
}

/** An empty picture, for draw. */
export function picture() {
  return svg("svg", { class: "past", viewBox: `0 0 ${KEPT} 12`, preserveAspectRatio: "none", role: "img" });
}
