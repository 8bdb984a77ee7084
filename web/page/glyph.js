// The mark of a node: its shape and colour say its state, filled or hollow says
// durable or guest, and a bar across it that it is cordoned.

import { legible } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";

/** The states of a node, in the order of the legend, and what they mean. */
export const STATES = {
  up: "up",
  suspect: "suspect: it did not answer",
  down: "down",
  left: "left: it said bye",
  unknown: "unknown: nothing heard of it yet",
};

/**
 * Makes an SVG element.
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children.map((child) => (typeof child === "string" ? legible(child) : child)));
  return element;
}

/**
 * Makes the mark of a state around (0, 0), of the size of a circle of radius r.
 * @param {string} state
 * @param {boolean} guest
 * @param {number} r
 * @param {boolean} [cordoned]
 * @returns {SVGElement}
 */
export function glyph(state, guest, r, cordoned) {
  const group = svg("g", { class: `glyph ${state}${guest ? " guest" : ""}` });
  const polygon = (/** @type {number[][]} */ ...points) =>
    svg("polygon", { class: "body", points: points.map((p) => p.map((v) => +(v * r).toFixed(2)).join()).join(" ") });
  switch (state) {
    case "suspect":
      group.append(polygon([0, -1.2], [1.12, 0.82], [-1.12, 0.82]));
      break;
    case "down": {
      const s = +(0.42 * r).toFixed(2);
      group.append(polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]));
      group.append(svg("path", { class: "cross", d: `M${-s} ${-s}L${s} ${s}M${s} ${-s}L${-s} ${s}` }));
      break;
    }
    case "left":
      group.append(polygon([0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]));
      break;
    case "up":
      group.append(svg("circle", { class: "body", r }));
      break;
    default:
      group.append(svg("circle", { class: "body", r }));
      if (!guest) group.append(svg("circle", { class: "dot", r: +(0.35 * r).toFixed(2) }));
  }
  if (cordoned) group.append(svg("path", { class: "bar", d: `M${-(0.6 * r).toFixed(2)} 0H${(0.6 * r).toFixed(2)}` }));
  return group;
}

/**
 * Makes the mark as a small picture of its own, for tables and the legend.
 * @param {string} state
 * @param {boolean} guest
 * @param {boolean} [cordoned]
 * @returns {SVGElement}
 */
export function mark(state, guest, cordoned) {
  return svg("svg", { class: "mark", viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, glyph(state, guest, 5, cordoned));
}
