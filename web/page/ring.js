// The drawing: the nodes of a ring on a circle, and what happens between them.
// It moves only when something happened, and not at all where motion is not wanted.

import { curve, direction, links, order } from "./circle.js";
import { STATES, glyph, svg } from "./glyph.js";
import { legible } from "./text.js";

/** @typedef {import("./circle.js").Drawn} Drawn */
/** @typedef {import("./circle.js").Heard} Heard */
/** @typedef {import("./circle.js").Marks} Marks */
/** @typedef {{group: SVGElement, spot: SVGElement, label: SVGElement, angle: number, shown: string}} Spot */

const still = matchMedia("(prefers-reduced-motion: reduce)");
const AT_ONCE = 12; // pulses at a time; more would only be a blur

export class Ring {
  /**
   * @param {SVGElement} root an empty svg element
   * @param {Heard} heard
   */
  constructor(root, heard) {
    this.root = root;
    this.heard = heard;
    this.orbit = svg("circle", { class: "orbit" });
    this.chords = svg("g", { class: "chords" });
    this.pulses = svg("g", { class: "pulses" });
    this.waves = svg("g");
    this.spots = svg("g");
    this.scene = svg("g", {}, this.orbit, this.chords, this.pulses, this.waves, this.spots);
    root.append(this.scene);
    this.ink = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    /** @type {Map<string, Spot>} */
    this.byName = new Map();
    /** @type {Drawn[]} */
    this.nodes = [];
    this.self = this.gateway = this.chosen = "";
    /** Of the key that is looked up, the first one first. @type {string[]} */
    this.owners = [];
    this.link = ""; // the path between this tab and its gateway
    this.arranged = "";
    new ResizeObserver(() => this.place(true)).observe(root);
    root.addEventListener("click", (e) => this.at(e, heard.choose));
    root.addEventListener("pointerover", (e) => this.at(e, heard.point));
    root.addEventListener("pointerleave", () => heard.point(""));
  }

  /** @param {Event} e @param {(name: string) => void} then */
  at(e, then) {
    const spot = /** @type {Element} */ (e.target).closest("[data-node]");
    if (spot) then(spot.getAttribute("data-node") ?? "");
    else if (e.type === "pointerover") then("");
  }

  /**
   * Draws these nodes.
   * @param {Drawn[]} nodes
   * @param {Marks} marks
   */
  show(nodes, { self, gateway, chosen, owners }) {
    Object.assign(this, { nodes: order(nodes, self), self, gateway, chosen, owners });
    const names = new Set(nodes.map((n) => n.name));
    for (const [name, spot] of this.byName) {
      if (names.has(name)) continue;
      spot.group.remove();
      this.byName.delete(name);
    }
    this.place();
  }

  /** @param {string} name the node that the pointer is at, in the table */
  point(name) {
    for (const [n, { group }] of this.byName) group.classList.toggle("pointed", n === name);
  }

  /** Puts everything in its place, for the size that there is: at once when that has changed. */
  place(resized = false) {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (!width || !height) return;
    this.root.classList.toggle("resized", resized);
    const count = this.nodes.length;
    const plan = this.plan(width, height);
    this.root.parentElement?.style.setProperty("--radius", `${plan.radius}px`);
    this.root.parentElement?.style.setProperty("--centre", `${plan.centre}px`);
    this.scene.setAttribute("transform", `translate(${width / 2} ${plan.centre})`);
    this.orbit.setAttribute("r", String(plan.radius));
    this.nodes.forEach((n, i) => this.spot(n, (360 * i) / count, plan, plan.texts[i] ?? []));
    this.chord(plan);
  }

  /**
   * Finds the largest circle that leaves room for the names.
   * @param {number} width @param {number} height
   */
  plan(width, height) {
    const count = Math.max(1, this.nodes.length);
    const style = getComputedStyle(this.root);
    this.ink.font = `600 ${style.fontSize} ${style.fontFamily}`;
    const line = parseFloat(style.fontSize) * 1.3;
    const radial = count > 16;
    const longest = width < 480 ? 12 : 18;
    const texts = this.nodes.map((n) => this.text(n, longest, radial));
    const widths = texts.map((t) => Math.max(...t.map((s) => this.ink.measureText(s).width), 0) + 2);
    const fit = (/** @type {number} */ dot) => {
      let radius = Math.min(width, height) / 2 - dot - 4;
      let top = 0, bottom = 0;
      this.nodes.forEach((_, i) => {
        const [x, y] = direction((360 * i) / count);
        const gap = dot + 10;
        if (radial) {
          radius = Math.min(radius, Math.min(width, height) / 2 - gap - widths[i] - 2);
          return;
        }
        const wide = Math.abs(x) < 0.25 ? widths[i] / 2 : widths[i];
        if (x) radius = Math.min(radius, (width / 2 - wide - 2) / Math.abs(x) - gap);
        const tall = texts[i].length * line * Math.abs(y) + gap;
        if (y < 0) top = Math.max(top, tall);
        else bottom = Math.max(bottom, tall);
      });
      if (!radial) radius = Math.min(radius, (height - top - bottom) / 2 - 4);
      return { radius: Math.max(radius, 40), centre: radial ? height / 2 : (height + top - bottom) / 2 };
    };
    const first = fit(10);
    const spacing = (2 * Math.PI * first.radius) / count;
    const dot = Math.max(2.5, Math.min(11, spacing * 0.3));
    return { ...fit(dot), dot, line, radial, texts, names: !radial || spacing > line * 0.8 };
  }

  /**
   * The lines of a node's label: what it is to this tab is said where there is room.
   * @param {Drawn} n @param {number} longest @param {boolean} nameOnly
   */
  text(n, longest, nameOnly) {
    const letters = [...legible(n.name)];
    const name = letters.length > longest ? letters.slice(0, longest - 1).join("") + "…" : letters.join("");
    const role = n.name === this.self ? "this tab" : n.name === this.gateway ? "gateway" : "";
    return role && !nameOnly ? [name, role] : [name];
  }

  /**
   * Draws a node at an angle, clockwise from the bottom.
   * @param {Drawn} n @param {number} angle @param {ReturnType<Ring["plan"]>} plan @param {string[]} lines of its label
   */
  spot(n, angle, plan, lines) {
    let spot = this.byName.get(n.name);
    if (!spot) {
      const mark = svg("g"), label = svg("text");
      const reach = svg("circle", { class: "reach" });
      const group = svg("g", { class: "spot", "data-node": n.name }, svg("g", { class: "arrive" }, reach, mark), label);
      spot = { group, spot: mark, label, angle, shown: "" };
      this.byName.set(n.name, spot);
      this.spots.append(group);
    }
    // The shorter way around, so that a node which makes room for another does not travel.
    spot.angle += ((((angle - spot.angle) % 360) + 540) % 360) - 180;
    spot.group.style.transform = `rotate(${spot.angle}deg) translateY(${plan.radius}px) rotate(${-spot.angle}deg)`;
    const self = n.name === this.self;
    spot.group.setAttribute("class", ["spot", self && "self", n.name === this.gateway && "gateway", n.name === this.chosen && "chosen",
      !plan.names && !self && n.name !== this.gateway && !this.owners.includes(n.name) && "quiet"].filter(Boolean).join(" "));
    spot.group.querySelector(".reach")?.setAttribute("r", String(Math.max(plan.dot + 9, 12)));
    const owner = this.owners.indexOf(n.name) + 1;
    const shown = [n.state, n.ephemeral, n.cordoned, self, owner, plan.dot].join();
    if (shown !== spot.shown) {
      const halo = self || owner ? [svg("circle", { class: owner ? "halo owner" : "halo", r: plan.dot + 5 })] : [];
      const place = owner && plan.dot > 7 ? [svg("text", { class: "place", "text-anchor": "middle", dy: "0.35em" }, String(owner))] : [];
      spot.spot.replaceChildren(...halo, glyph(n.state, n.ephemeral, n.ephemeral ? plan.dot * 0.8 : plan.dot, n.cordoned), ...place);
      spot.shown = shown;
    }
    this.label(spot, plan, angle, lines, self || owner > 0);
  }

  /**
   * Writes a node's name outside of the circle: upright, or along the radius where there are many.
   * @param {Spot} spot @param {ReturnType<Ring["plan"]>} plan @param {number} angle @param {string[]} lines @param {boolean} halo
   */
  label(spot, plan, angle, lines, halo) {
    const [x, y] = direction(angle);
    const gap = plan.dot + (halo ? 11 : 8);
    let anchor = Math.abs(x) < 0.25 ? "middle" : x > 0 ? "start" : "end";
    const at = { dx: x * gap, dy: y * (gap + (lines.length * plan.line) / 2), turn: 0 };
    if (plan.radial) {
      at.dy = y * gap;
      anchor = x < -1e-9 ? "end" : "start";
      at.turn = (Math.atan2(y, x) * 180) / Math.PI + (x < -1e-9 ? 180 : 0);
    }
    spot.label.setAttribute("text-anchor", anchor);
    spot.label.setAttribute("transform", `translate(${at.dx.toFixed(1)} ${at.dy.toFixed(1)}) rotate(${at.turn.toFixed(1)})`);
    spot.label.replaceChildren(...lines.map((text, i) =>
      svg("tspan", { x: 0, y: ((i - (lines.length - 1) / 2) * plan.line).toFixed(1), dy: "0.35em", class: i ? "role" : "name" }, text)));
  }

  /**
   * Draws who reaches the ring through whom.
   * @param {ReturnType<Ring["plan"]>} plan
   */
  chord(plan) {
    this.link = "";
    const paths = links(this.nodes, this, (name) => this.byName.get(name)?.angle).map(({ own, from, to }) => {
      const c = curve(from, to, plan.radius), point = (/** @type {number[]} */ p) => p.map((v) => v.toFixed(1)).join(" ");
      const d = `M${point(c.from)}Q${point(c.bend)} ${point(c.to)}`;
      if (own) this.link = d;
      return svg("path", { class: own ? "own" : "", d });
    });
    this.chords.replaceChildren(...paths);
    const arranged = JSON.stringify([this.nodes.map((n) => n.name), this.gateway]);
    if (arranged === this.arranged) return;
    this.pulses.replaceChildren();
    if (this.arranged && !still.matches) this.chords.animate({ opacity: [0, 0, 1] }, 700); // until the nodes have moved
    this.arranged = arranged;
  }

  /**
   * Shows a frame on its way between this tab and its gateway.
   * @param {boolean} sent
   * @param {boolean} news it carries more than a round's gossip
   */
  pulse(sent, news) {
    if (!this.link || document.hidden || still.matches || this.pulses.childElementCount >= AT_ONCE) return;
    const path = svg("path", { d: this.link, pathLength: 100, class: `${sent ? "sent" : "received"}${news ? " news" : ""}`, "stroke-dasharray": "9 200" });
    this.pulses.append(path);
    const [from, to] = sent ? [9, -100] : [-100, 9];
    path.animate({ strokeDashoffset: [from, to] }, { duration: 650, easing: "cubic-bezier(.45,.05,.55,.95)" }).onfinish = () => path.remove();
  }

  /**
   * Shows that a node's state has changed.
   * @param {string} name @param {string} state
   */
  ripple(name, state) {
    const spot = this.byName.get(name);
    if (!spot || document.hidden || still.matches || this.waves.childElementCount >= 60) return;
    const wave = svg("circle", { class: `wave ${state in STATES ? state : "left"}`, r: 12 });
    wave.style.transform = spot.group.style.transform;
    this.waves.append(wave);
    wave.animate({ r: ["12px", "40px"], opacity: [0.9, 0] }, { duration: 900, easing: "ease-out" }).onfinish = () => wave.remove();
  }
}
