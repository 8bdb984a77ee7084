// The demo page: joins the ring as a guest, and shows it.

import { join } from "./nanoring.js";
import { STATES, mark } from "./glyph.js";
import { Log } from "./log.js";
import { $, Panel, el } from "./panel.js";
import { Ring } from "./ring.js";

/** @typedef {import("./nanoring.js").RingNode} RingNode */
/** @typedef {import("./nanoring.js").NodeInfo} NodeInfo */

const SETTLING = 2000; // ms after a gateway let this tab in, in which what it tells is no news
const PATIENCE = 1500; // ms without a gateway, in which another may be found, until the page says so
const ACK = 3; // the kind of frame that answers a round's gossip, which is 2 (docs/protocol.md, 3)

/** The marks of what befalls this tab. @type {Record<string, string>} */
const SIGNS = { joined: "up", stays: "up", fresh: "up", name: "up", lost: "suspect", skew: "suspect", stale: "unknown", refused: "down", leaving: "left" };

/** @type {RingNode | null} */
let node = null;
let chosen = ""; // the node whose details are shown; this tab when empty
let settled = 0;
let lostAt = 0;
let adding = false;
const frames = { sent: 0, received: 0 };
/** @type {Map<string, NodeInfo>} */
const known = new Map();
/** @type {[string, string][]} */
const ripples = [];

const log = new Log();
const ring = new Ring(/** @type {any} */ ($("drawing")), { choose, point: (name) => panel.point(name) });
const panel = new Panel(choose, (name) => ring.point(name));

// Life: joining, joined, ended or failed. Tests look at data-state and at window.nanoring.

/** @param {"joining" | "joined" | "ended" | "failed"} state */
function become(state) {
  document.documentElement.dataset.state = state;
  if (state !== "joined") document.documentElement.classList.remove("lost");
  draw();
}

async function start() {
  become("joining");
  answer("", "\u00a0");
  try {
    node = await join({ gateways: await gateways(), tags: { page: "demo" } });
  } catch (err) {
    failed(/** @type {any} */ (err));
    return;
  }
  Object.assign(window, { nanoring: node });
  known.clear();
  for (const n of node.all()) known.set(n.name, n);
  node.on("change", changed);
  node.on("gateway", atGateway);
  node.on("end", ended);
  node.on("frame", passed);
  node.on("log", ({ kind, text }) => kind !== "dial" && log.note(text, { state: SIGNS[kind], guest: true, aloud: kind === "lost" || kind === "joined" }));
  log.note(`Joined the ring ${node.ring} as ${node.name}, through ${node.gateway?.name}`, { state: "up", guest: true, aloud: true });
  settled = performance.now() + SETTLING;
  become("joined");
}

/** The page's own node first, then others, for when it dies. */
async function gateways() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const own = `${scheme}//${location.host}${new URL("ring", location.href).pathname}`; // beside this page, which may be under a path
  try {
    const answer = await fetch("v1/up", { signal: AbortSignal.timeout(2000) });
    /** @type {{nodes: NodeInfo[]}} */
    const { nodes } = await answer.json();
    return [own, ...nodes.filter((n) => n.address && n.address !== location.host).map((n) => `${scheme}//${n.address}/ring`)];
  } catch {
    return [own]; // joining says what is wrong
  }
}

/** @param {NodeInfo[]} nodes */
function changed(nodes) {
  for (const n of nodes) {
    const was = known.get(n.name);
    if (n.state === "removed") known.delete(n.name);
    else known.set(n.name, n);
    const news = node?.gateway && (performance.now() > settled || (was && (n.state === "suspect" || n.state === "down")));
    if (news && log.change(was, n, node?.name ?? "") && n.state !== "removed") ripples.push([n.name, n.state]);
  }
  draw();
}

/** @param {import("./nanoring.js").Gateway | null} gateway */
function atGateway(gateway) {
  lostAt = gateway ? 0 : performance.now();
  document.documentElement.classList.toggle("lost", !gateway);
  if (!gateway) setTimeout(draw, PATIENCE);
  if (gateway) settled = performance.now() + SETTLING;
  draw();
}

/** @param {import("./nanoring.js").RingError | null} err */
function ended(err) {
  if (err && err.code !== "removed" && err.code !== "name-taken") return failed(err);
  const [title, text, button] = !err
    ? ["This tab has left the ring", "The other nodes know it. What is drawn is how the ring was then.", "Join again"]
    : err.code === "removed"
      ? [`This tab was removed from the ring ${node?.ring ?? ""} by an operator`, `Its name, ${node?.name}, cannot join again; a new one can.`, "Join under a new name"]
      : ["Another node has this name", sentence(err.message), "Join under a new name"];
  log.note(title, { state: "left", guest: true });
  tell(title, text, button);
  become("ended");
}

/** @param {import("./nanoring.js").RingError} err */
function failed(err) {
  console.info("nanoring:", err);
  log.note(sentence(err.message), { state: "down", guest: true });
  tell(node ? "This tab is no node any more" : "This tab could not join the ring", sentence(err.message), err.retryable === false ? "" : "Try again");
  become("failed");
}

/** @param {string} title @param {string} text @param {string} button */
function tell(title, text, button) {
  if (!$("message").hidden && $("message-title").textContent === title) return; // a screen reader has said it
  $("message").hidden = false;
  $("message-title").textContent = title;
  $("message-text").textContent = text;
  $("message-button").textContent = button;
  $("message-button").hidden = !button;
}

/** @param {import("./nanoring.js").Frame} frame */
function passed({ sent, bytes }) {
  frames[sent ? "sent" : "received"]++;
  if (document.hidden) return;
  ring.pulse(sent, (bytes[1] ?? 0) > ACK);
  $("traffic").textContent = `frames: ${frames.sent} sent, ${frames.received} received`;
}

// What is shown.

/** @type {ReturnType<typeof setTimeout> | undefined} */
let late;

/** Draws with the browser's next picture; a hidden tab, which has none, does so a little later. */
function draw() {
  if (late) return;
  const once = () => {
    if (!late) return;
    clearTimeout(late);
    late = undefined;
    show();
  };
  late = setTimeout(once, 300);
  requestAnimationFrame(once);
}

function show() {
  const state = document.documentElement.dataset.state;
  const nodes = node?.all() ?? [];
  const durable = nodes.filter((n) => !n.ephemeral).length;
  const up = node?.up().filter((n) => !n.ephemeral).length ?? 0;
  const tabs = (node?.up().length ?? 0) - up;
  const and = tabs === 1 ? "1 tab" : `${tabs} tabs`;
  const self = node?.name ?? "";
  const gateway = node?.gateway?.name ?? "";
  if (!nodes.some((n) => n.name === chosen)) chosen = "";
  const marks = { self, gateway, chosen: chosen || self };
  const lost = state === "joined" && !gateway;
  const removed = state === "joined" && gateway && !nodes.some((n) => n.name === self);

  $("ring-name").textContent = node?.ring ?? "–";
  $("up-count").textContent = state === "joined" ? `${up} of ${durable} nodes, ${lost ? "as last heard" : and}` : "–";
  $("self-name").textContent = state === "joined" ? (removed ? `${self}, removed` : self) : "–";
  $("self-name").className = removed ? "lost" : "";
  $("gateway").textContent = lost ? "lost, coming back…" : (state === "joined" && gateway) || "–";
  $("gateway").className = lost ? "lost" : "";
  const count = el("b", String(up));
  count.append(el("span", ` of ${durable}`));
  $("centre").replaceChildren(...(state === "joining" ? ["joining…"] : node ? [count, `nodes are up, and ${and}`] : []));
  document.title = state === "joined" ? `${up} of ${durable} up · ${node?.ring}` : "NanoRing";
  $("nodes-title").textContent = lost ? "Nodes, as last heard" : "Nodes";
  enable("leave", state === "joined" && !removed);
  enable("add-button", state === "joined" && !lost && !adding);
  enable("remove", state === "joined" && !lost && nodes.some((n) => n.name === marks.chosen));
  if (lost && performance.now() >= lostAt + PATIENCE) {
    tell("This tab has lost the ring", "No node that it knows of answers. It goes on trying, and shows what it last heard. If the nodes were stopped, start one again; it comes back by itself.", "");
  } else if (removed) {
    tell("An operator removed this tab", "It ends in some seconds, unless it is added again before.", "");
  } else if (state === "joined" || state === "joining") {
    $("message").hidden = true;
  }

  // A tab that was closed is a member for a while: it is in the table.
  ring.show(nodes.filter((n) => !n.ephemeral || n.state !== "left"), marks);
  panel.show(nodes, marks);
  log.flush();
  for (const [name, to] of ripples.splice(0)) ring.ripple(name, to);
}

/** @param {string} name */
function choose(name) {
  chosen = name;
  draw();
  panel.reveal(name);
}

/** @param {string} button @param {boolean} able */
function enable(button, able) {
  /** @type {HTMLButtonElement} */ ($(button)).disabled = !able;
}

function legend() {
  const item = (/** @type {SVGElement} */ sign, /** @type {string} */ text, className = "") => {
    const li = el("li", "", className);
    li.append(sign, text);
    return li;
  };
  for (const state of Object.keys(STATES)) $("legend").append(item(mark(state, false), state));
  $("legend").append(item(mark("up", false), "durable", "gap"), item(mark("up", true), "guest"));
}

// What an operator does.

/** @param {string} text from an error @returns {string} */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/([^.!?])$/, "$1.");

/** @param {"" | "good" | "bad"} how @param {string} text */
function answer(how, text) {
  $("answer").className = how;
  $("answer").textContent = text;
}

/** @param {unknown} err why a change failed */
function why(err) {
  const { code, message } = /** @type {import("./nanoring.js").RingError} */ (err);
  const gateway = node?.gateway && new URL(node.gateway.url).host;
  const elsewhere = code === "unreachable" && gateway && gateway !== location.host;
  return sentence(message) + (elsewhere ? ` A page changes the ring through the node that it comes from: open the page of ${gateway} for that.` : "");
}

/** @param {SubmitEvent} e */
async function add(e) {
  e.preventDefault();
  const input = /** @type {HTMLInputElement} */ ($("add-address"));
  const typed = input.value.trim();
  const at = typed.indexOf("@");
  if (!node || !typed || /** @type {HTMLButtonElement} */ ($("add-button")).disabled) return;
  enable("add-button", !(adding = true));
  answer("", `Adding ${typed}…`);
  try {
    const added = await (at > 0 ? node.add(typed.slice(at + 1), typed.slice(0, at)) : node.add(typed));
    answer("good", `${added.name} at ${added.address} belongs to the ring.`);
    input.value = "";
  } catch (err) {
    answer("bad", why(err));
  } finally {
    adding = false;
    draw();
  }
}

function ask() {
  const name = chosen || node?.name || "";
  const n = known.get(name);
  if (!n) return;
  const what = name === node?.name
    ? "It is this tab, which then is no node any more."
    : n.ephemeral
      ? "It is a guest. Its page learns of it, and is no node any more."
      : "If it runs, it learns of it and ends 10 seconds later, unless it is added again before.";
  const dialog = /** @type {HTMLDialogElement} */ ($("confirm"));
  $("confirm-title").textContent = `Remove ${name} from the ring?`;
  $("confirm-text").textContent = what + (name === node?.gateway?.name ? " It is the gateway of this tab, which then looks for another." : "");
  $("confirm-remove").textContent = "Remove it";
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue === "remove" && remove(name);
  dialog.showModal();
}

/** @param {string} name */
async function remove(name) {
  answer("", `Removing ${name}…`);
  try {
    await node?.del(name);
    answer("good", `${name} does not belong to the ring any more.`);
  } catch (err) {
    answer("bad", why(err));
  }
}

$("leave").addEventListener("click", async () => {
  await node?.leave();
  $("message-button").focus();
});
$("message-button").addEventListener("click", async () => {
  await start();
  (document.documentElement.dataset.state === "joined" ? $("leave") : $("message-button")).focus();
});
$("add").addEventListener("submit", add);
$("remove").addEventListener("click", ask);
document.addEventListener("visibilitychange", draw);

legend();
start();
