// Asks all nodes a question, or those that a filter picks, and shows the answers as they come.

import { sentence } from "./operate.js";
import { $ } from "./panel.js";
import { readable } from "./talk.js";
import { el, write } from "./text.js";

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */

const KEPT = 1000; // answers that are shown

export class Asking {
  /** Of the question that is under way. @type {import("../lib/nanoring.js").Answers | undefined} */
  #answers;
  #off = false;

  /** @param {() => RingNode | null} ring this tab's node */
  constructor(ring) {
    this.ring = ring;
    this.dialog = /** @type {HTMLDialogElement} */ (/** @type {HTMLElement} */ ($("asking")));
    $("ask-open").addEventListener("click", () => this.dialog.showModal());
    $("asking-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.#stop());
    $("asking-form").addEventListener("submit", (e) => {
      e.preventDefault();
      if (this.#answers) this.#stop();
      else this.#ask();
    });
  }

  #stop() {
    this.#off = true;
    this.#answers?.return();
  }

  async #ask() {
    const list = $("asking-list"), text = (/** @type {string} */ id) => $(id).value.trim();
    const tags = text("asking-tags").split(/\s+/).filter(Boolean), name = text("asking-name");
    list.replaceChildren();
    this.#off = false;
    this.#say("Asked; nobody has answered yet.");
    let count = 0;
    try {
      const answers = /** @type {RingNode} */ (this.ring()).ask(text("asking-topic"), $("asking-text").value, {
        timeout: Number($("asking-time").value) * 1000, to: { ...(tags.length && { tags }), ...(name && { name }) },
      });
      this.#answers = answers;
      write($("asking-ask"), "Stop");
      for await (const answer of answers) {
        count++;
        if (count <= KEPT) list.append(line(answer.from, readable(answer)));
        this.#say(`${many(count, "answer")} so far…`);
      }
      const off = this.#off;
      for (const [from, error] of answers.failed) list.append(line(from, error.message, "bad"));
      for (const from of off ? [] : answers.silent) list.append(line(from, "has not answered", "silent"));
      this.#say([off ? "Called off" : "Over", many(count, "answer"), count > KEPT ? `of which ${KEPT} are shown` : "", answers.failed.size ? `${answers.failed.size} could not` : "",
        !off && answers.silent.length ? `${answers.silent.length} silent` : ""].filter(Boolean).join(", ") + ".");
    } catch (err) {
      this.#say(sentence(/** @type {Error} */ (err).message), true);
    } finally {
      this.#answers = undefined;
      write($("asking-ask"), "Ask");
    }
  }

  /** @param {string} text @param {boolean} [bad] */
  #say(text, bad = false) {
    write($("asking-says"), text);
    $("asking-says").className = bad ? "bad" : "";
  }
}

/** @param {string} from @param {string} text @param {string} [how] */
function line(from, text, how = "") {
  const item = el("li", "", how);
  item.append(el("bdi", from), el("bdi", text, "text"));
  return item;
}

/** @param {number} n @param {string} what */
const many = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
