// What the nodes run: which versions, engines and modules, and whether that is mixed. Asked while somebody looks.

import { $ } from "./panel.js";
import { el, write } from "./text.js";
import { refusal } from "./why.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */
/** @typedef {{version: string, engine: string, protocol: number, names: string[]}} Kind what some nodes run alike */

const AGAIN = 10_000; // ms after which nodes are asked again,
const FEW = 100; // if they are no more than that; of more a person has them asked
const NAMED = 6; // of the nodes of one kind

export class Rollout {
  #teller;
  #changed;
  /** Those that were asked, and their processes. */
  #about = "";
  #next = 0;
  #asking = false;

  /** @param {import("./teller.js").Teller} teller @param {() => void} changed there is something else to show */
  constructor(teller, changed) {
    this.#teller = teller;
    this.#changed = changed;
    $("rollout-ask").addEventListener("click", () => {
      this.#next = 0;
      changed();
    });
  }

  /** @param {Node[]} nodes @param {boolean} able there is a gateway */
  show(nodes, able) {
    $("rollout-ask").disabled = !able || this.#asking;
    if ($("rollout-panel").hidden || document.hidden || !able || this.#asking) return;
    const durable = nodes.filter((n) => !n.ephemeral);
    const up = durable.filter((n) => n.state === "up" || n.state === "suspect");
    const about = JSON.stringify(up.map((n) => [n.name, n.instance]));
    const due = performance.now() >= this.#next && (this.#next === 0 || up.length <= FEW);
    if (due || (about !== this.#about && up.length <= FEW)) this.#ask(up, durable.length - up.length, about);
  }

  /** @param {Node[]} up @param {number} others that are not @param {string} about */
  async #ask(up, others, about) {
    [this.#asking, this.#about] = [true, about];
    const names = new Set(up.map((n) => n.name));
    /** @type {Map<string, Kind>} */
    const kinds = new Map();
    try {
      await this.#teller.ask("nanoring.node", "", undefined, (told, from) => {
        if (!names.delete(from)) return true; // a guest says what it likes
        const engine = [told.engine, String(told.module ?? "").slice(0, 12)].filter(Boolean).join(" ");
        const kind = { version: String(told.version || "unknown"), engine, protocol: Number(told.protocol) || 0, names: [from] };
        const key = JSON.stringify([kind.version, engine, kind.protocol]), same = kinds.get(key);
        if (same) same.names.push(from);
        else kinds.set(key, kind);
        return true;
      });
      this.#draw([...kinds.values()].sort((a, b) => b.names.length - a.names.length || (a.version < b.version ? 1 : -1)), [...names], others);
    } catch (err) {
      write($("rollout-says"), refusal(err));
    } finally {
      this.#asking = false;
      this.#next = performance.now() + AGAIN;
      this.#changed();
      setTimeout(this.#changed, AGAIN);
    }
  }

  /** @param {Kind[]} kinds @param {string[]} silent @param {number} others */
  #draw(kinds, silent, others) {
    write($("rollout-says"), words(kinds, silent, others));
    $("rollout-table").hidden = !kinds.length;
    $("rollout-body").replaceChildren(...kinds.map((kind) => {
      const row = document.createElement("tr"), names = listed(kind.names.sort());
      row.append(el("td", kind.version), el("td", kind.engine), el("td", String(kind.protocol || "unknown")), el("td", `${kind.names.length}: ${names}`));
      return row;
    }));
  }
}

/** @param {number} n */
const nodes = (n) => (n === 1 ? "1 node" : `${n} nodes`);

/** @param {string[]} names */
const listed = (names) => (names.length > NAMED ? `${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more` : names.join(", "));

/**
 * What the nodes run, in words.
 * @param {Kind[]} kinds @param {string[]} silent who has not answered @param {number} others those that are not up
 */
export function words(kinds, silent, others) {
  const count = (/** @type {(kind: Kind) => string} */ what) => {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const kind of kinds) counts.set(what(kind), (counts.get(what(kind)) ?? 0) + kind.names.length);
    return [...counts].sort((a, b) => b[1] - a[1]);
  };
  const all = kinds.reduce((sum, { names }) => sum + names.length, 0);
  const versions = count(({ version }) => version), engines = count(({ engine }) => engine), protocols = count(({ protocol }) => `protocol version ${protocol}`);
  const each = (/** @type {[string, number][]} */ counts) => counts.map(([what, n], i) => `${i ? n : nodes(n)} on ${what}`).join(", ");
  const said = [];
  if (!all) said.push("No node has answered.");
  else if (versions.length > 1) said.push(`${each(versions)}: a rollout is under way.`);
  else said.push(all === 1 ? `The only node that answered runs ${versions[0][0]}.` : `All ${all} nodes that answered run ${versions[0][0]}.`);
  if (engines.length > 1) said.push(`Their engines differ: ${each(engines)}.`);
  if (protocols.length > 1) said.push(`So does what they speak: ${each(protocols)}.`);
  if (silent.length) said.push(`No answer from ${listed(silent.sort())}.`);
  if (others) said.push(`${nodes(others)} ${others === 1 ? "is" : "are"} not up, and not asked.`);
  return said.join(" ");
}
