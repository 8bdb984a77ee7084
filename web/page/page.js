// The demo page: joins the ring as a guest, and shows it.

import { join } from "../lib/nanoring.js";
import { Conditions } from "./conditions.js";
import { Drawing } from "./drawing.js";
import { STATES, mark } from "./glyph.js";
import { History } from "./history.js";
import { invite } from "./invite.js";
import { Log } from "./log.js";
import { Lookup } from "./lookup.js";
import { Operate, sentence } from "./operate.js";
import { $, Panel, clock, role, say } from "./panel.js";
import { Reason } from "./reason.js";
import { Rollout } from "./rollout.js";
import { search } from "./search.js";
import { Seen } from "./seen.js";
import { Locked, oneLine, session } from "./session.js";
import { tabs } from "./tabs.js";
import { Talk } from "./talk.js";
import { Teller } from "./teller.js";
import { el, legible, write, writeLines } from "./text.js";
import { Why } from "./why.js";
import { words } from "./words.js";

/** @typedef {import("../lib/nanoring.js").RingNode} RingNode */
/** @typedef {import("../lib/nanoring.js").NodeInfo} NodeInfo */

const REST = 4; // times as long as what is shown took to make, until it is made again
const PATIENCE = 1500; // ms without a gateway, in which another may be found, until the page says so
const ACK = 3; // the kind of frame that answers a round's gossip, which is 2 (docs/protocol.md, 3)

/** The marks of what befalls this tab. @type {Record<string, string>} */
const SIGNS = { joined: "up", stays: "up", fresh: "up", name: "up", lost: "suspect", skew: "suspect", stale: "unknown", refused: "down", unreachable: "suspect", leaving: "left" };

/** @type {RingNode | null} */
let node = null;
let chosen = ""; // the node whose details are shown; this tab when empty
let lostAt = 0;
const frames = { sent: 0, received: 0 };
/** @type {[string, string][]} */
const ripples = [];

const log = new Log();
const ring = new Drawing({ choose, point: (name) => panel.table.point(name) });
const history = new History();
const seen = new Seen(() => node?.all() ?? [], tellOf);
const reason = new Reason(() => node, draw);
const teller = new Teller(() => node);
const why = new Why(teller, seen, draw);
const conditions = new Conditions(teller);
const panel = new Panel(history, choose, (name) => ring.point(name), (n) => reason.of(n), since, draw);
const operate = new Operate(() => node, draw);
const lookup = new Lookup(draw, choose);
const talk = new Talk(() => node, draw);
const rollout = new Rollout(teller, draw);

// Life: joining, joined, ended or failed. Tests look at data-state and at window.nanoring.

/** @param {"joining" | "joined" | "ended" | "failed"} state */
function become(state) {
  document.documentElement.dataset.state = state;
  if (state !== "joined") document.documentElement.classList.remove("lost");
  conditions.look(node?.gateway?.name ?? "");
  draw();
}

/** @type {Promise<void> | undefined} */
let starting;

/** Joins, once at a time. */
function start() {
  return (starting ??= enter().finally(() => (starting = undefined)));
}

async function enter() {
  become("joining");
  operate.answer("", "\u00a0");
  const tags = Object.fromEntries(new URLSearchParams(location.hash.slice(1)).getAll("tag").map((tag) => tag.split(/=(.*)/s, 2)));
  try {
    const token = await session.enter();
    node = await join({ gateways: [new URL("ring", location.href)], tags, token, operator: () => session.token });
  } catch (err) {
    if (err instanceof Locked) {
      tell(err.title, err.message, err.button, err.code);
      become("failed");
    } else failed(/** @type {any} */ (err));
    return;
  }
  Object.assign(window, { nanoring: node });
  talk.listen();
  seen.begin();
  node.on("change", changed);
  node.on("gateway", atGateway);
  node.on("end", ended);
  node.on("frame", passed);
  node.on("log", ({ kind, text }) => kind !== "dial" && log.note(text, { state: SIGNS[kind], guest: true, aloud: kind === "lost" || kind === "joined" }));
  log.note(`Joined the ring ${node.ring} as ${node.name}, through ${node.gateway?.name}`, { state: "up", guest: true, aloud: true });
  become("joined");
}

/** @param {NodeInfo[]} nodes */
function changed(nodes) {
  if (node?.gateway) nodes.forEach((n) => seen.see(n));
  draw();
}

/** @param {NodeInfo} n @param {NodeInfo | undefined} was @param {boolean} news */
function tellOf(n, was, news) {
  if (n.state === "removed") history.forget(n.name);
  else history.note(n.name, n.state);
  if (news && log.change(was, n, node?.name ?? "") && n.state !== "removed") ripples.push([n.name, n.state]);
  draw();
}

/** @param {NodeInfo} n @returns {import("./seen.js").Since} */
function since(n) {
  return n.name === node?.name && n.since ? { at: n.since / 1000, began: true, by: "" } : seen.since(n); // this tab knows it of itself
}

/** @param {import("../lib/nanoring.js").Gateway | null} gateway */
function atGateway(gateway) {
  lostAt = gateway ? 0 : performance.now();
  document.documentElement.classList.toggle("lost", !gateway);
  if (gateway) {
    for (const n of node?.all() ?? []) history.note(n.name, n.state);
    seen.arrive();
  } else {
    setTimeout(draw, PATIENCE);
    history.pause();
    seen.lose();
  }
  conditions.look(gateway?.name ?? "");
  draw();
}

/** @param {import("../lib/nanoring.js").RingError | null} err */
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

/** @param {import("../lib/nanoring.js").RingError} err */
function failed(err) {
  console.info("nanoring:", err);
  log.note(sentence(err.message), { state: "down", guest: true });
  tell(node ? "This tab is no node any more" : "This tab could not join the ring", sentence(err.message), err.retryable === false ? "" : "Try again");
  become("failed");
}

/** @param {string} title @param {string} text @param {string} button @param {string} [code] for a shell */
function tell(title, text, button, code = "") {
  if (!$("message").hidden && $("message-title").textContent === legible(title)) return; // a screen reader has said it
  $("message").hidden = false;
  write($("message-title"), title);
  write($("message-text"), text);
  writeLines($("message-code"), code.split("\n"));
  $("message-code").hidden = !code;
  write($("message-button"), button);
  $("message-button").hidden = !button;
}

/** @param {import("../lib/nanoring.js").Frame} frame */
function passed({ sent, bytes }) {
  frames[sent ? "sent" : "received"]++;
  if (document.hidden) return;
  ring.pulse(sent, (bytes[1] ?? 0) > ACK);
  write($("traffic"), `frames: ${frames.sent} out, ${frames.received} in`);
}

// What is shown.

/** @type {ReturnType<typeof setTimeout> | undefined} */
let late;

let rested = 0; // when there is time for the next

/**
 * Draws with the browser's next picture; a hidden tab, which has none, does so a little later. Where it takes long, of
 * thousands, it leaves time for what moves.
 */
function draw() {
  if (late) return;
  const once = () => {
    if (!late) return;
    clearTimeout(late);
    late = undefined;
    show();
  };
  late = setTimeout(once, 300);
  const rest = rested - performance.now();
  if (rest > 0) setTimeout(() => requestAnimationFrame(once), rest);
  else requestAnimationFrame(once);
}

function show() {
  const began = performance.now();
  const state = document.documentElement.dataset.state;
  const nodes = node?.all() ?? [];
  const durable = nodes.filter((n) => !n.ephemeral).length;
  const alive = nodes.filter((n) => n.state === "up" || n.state === "suspect");
  const up = alive.filter((n) => !n.ephemeral).length, guests = alive.length - up;
  const and = guests === 1 ? "1 tab" : `${guests} tabs`;
  const self = node?.name ?? "";
  const gateway = node?.gateway?.name ?? "";
  if (!nodes.some((n) => n.name === chosen)) chosen = "";
  const marks = { self, gateway, chosen: chosen || self };
  const lost = state === "joined" && !gateway;
  const removed = state === "joined" && gateway && !nodes.some((n) => n.name === self);

  say("ring-name", node?.ring ?? "–");
  say("up-count", state === "joined" ? `${up} of ${durable}${lost ? ", as last heard" : ` nodes, ${and}`}` : "–");
  say("self-name", state === "joined" ? (removed ? `${self}, removed` : self) : "–");
  $("self-name").className = removed ? "lost" : "";
  say("gateway", lost ? "lost, coming back…" : (state === "joined" && gateway) || "–");
  $("gateway").className = lost ? "lost" : "";
  centre(state === "joining" ? ["joining…"] : node ? [String(up), ` of ${durable}`, `nodes are up, and ${and}`] : []);
  const title = legible(state === "joined" ? `${up} of ${durable} up · ${node?.ring}` : "NanoRing");
  if (document.title !== title) document.title = title;
  say("nodes-title", lost ? "Nodes, as last heard" : "Nodes");
  enable("leave", state === "joined" && !removed);
  enable("add-button", state === "joined" && !lost && !operate.busy);
  enable("talk-send", state === "joined" && !lost);
  const shown = nodes.find((n) => n.name === marks.chosen);
  enable("remove", state === "joined" && !lost && !!shown);
  enable("cordon", state === "joined" && !lost && !operate.busy && (shown?.state === "up" || shown?.state === "suspect"));
  $("cordon").hidden = !shown || shown.ephemeral;
  enable("labels-open", state === "joined" && !lost && !!shown);
  enable("prune-open", state === "joined" && !lost);
  enable("ask-open", state === "joined" && !lost);
  $("session").hidden = !session.token;
  say("session-until", session.token ? `operator until ${clock(session.until).slice(0, 5)}` : "");
  say("cordon", shown?.cordoned ? "Uncordon" : "Cordon");
  if (lost && performance.now() >= lostAt + PATIENCE) {
    tell("This tab has lost the ring", "No node that it knows of answers. It goes on trying, and shows what it last heard. If the nodes were stopped, start one again; it comes back by itself.", "");
  } else if (removed) {
    tell("An operator removed this tab", "It ends in some seconds, unless it is added again before.", "");
  } else if (state === "joined" || state === "joining") {
    $("message").hidden = true;
  }

  // A tab that was closed is a member for a while: it is in the table.
  lookup.show(node);
  ring.show(nodes.filter((n) => !n.ephemeral || n.state !== "left"), { ...marks, owners: lookup.owners });
  why.show(shown, state === "joined" ? gateway : "", chosen !== "");
  panel.show(nodes, marks, search(node, $("search").value, (n) => role(n, marks)));
  log.flush();
  talk.flush();
  rollout.show(nodes, state === "joined" && !lost);
  for (const [name, to] of ripples.splice(0)) ring.ripple(name, to);
  rested = performance.now() + REST * (performance.now() - began);
}

/** What stands in the middle of the ring: how many are up, of how many, and a line; or a line alone. @param {string[]} texts */
function centre(texts) {
  if (texts.join() === $("centre").dataset.texts) return;
  $("centre").dataset.texts = texts.join();
  const line = texts.at(-1) ?? "";
  if (texts.length < 2) return $("centre").replaceChildren(line);
  const count = el("b", texts[0]);
  count.append(el("span", texts[1]));
  $("centre").replaceChildren(count, line);
}

/** @param {string} name */
const of = (name) => node?.all().find((n) => n.name === name);

/** @param {string} name */
function choose(name) {
  chosen = name;
  draw();
  panel.reveal(of(name));
}

/** @param {string} button @param {boolean} able */
function enable(button, able) {
  $(button).disabled = !able;
}

function legend() {
  const item = (/** @type {SVGElement} */ sign, /** @type {string} */ text, className = "") => {
    const li = el("li", "", className);
    li.append(sign, text);
    return li;
  };
  for (const state of Object.keys(STATES)) $("legend").append(item(mark(state, false), state));
  $("legend").append(item(mark("up", false), "durable", "gap"), item(mark("up", true), "guest"), item(mark("up", false, true), "cordoned"));
}

$("leave").addEventListener("click", async () => {
  await node?.leave();
  $("message-button").focus();
});
$("message-button").addEventListener("click", async () => {
  await start();
  (document.documentElement.dataset.state === "joined" ? $("leave") : $("message-button")).focus();
});
$("remove").addEventListener("click", () => {
  const n = of(chosen || node?.name || "");
  if (n) operate.ask(n);
});
$("cordon").addEventListener("click", () => {
  const n = of(chosen);
  if (n) operate.cordon(n.name, !n.cordoned);
});
$("labels-open").addEventListener("click", () => {
  const n = of(chosen || node?.name || "");
  if (n) operate.labels.edit(n);
});
addEventListener("hashchange", () => { // with another token, or a link for an operator
  if (["failed", "ended"].includes(document.documentElement.dataset.state ?? "")) start();
  else session.enter().catch((err) => operate.answer("bad", oneLine(err)));
});
$("search").addEventListener("input", draw);
$("search").addEventListener("keydown", (e) => {
  if (e.key !== "Enter") return;
  show(); // what was typed just now is searched for
  if (panel.only) choose(panel.only);
});
setInterval(() => {
  if (document.hidden) return;
  panel.table.tick();
  conditions.look(node?.gateway?.name ?? "");
}, 5000);
invite(() => [...new Set([new URL("ring", location.href.replace(/^http/, "ws")).href, node?.gateway?.url ?? ""])].filter(Boolean));
tabs(() => {
  talk.listen();
  draw();
});
document.addEventListener("visibilitychange", draw);

legend();
words();
start();
