// Which nodes are picked: docs/protocol.md, 30.

import { RingError } from "./errors.js";
import { has } from "./needs.js";

/** @typedef {import("./view.js").NodeInfo} NodeInfo */

/**
 * All that it says has to hold. In a pattern `*` stands for any characters, also for none, and all else for itself.
 * @typedef {object} Filter
 * @property {readonly string[]} [tags] each is `KEY=PATTERN`, `KEY!=PATTERN` (it is another, or not there), `KEY` (it is there) or `!KEY`
 * @property {string} [state] `PATTERN` or `!PATTERN`, of a state's word
 * @property {string} [name] `PATTERN` or `!PATTERN`
 */

const STATES = ["unknown", "up", "suspect", "down", "left"];
const MAX_TERMS = 16;
const MAX_BYTES = 1024;

/**
 * What tells whether a filter picks a node. Throws a RingError (`invalid`) if there is something wrong with it.
 * @param {Filter} [filter]
 * @returns {(node: NodeInfo) => boolean}
 */
export function picks({ tags = [], state = "", name = "" } = {}) {
  const terms = tags.map(termOf);
  if (tags.length > MAX_TERMS) {
    throw invalid(tags[MAX_TERMS], `is one too many: there may be ${MAX_TERMS} of tags`);
  }
  const bytes = new TextEncoder().encode([...tags, state, name].join("")).length;
  if (bytes > MAX_BYTES) {
    throw invalid(`${[...tags, state, name].join(" ").slice(0, 32)}…`, `has ${bytes} bytes, and may have ${MAX_BYTES}`);
  }
  if (name === "!") {
    throw invalid(name, "excludes no name: say !PATTERN");
  }
  if (state && ![...STATES, "removed"].some((word) => isLike(state.replace(/^!/, ""), word))) {
    throw invalid(state, `is no state: they are ${STATES.join(", ")}`);
  }
  return (node) =>
    terms.every(({ key, pattern, not }) => not !== (has(node.tags, key) && isLike(pattern, node.tags[key]))) &&
    isLikeOrNot(state, node.state) && isLikeOrNot(name, node.name);
}

/** @param {string} term */
function termOf(term) {
  const [, bang, name, is] = /** @type {RegExpMatchArray} */ (/^(!?)([^=]*)(=?)/.exec(term));
  const not = bang || (is && name.endsWith("!"));
  const key = !bang && not ? name.slice(0, -1) : name;
  if (!key) {
    throw invalid(term, "names no tag: say KEY=PATTERN, KEY!=PATTERN, KEY or !KEY");
  }
  if (bang && is) {
    throw invalid(term, "says both ! and =: say KEY!=PATTERN");
  }
  return { key, pattern: is ? term.slice(term.indexOf("=") + 1) : "*", not: Boolean(not) };
}

/**
 * @param {string} pattern
 * @param {string} text
 */
function isLikeOrNot(pattern, text) {
  return !pattern || (pattern[0] === "!" ? !isLike(pattern.slice(1), text) : isLike(pattern, text));
}

/**
 * Whether a text is as a pattern has it. What is between two stars is taken where it comes first, so that nothing is
 * tried twice.
 * @param {string} pattern
 * @param {string} text
 */
export function isLike(pattern, text) {
  const parts = pattern.split("*");
  const [first, last] = [parts[0], parts[parts.length - 1]];
  if (parts.length === 1) {
    return text === pattern;
  }
  if (!text.startsWith(first)) {
    return false;
  }
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    at = text.indexOf(part, at);
    if (at < 0) {
      return false;
    }
    at += part.length;
  }
  return text.length >= at + last.length && text.endsWith(last);
}

/**
 * @param {string} term
 * @param {string} why
 */
function invalid(term, why) {
  return new RingError("invalid", `The filter ${JSON.stringify(term)} ${why}.`);
}
