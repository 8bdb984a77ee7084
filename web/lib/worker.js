// A Worker that runs the nodes of a page, so that they live on when the browser slows the timers of a page that is hidden.
// remote.js is its other end.

import { Line, plain } from "./line.js";
import { Runtime } from "./runtime.js";

const MOST_UNREAD = 1024; // messages
const BUSY = 4012;

addEventListener("message", ({ data: [gateways, module], ports: [port] }) => {
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
      line.say("event", { kind: "gap" });
    }
    unread++;
    line.say("event", event);
  };

  const runtime = new Runtime(gateways, {
    token: () => line.ask("token"),
    dialing: (url) => line.say("dialing", url),
    opened: (url) => line.say("opened", url),
    closed: (failures, sentOn) => line.say("closed", failures, sentOn),
    event: (event) => event.kind === "heard" ? hear(event) : line.say("event", event),
    frame: (sent, bytes) => line.say("frame", sent, bytes),
    halted: (reason, text) => line.say("halted", reason, text),
    broke: (error) => line.say("broke", plain(error)),
  });

  const line = new Line(port, {
    start: (settings) => runtime.start(module, settings),
    stop: () => runtime.stop(),
    end: () => {
      runtime.end();
      line.end();
    },
    command: (name, id, texts, args) => runtime.command(name, id, texts, args),
    took: (messages) => (unread -= messages),
    accepted: (url, name) => runtime.accepted(url, name),
    hurry: () => runtime.hurry(),
    frames: (on) => (runtime.frames = on),
  });
});

postMessage("ready");
