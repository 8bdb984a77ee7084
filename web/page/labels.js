// Sets the tags of this tab, and of the node that serves this page: of others' each says its own.

import { sentence } from "./operate.js";
import { $ } from "./panel.js";
import { session } from "./session.js";
import { el, write } from "./text.js";

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */
/** @typedef {import("../lib/nanoring.js").NodeInfo} NodeInfo */

export class Labels {
  /** The node that serves this page, if that is known. */
  #serving = "";
  /** @type {NodeInfo | undefined} */
  #of;
  /** Its tags as they were when they were shown. @type {Record<string, string>} */
  #was = {};

  /**
   * @param {() => RingNode | null} ring this tab's node
   * @param {(text: string, undo: () => Promise<void>) => void} done told what came of it
   */
  constructor(ring, done) {
    this.ring = ring;
    this.done = done;
    this.dialog = /** @type {HTMLDialogElement} */ (/** @type {HTMLElement} */ ($("labels")));
    $("labels-cancel").addEventListener("click", () => this.dialog.close());
    $("labels-form").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#save();
    });
  }

  /** @param {NodeInfo} n */
  async edit(n) {
    this.#of = n;
    this.#was = n.tags;
    const node = this.ring();
    if (n.name !== node?.name && !this.#serving) this.#serving = (await session.call("v1/status")).answer.name ?? "";
    const own = n.name === node?.name || n.name === this.#serving;
    write($("labels-title"), `Tags of ${n.name}`);
    $("labels-about").replaceChildren(...(own
      ? [n.name === node?.name ? "This tab has them as long as it is open. One on each line, KEY=VALUE:" : "They outlast a restart, but for those that it is started with. One on each line, KEY=VALUE:"]
      : elsewhere(n, this.#serving)));
    $("labels-text").value = Object.entries(n.tags).filter(([, value]) => !value.includes("\n")).sort().map((tag) => tag.join("=")).join("\n");
    $("labels-text").hidden = $("labels-save").hidden = !own;
    this.#say("");
    this.dialog.showModal();
  }

  /** @param {string} text what is wrong */
  #say(text) {
    write($("labels-says"), text);
  }

  async #save() {
    const n = /** @type {NodeInfo} */ (this.#of);
    /** @type {Record<string, string>} */
    const now = {};
    for (const line of $("labels-text").value.split("\n").filter((line) => line.trim())) {
      const at = line.indexOf("=");
      if (at < 1) return this.#say(`“${line.trim()}” is no KEY=VALUE.`);
      const key = line.slice(0, at).trim();
      if (Object.hasOwn(now, key)) return this.#say(`“${key}” is there twice.`);
      now[key] = line.slice(at + 1).trim();
    }
    const shown = Object.fromEntries(Object.entries(this.#was).filter(([, value]) => !value.includes("\n")));
    const patch = difference(shown, now);
    if (!Object.keys(patch).length) return this.dialog.close();
    $("labels-save").disabled = true;
    try {
      await this.#patch(n, patch);
      this.dialog.close();
      this.done(`The tags of ${n.name} are changed.`, () => this.#patch(n, difference(now, shown)));
    } catch (err) {
      this.#say(sentence(/** @type {Error} */ (err).message));
    } finally {
      $("labels-save").disabled = false;
    }
  }

  /** @param {NodeInfo} n @param {Record<string, string | null>} patch */
  async #patch(n, patch) {
    const node = this.ring();
    if (n.name === node?.name) return node.setTags(patch);
    const { ok, status, answer } = await session.call("v1/tags", { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify(patch) });
    if (status === 401) session.over("The operator's session is over: nanoring open, on the node's machine, makes another link.");
    if (!ok) throw new Error(answer.detail ?? "the node that serves this page does not answer");
  }
}

/** What there is to do where a node says its tags itself. @param {NodeInfo} n @param {string} serving @returns {(string | HTMLElement)[]} */
function elsewhere(n, serving) {
  const first = "A node says its tags itself, and this page is ";
  const text = serving ? `${first}${serving}'s. ` : `${first}another's. `;
  if (n.ephemeral) return [`${n.name} is a guest: its own page sets them. `];
  return [`${text}On its machine: `, el("code", "nanoring tags --set KEY=VALUE", "code"), n.address ? `, or open its page, at ${n.address}.` : "."];
}

/** What makes one of the other, as RFC 7396 has it. @param {Record<string, string>} from @param {Record<string, string>} to */
function difference(from, to) {
  const set = Object.entries(to).filter(([key, value]) => from[key] !== value);
  const drop = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  return /** @type {Record<string, string | null>} */ ({ ...Object.fromEntries(set), ...Object.fromEntries(drop.map((key) => [key, null])) });
}
