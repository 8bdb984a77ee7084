// The one script of both kinds of Workers, so that a bundler has nothing to share between two: a page's own Worker, which runs its
// nodes, so that they live on when the browser slows the timers of a page that is hidden (remote.js is its other end); and the
// SharedWorker that has one node for all tabs of an origin (shared.js is their end).

import { Backlog } from "./backlog.js";
import { Hub } from "./hub.js";
import { Line, plain } from "./line.js";
import { Runtime } from "./runtime.js";

const BUSY = 4012;

if ("onconnect" in self) {
  const hub = new Hub();
  addEventListener("connect", (/** @type {any} */ { ports: [port] }) => hub.connect(port));
} else {
  addEventListener("message", ({ data: [gateways, module], ports: [port] }) => {
    const backlog = new Backlog((event) => line.say("event", event), (question) => {
      queueMicrotask(() => runtime.command("answer", 0, [], [BigInt(question), BUSY, ""]));
    });
    const runtime = new Runtime(gateways, {
      token: () => line.ask("token"),
      dialing: (url) => line.say("dialing", url),
      opened: (url) => line.say("opened", url),
      closed: (failures, sentOn) => line.say("closed", failures, sentOn),
      event: (event) => event.kind === "heard" ? backlog.hear(event) : line.say("event", event),
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
      took: (messages) => backlog.took(messages),
      accepted: (url, name) => runtime.accepted(url, name),
      hurry: () => runtime.hurry(),
      frames: (on) => (runtime.frames = on),
    });
  });
  postMessage("ready");
}
