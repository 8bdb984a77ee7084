// A Worker that runs the nodes of a page, so that they live on when the browser slows the timers of a page that is hidden.
// remote.js is its other end.

import { Runtime } from "./runtime.js";

const MOST_UNREAD = 1024; // messages
const BUSY = 4012;

addEventListener("message", ({ data: gateways, ports: [port] }) => {
  /** @type {unknown[][]} */
  let batch = [];
  /** What comes of one input is one message. @type {(...message: unknown[]) => void} */
  const say = (...message) => {
    if (batch.push(message) === 1) {
      queueMicrotask(() => port.postMessage(batch.splice(0)));
    }
  };
  /** @type {{resolve: (token: string) => void, reject: (error: unknown) => void}[]} */
  const asked = [];

  // What a busy page has not taken in yet has a bound, which messages may reach. Beyond, they are lost.
  let unread = 0, lost = false;
  const hear = (/** @type {any} */ event) => {
    if (unread >= MOST_UNREAD) {
      lost = true;
      event.question && queueMicrotask(() => runtime.command("answer", 0, [], [BigInt(event.question), BUSY, ""]));
      return;
    }
    if (lost) {
      lost = false;
      say("event", { kind: "gap" });
    }
    unread++;
    say("event", event);
  };

  const runtime = new Runtime(gateways, {
    token: () => new Promise((resolve, reject) => {
      asked.push({ resolve, reject });
      say("token");
    }),
    dialing: (url) => say("dialing", url),
    opened: (url) => say("opened", url),
    closed: (failures, sentOn) => say("closed", failures, sentOn),
    event: (event) => event.kind === "heard" ? hear(event) : say("event", event),
    frame: (sent, bytes) => say("frame", sent, bytes),
    halted: (reason, text) => say("halted", reason, text),
    broke: (error) => say("broke", plain(error)),
  });

  /** @type {Record<string, (...args: any[]) => unknown>} */
  const does = {
    start: (module, settings) => runtime.start(module, settings).catch((error) => say("broke", plain(error))),
    stop: () => runtime.stop().then(() => say("stopped")),
    end: () => {
      runtime.end();
      port.close();
    },
    command: (name, id, texts, args) => runtime.command(name, id, texts, args),
    took: (messages) => (unread -= messages),
    accepted: (url, name) => runtime.accepted(url, name),
    hurry: () => runtime.hurry(),
    frames: (on) => (runtime.frames = on),
    token: (token, error) => (error ? asked.shift()?.reject(error) : asked.shift()?.resolve(token)),
  };
  port.onmessage = ({ data: [what, ...args] }) => does[what](...args);
});

/** An error, as far as a message can carry it. @param {any} error */
function plain({ name, code, message, retryable }) {
  return { name, code, message, retryable };
}

postMessage("ready");
