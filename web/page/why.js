// Why a node is what it is, as this tab's gateway knows it, and all others who are asked: what nanoring why tells.

import { sentence } from "./operate.js";
import { $, clock, day } from "./panel.js";
import { el, hint, write } from "./text.js";

/** @typedef {import("../lib/nanoring.js").NodeInfo} Node */
/** @typedef {import("./teller.js").Why} Told */

const NEAR = 5000, FAR = 15_000; // ms after which the gateway is asked again, by its API or through the ring
const MOST = 32; // of those who answer

export class Why {
  #about = ""; // the node, its state and the gateway
  /** @type {Told | undefined} */
  #told;
  #failed = ""; // why there is none
  #next = 0;
  #shown = "";
  #name = "";
  /** About whom all are being asked. @type {Set<string>} */
  #asking = new Set();
  #teller;
  #seen;
  #changed;

  /**
   * @param {import("./teller.js").Teller} teller
   * @param {import("./seen.js").Seen} seen learns of the gateway since when a node is what it is
   * @param {() => void} changed there is something else to show
   */
  constructor(teller, seen, changed) {
    this.#teller = teller;
    this.#seen = seen;
    this.#changed = changed;
    $("why").addEventListener("toggle", changed);
    $("why-all").addEventListener("click", () => this.#askAll(this.#name));
  }

  /**
   * Shows what is known of a node by now, and has it asked for.
   * @param {Node | undefined} n @param {string} gateway "" if there is none to ask @param {boolean} wanted somebody has chosen it
   */
  show(n, gateway, wanted) {
    const about = JSON.stringify([n?.name, n?.state, n?.instance, gateway]);
    if (about !== this.#about) [this.#about, this.#told, this.#failed, this.#next] = [about, undefined, "", 0];
    if (n?.name !== this.#name) {
      this.#name = n?.name ?? "";
      $("why-others").replaceChildren();
    }
    const open = /** @type {HTMLDetailsElement} */ (/** @type {unknown} */ ($("why"))).open;
    const asks = open || (wanted && (!this.#told && !this.#failed || n?.state !== "up"));
    if (n && gateway && asks && !document.hidden && performance.now() >= this.#next) this.#ask(n, about, gateway);
    $("why").hidden = !n || !gateway;
    $("why-all").disabled = !gateway || this.#asking.has(this.#name);
    this.#draw(n, gateway);
  }

  /** @param {Node} n @param {string} about @param {string} gateway */
  async #ask(n, about, gateway) {
    const again = this.#teller.near ? NEAR : FAR;
    this.#next = performance.now() + again;
    let told, failed = `${gateway} does not say what it knows of ${n.name}.`;
    try {
      told = await this.#teller.why(n.name);
    } catch (err) {
      failed = refusal(err);
    }
    if (about !== this.#about) return;
    [this.#told, this.#failed] = [told, told ? "" : failed];
    const since = Date.parse(told?.since ?? "");
    if (since && told?.state === n.state) this.#seen.learn(n.name, since, told.by);
    this.#changed();
    setTimeout(this.#changed, again);
  }

  /** @param {Node | undefined} n @param {string} gateway */
  #draw(n, gateway) {
    const told = this.#told;
    const shown = JSON.stringify([n?.name, gateway, this.#failed, told?.state, evidence(told), link(told)]);
    if (!n || shown === this.#shown) return;
    this.#shown = shown;
    const last = evidence(told).at(-1);
    write($("why-last"), last ? `${clock(new Date(last.until ?? last.at))} ${last.text}` : "");
    $("why-gateway").replaceChildren(...(told ? account(told, told.by) : [el("p", this.#failed || `${gateway} is asked what it knows of ${n.name}.`)]));
  }

  /** Asks all nodes, once. @param {string} name */
  async #askAll(name) {
    const others = $("why-others"), busy = el("p", "All nodes are asked…");
    others.replaceChildren(busy);
    this.#asking.add(name);
    $("why-all").disabled = true;
    const say = (/** @type {string} */ text) => name === this.#name && (write(busy, text));
    let count = 0;
    try {
      const silent = await this.#teller.ask("nanoring.why", name, undefined, (told, from) => {
        if (name !== this.#name) return false;
        if ((told.state || told.evidence?.length) && ++count <= MOST) {
          const one = document.createElement("details");
          one.append(el("summary", `${from}: ${is(told)}`), ...account(told, from));
          others.append(one);
        }
        return true;
      });
      const more = count > MOST ? `, of which ${MOST} are shown` : "", mute = silent.length > MOST ? [...silent.slice(0, MOST), "…"] : silent;
      say(`${count === 1 ? "1 node knows" : `${count} nodes know`} something of it${more}.${mute.length ? ` No answer from ${mute.join(", ")}.` : ""}`);
    } catch (err) {
      say(refusal(err));
    } finally {
      this.#asking.delete(name);
      this.#changed();
    }
  }
}

/** Why nodes cannot be asked. @param {unknown} err */
export function refusal(err) {
  const { code, message } = /** @type {import("../lib/nanoring.js").RingError} */ (err);
  return sentence(message) + (code === "forbidden" ? " One that lets this tab ask nodes is made with --send 'nanoring.*'." : "");
}

/** What a node holds another for. @param {Told} told */
function is({ state, since }) {
  if (!state) return "it does not belong to the ring";
  const at = Date.parse(since ?? "");
  return at ? `${state} since ${day(new Date(at))}` : state;
}

/** @param {Told | undefined} told */
function link(told) {
  const { trip_micros: trip = 0, silent_millis: silent = -1 } = told?.link ?? {};
  if (silent < 0) return "no connection with it";
  return `connected with it, heard ${(silent / 1000).toFixed(1)} s ago${trip ? `, there and back in ${(trip / 1000).toFixed(1)} ms` : ""}`;
}

/** What an answer has, which may be anything. @param {Told | undefined} told */
function evidence(told) {
  return Array.isArray(told?.evidence) ? told.evidence.slice(-MOST) : [];
}

/** All that a node tells, in words. @param {Told} told @param {string} from */
function account(told, from) {
  const list = el("ol", "");
  list.append(...evidence(told).toReversed().map(({ at, until, text }) => {
    const item = el("li", ""), time = el("time", clock(new Date(until ?? at)));
    if (until) hint(time, `from ${clock(new Date(at))} on`);
    item.append(time, el("span", String(text)));
    return item;
  }));
  const none = list.childElementCount ? "" : ". Nothing happened to it lately";
  return [el("p", `${from}: ${is(told)}; ${told.name === from ? "it is that node itself" : link(told)}${none}.`), list];
}
