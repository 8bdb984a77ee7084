// The drawing of the ring: of some as a picture that moves, of hundreds as a crowd.

import { Crowd } from "./crowd.js";
import { $ } from "./panel.js";
import { Ring } from "./ring.js";

const MANY = 120;

export class Drawing {
  /** @param {import("./circle.js").Heard} heard */
  constructor(heard) {
    this.few = new Ring(/** @type {any} */ ($("drawing")), heard);
    this.many = new Crowd(/** @type {any} */ ($("crowd")), heard);
    /** @type {Ring | Crowd} */
    this.now = this.few;
  }

  /** @param {import("./circle.js").Drawn[]} nodes @param {import("./circle.js").Marks} marks */
  show(nodes, marks) {
    this.now = nodes.length > MANY ? this.many : this.few;
    const up = nodes.filter((n) => n.state === "up" || n.state === "suspect").length;
    for (const [id, shown] of /** @type {const} */ ([["drawing", this.now === this.few], ["crowd", this.now === this.many]])) {
      $(id).toggleAttribute("hidden", !shown);
      $(id).setAttribute("aria-label", `${nodes.length} nodes on a circle, ${up} of them up. The table of nodes says the same in words.`);
    }
    this.many.shown = this.now === this.many;
    this.now.show(nodes, marks);
  }

  /** @param {string} name the node that the pointer is at, in the table */
  point(name) {
    this.now.point(name);
  }

  /** @param {boolean} sent @param {boolean} news */
  pulse(sent, news) {
    this.now.pulse(sent, news);
  }

  /** @param {string} name @param {string} state */
  ripple(name, state) {
    this.now.ripple(name, state);
  }
}
