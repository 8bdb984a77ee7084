// The drawing of a ring of hundreds, or thousands: in rows around the circle, on sheets that lie on each other, of which each is drawn
// when it changes alone: lines, nodes, names. Where nobody moved only those nodes are drawn that changed. What moves is elements
// that the browser moves by itself.

import { curve, direction, links, order } from "./circle.js";
import { legible } from "./text.js";

/** @typedef {import("./circle.js").Drawn} Drawn */
/** @typedef {import("./circle.js").Heard} Heard */
/** @typedef {import("./circle.js").Marks} Marks */
/** @typedef {Drawn & {x: number, y: number, angle: number}} Placed */

const still = matchMedia("(prefers-reduced-motion: reduce)");
const ROOM = 10; // px that a node has at most, along the circle and across
const REACH = 0.7; // of that room, around it, are its picture's
const DEEP = 0.55; // of the radius that the rows take at most
const PULSE = 650, WAVE = 900; // ms
const AT_ONCE = 24; // waves at a time

export class Crowd {
  /** @param {HTMLCanvasElement} canvas @param {Heard} heard */
  constructor(canvas, heard) {
    this.canvas = canvas;
    const sheet = (/** @type {"canvas" | "div"} */ tag) => {
      const element = document.createElement(tag);
      element.className = tag === "div" ? "sheet moving" : "sheet";
      element.setAttribute("aria-hidden", "true");
      return element;
    };
    this.lines = /** @type {HTMLCanvasElement} */ (sheet("canvas"));
    this.names = /** @type {HTMLCanvasElement} */ (sheet("canvas"));
    this.moving = sheet("div");
    canvas.before(this.lines);
    canvas.after(this.names, this.moving);
    /** @type {Drawn[]} */
    this.nodes = [];
    /** @type {Marks} */
    this.marks = { self: "", gateway: "", chosen: "", owners: [] };
    this.pointed = "";
    /** @type {Map<string, Placed>} */
    this.placed = new Map();
    /** What the nodes, lines and names were drawn of. */
    this.seated = this.ringed = this.lined = this.named = "";
    /** Pictures of nodes that look alike. @type {Map<string, HTMLCanvasElement>} */
    this.sprites = new Map();
    /** @type {ReturnType<typeof curve> | undefined} */
    this.link = undefined;
    /** The colours of the style sheet. @type {Map<string, string>} */
    this.style = new Map();
    this.font = this.size = "";
    this.scale = 1;
    this.room = ROOM;
    this.asked = false;
    /** How many nodes were drawn, and how often all lines, and all names. */
    this.drawn = { nodes: 0, lines: 0, names: 0 };
    this.width = this.height = 0; // as seen last: to ask for them has the browser lay out
    new ResizeObserver(() => {
      [this.width, this.height] = [canvas.clientWidth, canvas.clientHeight];
      this.restyle();
    }).observe(canvas);
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

  /** Shown, or not. @param {boolean} shown */
  set shown(shown) {
    for (const sheet of [this.lines, this.names, this.moving]) sheet.hidden = !shown;
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
    this.ask();
  }

  /** @param {string} name the node that the pointer is at, here or in the table */
  point(name) {
    if (name === this.pointed) return;
    this.pointed = name;
    this.ask();
  }

  /** @param {boolean} sent @param {boolean} news it carries more than a round's gossip */
  pulse(sent, news) {
    if (!this.link || document.hidden || still.matches || this.moving.childElementCount > AT_ONCE + 12) return;
    const { from, bend, to } = this.link, point = (/** @type {number[]} */ p) => p.map((v) => v.toFixed(1)).join(" ");
    const dash = this.mover(`dash${sent ? " sent" : ""}${news ? " news" : ""}`);
    dash.style.offsetPath = `path("M${point(from)}Q${point(bend)} ${point(to)}")`;
    const ends = ["0%", "100%"];
    this.move(dash, { offsetDistance: sent ? ends : ends.reverse() }, { duration: PULSE, easing: "cubic-bezier(.45,.05,.55,.95)" });
  }

  /** @param {string} name @param {string} state */
  ripple(name, state) {
    const n = this.placed.get(name);
    if (!n || document.hidden || still.matches || this.moving.childElementCount >= AT_ONCE) return;
    const wave = this.mover(`circle ${state}`), at = `translate(${n.x.toFixed(1)}px, ${n.y.toFixed(1)}px)`;
    this.move(wave, { transform: [`${at} scale(.2)`, `${at} scale(1)`], opacity: [0.9, 0] }, { duration: WAVE, easing: "ease-out" });
  }

  /** @param {string} className */
  mover(className) {
    const element = document.createElement("i");
    element.className = className;
    this.moving.append(element);
    return element;
  }

  /** @param {HTMLElement} element @param {PropertyIndexedKeyframes} frames @param {KeyframeAnimationOptions} options */
  move(element, frames, options) {
    element.animate(frames, options).onfinish = () => element.remove();
  }

  /** Its size, or its colours, are others. */
  restyle() {
    this.size = "";
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  draw() {
    const { width, height } = this;
    if (!width || !height) return;
    if (this.size !== `${width} ${height}`) this.measure(width, height);
    const outer = Math.max(60, Math.min(width / 2 - (width < 480 ? 16 : 110), height / 2 - 30));
    const room = Math.min(ROOM, outer * Math.sqrt((DEEP * 2 * Math.PI) / this.nodes.length));
    const rows = Math.max(1, Math.ceil((this.nodes.length * room) / (2 * Math.PI * outer)));
    const inner = outer - (rows - 1) * room;
    if (room !== this.room) {
      this.room = room;
      this.sprites.clear();
      this.seated = "";
    }
    this.drawNodes(inner, rows, room, height);
    this.drawLines(inner - room / 2);
    this.drawNames(outer);
  }

  /** Learns of its size and its colours. @param {number} width @param {number} height */
  measure(width, height) {
    this.size = `${width} ${height}`;
    this.scale = devicePixelRatio;
    for (const c of [this.canvas, this.lines, this.names]) Object.assign(c, { width: Math.round(width * this.scale), height: Math.round(height * this.scale) });
    const style = getComputedStyle(this.canvas);
    this.style = new Map(["--ink", "--line", "--paper", "--accent", "--up", "--suspect", "--down", "--gone"].map((v) => [v, style.getPropertyValue(v)]));
    this.font = `${style.fontSize} ${style.fontFamily}`;
    this.sprites.clear();
    this.seated = this.lined = this.named = "";
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

  /** @param {number} inner @param {number} rows @param {number} room @param {number} height */
  drawNodes(inner, rows, room, height) {
    const seated = JSON.stringify(this.nodes.map((n) => n.name)), { self, chosen, owners } = this.marks;
    const ringed = JSON.stringify([self, chosen, this.pointed, ...owners]);
    if (seated === this.seated && ringed === this.ringed) return this.redrawNodes();
    if (seated !== this.seated) this.lined = this.named = "";
    [this.seated, this.ringed] = [seated, ringed];
    this.placed = new Map(this.nodes.map((n, i) => {
      const angle = (360 * i) / this.nodes.length;
      const [x, y] = direction(angle).map((v) => v * (inner + (i % rows) * room));
      return [n.name, { ...n, x, y, angle }];
    }));
    const plate = this.canvas.parentElement?.style;
    plate?.setProperty("--radius", `${inner}px`);
    plate?.setProperty("--centre", `${height / 2}px`);
    const paper = this.clear(this.canvas);
    for (const n of this.placed.values()) this.ring(paper, n);
    for (const n of this.placed.values()) this.glyph(paper, n);
  }

  /** Draws those that look otherwise than before, and who is near them. */
  redrawNodes() {
    const changed = this.nodes.filter((n) => {
      const was = /** @type {Placed} */ (this.placed.get(n.name)), differs = n.state !== was.state || n.ephemeral !== was.ephemeral;
      Object.assign(was, n);
      return differs;
    });
    const paper = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d")), all = [...this.placed.values()], reach = REACH * this.room;
    for (const { name } of changed) {
      const { x, y } = /** @type {Placed} */ (this.placed.get(name));
      const near = all.filter((n) => Math.abs(n.x - x) < 2 * reach + 4 && Math.abs(n.y - y) < 2 * reach + 4);
      paper.save();
      paper.beginPath();
      paper.rect(x - reach, y - reach, 2 * reach, 2 * reach);
      paper.clip();
      paper.clearRect(x - reach, y - reach, 2 * reach, 2 * reach);
      for (const n of near) this.ring(paper, n);
      for (const n of near) this.glyph(paper, n);
      paper.restore();
    }
  }

  /** What is around a node that matters. @param {CanvasRenderingContext2D} paper @param {Placed} n */
  ring(paper, { name, x, y }) {
    const { self, chosen, owners } = this.marks;
    if (name !== self && name !== chosen && name !== this.pointed && !owners.includes(name)) return;
    paper.beginPath();
    paper.arc(x, y, 8, 0, 2 * Math.PI);
    paper.fillStyle = this.colour("--paper");
    paper.fill();
    paper.strokeStyle = this.colour("--accent");
    paper.lineWidth = 2.5;
    paper.stroke();
  }

  /** @param {CanvasRenderingContext2D} paper @param {Placed} n */
  glyph(paper, { state, ephemeral, x, y }) {
    const reach = REACH * this.room;
    this.drawn.nodes++;
    paper.drawImage(this.sprite(state, ephemeral), x - reach, y - reach, 2 * reach, 2 * reach);
  }

  /** The picture of those that look alike. @param {string} state @param {boolean} ephemeral */
  sprite(state, ephemeral) {
    const key = `${state} ${ephemeral}`, known = this.sprites.get(key);
    if (known) return known;
    const sprite = document.createElement("canvas");
    sprite.width = sprite.height = Math.ceil(2 * REACH * this.room * this.scale);
    const paper = this.clear(sprite), path = shape(state, (ephemeral ? 0.3 : 0.36) * this.room);
    paper.lineWidth = 0.15 * this.room;
    paper.fillStyle = paper.strokeStyle = this.colour(colours[state] ?? "--gone");
    if (ephemeral || state === "unknown") paper.stroke(path);
    else paper.fill(path);
    this.sprites.set(key, sprite);
    return sprite;
  }

  /** @param {number} radius */
  drawLines(radius) {
    const all = links(this.nodes, this.marks, (name) => this.placed.get(name)?.angle);
    const lined = all.map(({ own, from, to }) => `${own ? "own " : ""}${from.toFixed(2)} ${to.toFixed(2)}`).join();
    if (lined === this.lined) return;
    this.lined = lined;
    this.drawn.lines++;
    const paper = this.clear(this.lines), others = new Path2D(), own = new Path2D();
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

  /** Names those that matter, the first ones first, where there is room. @param {number} radius */
  drawNames(radius) {
    const { self, gateway, chosen, owners } = this.marks;
    const trouble = this.nodes.filter((n) => n.state === "suspect" || n.state === "down").map((n) => n.name);
    const names = new Set([this.pointed, self, ...owners, chosen, gateway, ...trouble]);
    const named = JSON.stringify([[...names], self, gateway, chosen, owners]);
    if (named === this.named) return;
    this.named = named;
    this.drawn.names++;
    const paper = this.clear(this.names), { width } = this;
    /** @type {[number, number][]} */
    const taken = [];
    paper.textBaseline = "middle";
    for (const name of names) {
      const n = this.placed.get(name);
      if (!n) continue;
      const [dx, dy] = direction(n.angle), x = dx * (radius + 14), y = dy * (radius + 16);
      if (taken.some(([a, b]) => Math.abs(y - b) < 16 && Math.abs(x - a) < 130)) continue;
      const role = name === self ? "this tab" : owners.includes(name) ? `owner ${owners.indexOf(name) + 1}` : name === gateway ? "gateway" : "";
      const letters = [...legible(name)], short = letters.length > 16 ? letters.slice(0, 15).join("") + "…" : letters.join("");
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
