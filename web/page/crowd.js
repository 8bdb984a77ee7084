// The drawing of a ring of hundreds, or thousands: in rows around the circle, on sheets that lie on each other, so that each is
// drawn only when it changes: lines, nodes and names, and what moves.

import { curve, direction, links, order } from "./circle.js";

/** @typedef {import("./circle.js").Drawn} Drawn */
/** @typedef {import("./circle.js").Heard} Heard */
/** @typedef {import("./circle.js").Marks} Marks */
/** @typedef {Drawn & {x: number, y: number, angle: number}} Placed */
/** @typedef {{x: number, y: number, state: string, since: number}} Wave */

const still = matchMedia("(prefers-reduced-motion: reduce)");
const ROOM = 10; // px that a node has, along the circle and across
const PULSE = 650, WAVE = 900; // ms
const AT_ONCE = 60; // waves at a time
const SPRITE = 14; // px of a node's picture, and what is around it

export class Crowd {
  /** @param {HTMLCanvasElement} canvas @param {Heard} heard */
  constructor(canvas, heard) {
    this.canvas = canvas;
    this.paper = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** Below it: what changes rarely. */
    this.below = [document.createElement("canvas"), document.createElement("canvas")];
    for (const sheet of this.below) {
      sheet.className = "sheet";
      sheet.setAttribute("aria-hidden", "true");
    }
    canvas.before(...this.below);
    /** Pictures of nodes that look alike. @type {Map<string, HTMLCanvasElement>} */
    this.sprites = new Map();
    /** What the lines were drawn of. */
    this.lined = "";
    /** Who is at which place. @type {Drawn[]} */
    this.seated = [];
    this.size = "";
    /** How often each sheet was drawn. */
    this.drawn = { lines: 0, nodes: 0, moving: 0 };
    /** @type {Drawn[]} */
    this.nodes = [];
    /** @type {Marks} */
    this.marks = { self: "", gateway: "", chosen: "", owners: [] };
    this.pointed = "";
    /** @type {Map<string, Placed>} */
    this.placed = new Map();
    /** @type {{sent: boolean, news: boolean, since: number}[]} */
    this.pulses = [];
    /** @type {Wave[]} */
    this.waves = [];
    /** @type {ReturnType<typeof curve> | undefined} */
    this.link = undefined;
    /** The colours of the style sheet. @type {Map<string, string>} */
    this.style = new Map();
    this.scale = 1;
    this.font = "";
    this.stale = false;
    this.moved = false; // something that moves is on its sheet
    this.asked = false;
    new ResizeObserver(() => this.restyle()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.restyle());
    canvas.addEventListener("click", (e) => this.at(e) && heard.choose(this.at(e)));
    canvas.addEventListener("pointermove", (e) => {
      const name = this.at(e);
      canvas.style.cursor = name ? "pointer" : "";
      if (name !== this.pointed) heard.point(name);
      this.point(name);
    });
    canvas.addEventListener("pointerleave", () => {
      heard.point("");
      this.point("");
    });
  }

  /** The node under the pointer. @param {MouseEvent} e */
  at(e) {
    const x = e.offsetX - this.canvas.clientWidth / 2, y = e.offsetY - this.canvas.clientHeight / 2;
    let name = "", nearest = ROOM ** 2;
    for (const n of this.placed.values()) {
      const apart = (n.x - x) ** 2 + (n.y - y) ** 2;
      if (apart < nearest) [name, nearest] = [n.name, apart];
    }
    return name;
  }

  /** @param {Drawn[]} nodes @param {Marks} marks */
  show(nodes, marks) {
    this.nodes = order(nodes, marks.self);
    this.marks = marks;
    this.redraw();
  }

  /** @param {string} name the node that the pointer is at, here or in the table */
  point(name) {
    if (name === this.pointed) return;
    this.pointed = name;
    this.redraw();
  }

  /** @param {boolean} sent @param {boolean} news it carries more than a round's gossip */
  pulse(sent, news) {
    if (!this.link || document.hidden || still.matches || this.pulses.length > 12) return;
    this.pulses.push({ sent, news, since: performance.now() });
    this.ask();
  }

  /** @param {string} name @param {string} state */
  ripple(name, state) {
    const n = this.placed.get(name);
    if (!n || document.hidden || still.matches || this.waves.length >= AT_ONCE) return;
    this.waves.push({ x: n.x, y: n.y, state, since: performance.now() });
    this.ask();
  }

  redraw() {
    this.stale = true;
    this.ask();
  }

  /** Its size, or its colours, are others. */
  restyle() {
    this.size = "";
    this.redraw();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame((now) => {
      this.asked = false;
      this.draw(now);
    });
  }

  /** @param {number} now */
  draw(now) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    if (this.stale) this.arrange(width, height);
    if (!this.pulses.length && !this.waves.length && !this.moved) return;
    this.moved = this.pulses.length + this.waves.length > 0;
    this.drawn.moving++;
    const paper = this.clear(this.canvas);
    this.pulses = this.pulses.filter(({ since }) => now < since + PULSE);
    this.waves = this.waves.filter(({ since }) => now < since + WAVE);
    paper.lineCap = "round";
    for (const { sent, news, since } of this.link ? this.pulses : []) {
      const t = Math.max(0, (now - since) / PULSE);
      const [a, b] = [this.along(sent ? t : 1 - t), this.along(sent ? t - 0.08 : 1.08 - t)];
      paper.strokeStyle = this.colour(sent ? "--accent" : "--up");
      paper.lineWidth = news ? 6 : 3.5;
      paper.beginPath();
      paper.moveTo(a[0], a[1]);
      paper.lineTo(b[0], b[1]);
      paper.stroke();
    }
    paper.lineWidth = 2;
    for (const { x, y, state, since } of this.waves) {
      const t = Math.max(0, (now - since) / WAVE);
      paper.globalAlpha = 0.9 * (1 - t);
      paper.strokeStyle = this.colour(colours[state] ?? "--gone");
      paper.beginPath();
      paper.arc(x, y, 5 + 26 * Math.sqrt(t), 0, 2 * Math.PI);
      paper.stroke();
    }
    paper.globalAlpha = 1;
    if (this.pulses.length || this.waves.length) this.ask();
  }

  /** A place on the line between this tab and its gateway. @param {number} t from 0 to 1 */
  along(t) {
    const at = Math.min(1, Math.max(0, t)), { from, bend, to } = /** @type {ReturnType<typeof curve>} */ (this.link);
    return [0, 1].map((i) => (1 - at) ** 2 * from[i] + 2 * at * (1 - at) * bend[i] + at ** 2 * to[i]);
  }

  /** @param {string} variable of the style sheet */
  colour(variable) {
    return this.style.get(variable) ?? "gray";
  }

  /** Wipes a sheet, and has (0, 0) be in its middle. @param {HTMLCanvasElement} sheet */
  clear(sheet) {
    const paper = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d"));
    paper.setTransform(1, 0, 0, 1, 0, 0);
    paper.clearRect(0, 0, sheet.width, sheet.height);
    paper.setTransform(this.scale, 0, 0, this.scale, sheet.width / 2, sheet.height / 2);
    return paper;
  }

  /** Learns of its size and its colours. @param {number} width @param {number} height */
  measure(width, height) {
    this.size = `${width} ${height}`;
    this.scale = devicePixelRatio;
    for (const c of [this.canvas, ...this.below]) Object.assign(c, { width: Math.round(width * this.scale), height: Math.round(height * this.scale) });
    const style = getComputedStyle(this.canvas);
    this.style = new Map(["--ink", "--soft", "--line", "--paper", "--accent", "--up", "--suspect", "--down", "--gone"].map((v) => [v, style.getPropertyValue(v)]));
    this.font = `${style.fontSize} ${style.fontFamily}`;
    this.sprites.clear();
    this.lined = "";
    this.seated = [];
    this.moved = true;
  }

  /** Draws what stands still. @param {number} width @param {number} height */
  arrange(width, height) {
    this.stale = false;
    if (this.size !== `${width} ${height}`) this.measure(width, height);
    const outer = Math.max(60, Math.min(width / 2 - (width < 480 ? 16 : 110), height / 2 - 30));
    const rows = Math.max(1, Math.ceil((this.nodes.length * ROOM) / (2 * Math.PI * outer)));
    const inner = outer - (rows - 1) * ROOM;
    if (this.seated.length === this.nodes.length && this.nodes.every((n, i) => n.name === this.seated[i].name)) { // all stay where they are
      for (const n of this.nodes) Object.assign(/** @type {Placed} */ (this.placed.get(n.name)), n);
    } else {
      this.placed = new Map(this.nodes.map((n, i) => {
        const angle = (360 * i) / this.nodes.length;
        const [x, y] = direction(angle).map((v) => v * (inner + (i % rows) * ROOM));
        return [n.name, { ...n, x, y, angle }];
      }));
      const plate = this.canvas.parentElement?.style;
      plate?.setProperty("--radius", `${inner}px`);
      plate?.setProperty("--centre", `${height / 2}px`);
      this.lined = "";
    }
    this.seated = this.nodes;
    this.lines(inner - ROOM / 2);
    const paper = this.clear(this.below[1]);
    this.drawn.nodes++;
    this.glyphs(paper);
    this.names(paper, outer);
  }

  /** @param {number} radius */
  lines(radius) {
    const all = links(this.nodes, this.marks, (name) => this.placed.get(name)?.angle);
    const lined = all.map(({ own, from, to }) => `${own ? "o" : ""}${from.toFixed(2)} ${to.toFixed(2)}`).join();
    if (lined === this.lined) return;
    this.lined = lined;
    this.drawn.lines++;
    const paper = this.clear(this.below[0]), others = new Path2D(), own = new Path2D();
    this.link = undefined;
    for (const link of all) {
      const c = curve(link.from, link.to, radius), path = link.own ? own : others;
      if (link.own) this.link = c;
      path.moveTo(c.from[0], c.from[1]);
      path.quadraticCurveTo(c.bend[0], c.bend[1], c.to[0], c.to[1]);
    }
    paper.strokeStyle = this.colour("--line");
    paper.lineWidth = 1;
    paper.globalAlpha = 0.6;
    paper.stroke(others);
    paper.strokeStyle = this.colour("--accent");
    paper.lineWidth = 1.5;
    paper.stroke(own);
    paper.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} paper */
  glyphs(paper) {
    const ringed = new Set([this.marks.self, this.marks.chosen, this.pointed, ...this.marks.owners]);
    for (const name of ringed) {
      const n = this.placed.get(name);
      if (!n) continue;
      paper.beginPath();
      paper.arc(n.x, n.y, 8, 0, 2 * Math.PI);
      paper.fillStyle = this.colour("--paper");
      paper.fill();
      paper.strokeStyle = this.colour("--accent");
      paper.lineWidth = 2.5;
      paper.stroke();
    }
    for (const { state, ephemeral, x, y } of this.placed.values()) {
      paper.drawImage(this.sprite(state, ephemeral), x - SPRITE / 2, y - SPRITE / 2, SPRITE, SPRITE);
    }
  }

  /** The picture of those that look alike. @param {string} state @param {boolean} ephemeral */
  sprite(state, ephemeral) {
    const key = `${state} ${ephemeral}`, known = this.sprites.get(key);
    if (known) return known;
    const sprite = document.createElement("canvas");
    sprite.width = sprite.height = SPRITE * this.scale;
    const paper = this.clear(sprite), path = shape(state, ephemeral ? 3 : 3.6);
    paper.lineWidth = 1.5;
    paper.fillStyle = paper.strokeStyle = this.colour(colours[state] ?? "--gone");
    if (ephemeral || state === "unknown") paper.stroke(path);
    else paper.fill(path);
    this.sprites.set(key, sprite);
    return sprite;
  }

  /** Names those that matter, the first ones first, where there is room. @param {CanvasRenderingContext2D} paper @param {number} radius */
  names(paper, radius) {
    const width = this.canvas.clientWidth;
    const { self, gateway, chosen, owners } = this.marks;
    const trouble = this.nodes.filter((n) => n.state === "suspect" || n.state === "down").map((n) => n.name);
    /** @type {[number, number][]} */
    const taken = [];
    paper.textBaseline = "middle";
    for (const name of new Set([this.pointed, self, ...owners, chosen, gateway, ...trouble])) {
      const n = this.placed.get(name);
      if (!n) continue;
      const [dx, dy] = direction(n.angle), x = dx * (radius + 14), y = dy * (radius + 16);
      if (taken.some(([a, b]) => Math.abs(y - b) < 16 && Math.abs(x - a) < 130)) continue;
      const role = name === self ? "this tab" : owners.includes(name) ? `owner ${owners.indexOf(name) + 1}` : name === gateway ? "gateway" : "";
      const letters = [...name], short = letters.length > 16 ? letters.slice(0, 15).join("") + "…" : name;
      paper.font = `${role || name === chosen ? 600 : 400} ${this.font}`;
      paper.fillStyle = this.colour(role ? "--accent" : "--ink");
      paper.textAlign = Math.abs(dx) < 0.12 ? "center" : dx > 0 ? "left" : "right";
      const side = paper.textAlign === "center" ? 0.5 : 1;
      const text = [role && `${short} · ${role}`, short].find((text) => text && Math.abs(x) + side * paper.measureText(text).width < width / 2);
      if (!text) continue;
      taken.push([x, y]);
      paper.fillText(text, x, y);
    }
  }
}

/** @type {Record<string, string>} */
const colours = { up: "--up", suspect: "--suspect", down: "--down" };

/** The mark of a state, around (0, 0). @param {string} state @param {number} r */
function shape(state, r) {
  const points = { suspect: [[0, -1.3], [1.2, 0.9], [-1.2, 0.9]], down: [[-1, -1], [1, -1], [1, 1], [-1, 1]], left: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]] }[state];
  const path = new Path2D();
  if (points) points.forEach(([x, y], i) => (i ? path.lineTo(x * r, y * r) : path.moveTo(x * r, y * r)));
  else path.arc(0, 0, r, 0, 2 * Math.PI);
  path.closePath();
  return path;
}
