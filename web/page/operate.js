// What an operator does from the page: add, remove and cordon nodes, each with a way back. Tags are in labels.js, questions in
// asking.js, and what removes many in prune.js.

import { Asking } from "./asking.js";
import { Labels } from "./labels.js";
import { $ } from "./panel.js";
import { Prune } from "./prune.js";
import { session } from "./session.js";
import { el, write } from "./text.js";

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */
/** @typedef {import("../lib/nanoring.js").NodeInfo} NodeInfo */

/** @param {string} text from an error @returns {string} */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/([^.!?])$/, "$1.");

export class Operate {
  /** Whether an add is under way. */
  busy = false;

  /**
   * @param {() => RingNode | null} ring this tab's node
   * @param {() => void} changed what can be done now may be something else
   */
  constructor(ring, changed) {
    this.ring = ring;
    this.changed = changed;
    this.labels = new Labels(ring, (text, undo) => this.answer("good", text, () => this.#undo(undo)));
    this.asking = new Asking(ring);
    this.prune = new Prune((removed, text, failed) => {
      const back = removed.filter((n) => n.address);
      this.answer(failed ? "bad" : "good", text, back.length ? () => this.#undo(async () => {
        for (const { address, name } of back) await this.ring()?.add(address, name);
      }) : undefined);
    });
    session.changed = (text) => {
      if (text) this.answer("bad", text);
      changed();
    };
    $("session-end").addEventListener("click", () => session.end());
    $("add").addEventListener("submit", (e) => {
      e.preventDefault();
      const typed = $("add-address").value.trim(), at = typed.indexOf("@");
      if (typed && !$("add-button").disabled) this.add(typed.slice(at + 1), at > 0 ? typed.slice(0, at) : undefined);
    });
  }

  /**
   * Says what came of it.
   * @param {"" | "good" | "bad"} how @param {string} text @param {() => void} [undo]
   */
  answer(how, text, undo) {
    $("answer").className = how;
    write($("answer"), text);
    if (!undo) return;
    const button = el("button", "Undo");
    button.type = "button";
    button.addEventListener("click", undo, { once: true });
    $("answer").append(" ", button);
  }

  /** @param {() => Promise<void>} undo */
  async #undo(undo) {
    this.answer("", "Taking it back…");
    try {
      await undo();
      this.answer("good", "It is as it was.");
    } catch (err) {
      this.answer("bad", this.why(err));
    }
  }

  /** @param {string} address @param {string} [name] */
  async add(address, name) {
    this.busy = true;
    this.changed();
    this.answer("", `Adding ${name ?? address}…`);
    try {
      const added = await this.ring()?.add(address, name);
      if (!added) return;
      this.answer("good", `${added.name} at ${added.address} belongs to the ring.`, () => this.remove(added));
      $("add-address").value = "";
    } catch (err) {
      this.answer("bad", this.why(err));
    } finally {
      this.busy = false;
      this.changed();
    }
  }

  /** @param {string} name @param {boolean} on whether it is to be cordoned, or not any more */
  async cordon(name, on) {
    this.busy = true;
    this.changed();
    this.answer("", `${on ? "Cordoning" : "Uncordoning"} ${name}…`);
    try {
      await (on ? this.ring()?.cordon(name) : this.ring()?.uncordon(name));
      this.answer("good", on ? `${name} is cordoned: it is up, and given nothing new.` : `${name} is cordoned no more.`, () => this.cordon(name, !on));
    } catch (err) {
      this.answer("bad", this.why(err));
    } finally {
      this.busy = false;
      this.changed();
    }
  }

  /** Asks whether a node shall be removed. @param {NodeInfo} n */
  ask(n) {
    const node = this.ring();
    const what = n.name === node?.name
      ? "It is this tab, which then is no node any more."
      : n.ephemeral
        ? "It is a guest. Its page learns of it, and is no node any more."
        : "If it runs, it learns of it and ends 10 seconds later, unless it is added again before.";
    const dialog = /** @type {HTMLDialogElement} */ (/** @type {HTMLElement} */ ($("confirm")));
    write($("confirm-title"), `Remove ${n.name} from the ring?`);
    write($("confirm-text"), what + (n.name === node?.gateway?.name ? " It is the gateway of this tab, which then looks for another." : ""));
    write($("confirm-remove"), "Remove it");
    dialog.returnValue = "";
    dialog.onclose = () => dialog.returnValue === "remove" && this.remove(n);
    dialog.showModal();
  }

  /** @param {NodeInfo} n */
  async remove(n) {
    this.answer("", `Removing ${n.name}…`);
    try {
      await this.ring()?.del(n.name);
      this.answer("good", `${n.name} does not belong to the ring any more.`, n.address ? () => this.add(n.address, n.name) : undefined);
    } catch (err) {
      this.answer("bad", this.why(err));
    }
  }

  /** @param {unknown} err why a change failed */
  why(err) {
    const { code, message } = /** @type {import("../lib/nanoring.js").RingError} */ (err);
    if (code === "unauthorized" && session.token) session.over("");
    if (code === "unauthorized") return "The operator's session is over: nanoring open, on the node's machine, makes another link.";
    const at = this.ring()?.gateway?.url;
    const gateway = at && new URL(at).host;
    const elsewhere = code === "unreachable" && gateway && gateway !== location.host;
    return sentence(message) + (elsewhere ? ` A page changes the ring through the node that it comes from: open the page of ${gateway} for that.` : "");
  }
}
