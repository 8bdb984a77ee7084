// Who owns a key: docs/protocol.md, 26.
//
// Its numbers have 64 bits, for which BigInt is easy and slow. Names are hashed with it, once; what has to be done for
// each key and name is done in halves of 32 bits, several times as fast.

import { RingError } from "./errors.js";

/** @typedef {import("./view.js").NodeInfo} NodeInfo */
/** @typedef {{high: number, low: number}} Halves */

/** Of names. A node that changes is another NodeInfo. @type {WeakMap<NodeInfo, Halves>} */
const hashes = new WeakMap();

/**
 * The count nodes to which a key is given, the first owner first, of those that are up, durable and not cordoned.
 *
 * @param {string | Uint8Array} key
 * @param {number} count
 * @param {Iterable<NodeInfo>} nodes each there once
 * @returns {NodeInfo[]}
 */
export function owners(key, count, nodes) {
  if (key.length === 0) {
    throw new RingError("invalid", "The key is empty.");
  }
  if (!Number.isInteger(count) || count < 1) {
    throw new RingError("invalid", `${count} is not how many owners there may be: 1 or more.`);
  }
  const of = mix(hash(key));
  /** @type {{score: Halves, node: NodeInfo}[]} */
  const best = [];
  for (const node of nodes) {
    if (node.ephemeral || node.cordoned || (node.state !== "up" && node.state !== "suspect")) {
      continue;
    }
    let name = hashes.get(node);
    if (!name) {
      name = hash(node.name);
      hashes.set(node, name);
    }
    const claim = { score: mix({ high: name.high ^ of.high, low: name.low ^ of.low }), node };
    let at = best.length;
    if (at === count && compare(claim, best[at - 1]) > 0) {
      continue;
    }
    while (at > 0 && compare(claim, best[at - 1]) < 0) {
      at--;
    }
    best.splice(at, 0, claim);
    best.length = Math.min(best.length, count);
  }
  return best.map((claim) => claim.node);
}

/**
 * Orders claims, the best first. Equal scores need names of equal hashes; then the bytes of the names decide, whose
 * order is not that of JavaScript's strings.
 * @param {{score: Halves, node: NodeInfo}} a
 * @param {{score: Halves, node: NodeInfo}} b
 */
function compare(a, b) {
  if (a.score.high !== b.score.high) {
    return b.score.high - a.score.high;
  }
  if (a.score.low !== b.score.low) {
    return b.score.low - a.score.low;
  }
  const [m, n] = [new TextEncoder().encode(a.node.name), new TextEncoder().encode(b.node.name)];
  const at = m.findIndex((byte, i) => byte !== n[i]);
  return at < 0 ? m.length - n.length : m[at] - (n[at] ?? -1);
}

/**
 * The finalizer of MurmurHash3.
 * @param {Halves} h
 * @returns {Halves}
 */
function mix({ high, low }) {
  for (const { high: a, low: b } of multipliers) {
    low = (low ^ (high >>> 1)) >>> 0; // h ^= h >> 33
    // h *= a:b, in doubles where a product has more than 32 bits; none has more than 49.
    const carry = Math.floor((low * (b & 0xffff)) / 0x10000);
    high = (Math.floor((low * (b >>> 16) + carry) / 0x10000) + Math.imul(low, a) + Math.imul(high, b)) >>> 0;
    low = Math.imul(low, b) >>> 0;
  }
  return { high, low: (low ^ (high >>> 1)) >>> 0 };
}

const multipliers = [{ high: 0xff51afd7, low: 0xed558ccd }, { high: 0xc4ceb9fe, low: 0x1a85ec53 }];

/**
 * xxHash64 with seed 0.
 * @param {string | Uint8Array} of text is hashed as UTF-8
 * @returns {Halves}
 */
function hash(of) {
  const bytes = typeof of === "string" ? new TextEncoder().encode(of) : of;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let h = P5;
  if (bytes.length >= 32) {
    const lanes = [u64(P1 + P2), P2, 0n, u64(-P1)];
    for (; at + 32 <= bytes.length; at += 32) {
      lanes.forEach((lane, i) => (lanes[i] = round(lane, view.getBigUint64(at + 8 * i, true))));
    }
    h = u64(rotate(lanes[0], 1n) + rotate(lanes[1], 7n) + rotate(lanes[2], 12n) + rotate(lanes[3], 18n));
    for (const lane of lanes) {
      h = u64((h ^ round(0n, lane)) * P1 + P4);
    }
  }
  h = u64(h + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    h = u64(rotate(h ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
  }
  if (at + 4 <= bytes.length) {
    h = u64(rotate(h ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < bytes.length; at++) {
    h = u64(rotate(h ^ u64(BigInt(bytes[at]) * P5), 11n) * P1);
  }
  h = u64((h ^ (h >> 33n)) * P2);
  h = u64((h ^ (h >> 29n)) * P3);
  h ^= h >> 32n;
  return { high: Number(h >> 32n), low: Number(h & 0xffffffffn) };
}

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

/** @param {bigint} n */
function u64(n) {
  return BigInt.asUintN(64, n);
}

/**
 * @param {bigint} n
 * @param {bigint} by
 */
function rotate(n, by) {
  return u64(n << by) | (n >> (64n - by));
}

/**
 * @param {bigint} lane
 * @param {bigint} input
 */
function round(lane, input) {
  return u64(rotate(u64(lane + input * P2), 31n) * P1);
}
