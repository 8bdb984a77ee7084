// Where nodes are on the circle, and the lines between them.

/** @typedef {{name: string, state: string, ephemeral: boolean, cordoned: boolean, via: string}} Drawn */
/** @typedef {{self: string, gateway: string, chosen: string, owners: string[]}} Marks owners are of the key that is looked up */
/** @typedef {{choose: (name: string) => void, point: (name: string) => void}} Heard what the pointer does */

const natural = new Intl.Collator("en", { numeric: true });

const MOST = 50_000; // names that are remembered

/** All names that byName was given, in its order. @type {string[]} */
let ranked = [];
/** The same. @type {Set<string>} */
let known = new Set();

/**
 * Nodes by name as people count. Of thousands few are new each time: only those are compared.
 * @template {{name: string}} T
 * @param {T[]} nodes
 * @returns {T[]}
 */
export function byName(nodes) {
  if (known.size + nodes.length > MOST) [ranked, known] = [[], new Set()];
  const fresh = nodes.filter(({ name }) => !known.has(name)).map(({ name }) => name).sort(compare);
  if (fresh.length) {
    for (const name of fresh) known.add(name);
    ranked = merged(ranked, fresh);
  }
  const of = new Map(nodes.map((n) => [n.name, n]));
  return ranked.flatMap((name) => of.get(name) ?? []);
}

/** @param {string} a @param {string} b */
function compare(a, b) {
  return natural.compare(a, b) || (a < b ? -1 : 1);
}

/** Puts some among many, all sorted. @param {string[]} many @param {string[]} some */
function merged(many, some) {
  const all = [];
  let from = 0;
  for (const name of some) {
    let [low, high] = [from, many.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(many[middle], name) < 0) low = middle + 1;
      else high = middle;
    }
    all.push(...many.slice(from, low), name);
    from = low;
  }
  return [...all, ...many.slice(from)];
}

/**
 * The order around the circle, clockwise from this tab at the bottom: durable
 * nodes by name with the first and the last of them at the top, guests between.
 * @template {Drawn} T
 * @param {T[]} nodes
 * @param {string} self
 * @returns {T[]}
 */
export function order(nodes, self) {
  const all = byName(nodes);
  const durable = all.filter((n) => !n.ephemeral);
  const guests = all.filter((n) => n.ephemeral);
  const half = Math.ceil(durable.length / 2);
  const around = [...guests, ...durable.slice(half), ...durable.slice(0, half)];
  const at = around.findIndex((n) => n.name === self);
  return at < 0 ? around : [...around.slice(at), ...around.slice(0, at)];
}

/** @param {number} angle in degrees, clockwise from the bottom @returns {[number, number]} */
export function direction(angle) {
  const a = (angle * Math.PI) / 180;
  return [-Math.sin(a), Math.cos(a)];
}

/**
 * A line between two places of the circle that leaves its centre free: a parabola with its bend.
 * @param {number} a @param {number} b @param {number} radius
 */
export function curve(a, b, radius) {
  const apart = ((((b - a) % 360) + 540) % 360) - 180;
  const half = (Math.abs(apart) * Math.PI) / 360;
  const straight = Math.cos(half);
  const nearest = Math.max(Math.min(0.46, 100 / radius), straight * (0.9 - 0.2 * (half / Math.PI)));
  const bend = direction(a + apart / 2).map((v) => v * radius * (2 * nearest - straight));
  const [from, to] = [direction(a), direction(b)].map((p) => p.map((v) => v * radius));
  return { from, bend, to };
}

/**
 * Who reaches the ring through whom, as angles.
 * @param {Drawn[]} nodes @param {{self: string, gateway: string}} marks @param {(name: string) => number | undefined} angle
 */
export function links(nodes, { self, gateway }, angle) {
  return nodes.flatMap((n) => {
    const own = n.name === self;
    const from = angle(n.name), to = angle(own ? gateway : n.state === "up" || n.state === "suspect" ? n.via : "");
    return from === undefined || to === undefined ? [] : [{ own, from, to }];
  });
}
