// A node of a NanoRing ring in plain Node.js, 22 or later (20 with
// --experimental-websocket), that only dials out:
//
//   node node.mjs NAME DATA HOST:PORT [MODULE]
//
// joins the ring of the node at HOST:PORT and says what happens in it. DATA is a
// file, for what has to survive a restart. The ring's name is that of nodes that
// were given none, or $RING. Ctrl-C stops it: it stays a member.

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Engine, mono } from "./engine.mjs";

const [name, data, join, file = new URL("../../wasm/module/nanoring.wasm", import.meta.url)] = process.argv.slice(2);
if (!join) {
  console.error("usage: node node.mjs NAME DATA HOST:PORT [MODULE]");
  process.exit(2);
}

const lost = 1, unreachable = 3, slow = 4, tooBig = 1009;
const maxFrame = 256 * 1024, maxQueued = 4 * 1024 * 1024;
const sockets = new Map(); // those that the engine knows
let timer;

const effects = {
  dial(conn, addr) {
    const socket = new WebSocket(`ws://${addr}/ring`, "nanoring.v1");
    let over = unreachable; // what it is when it ends without a close frame
    const ended = (code) => sockets.delete(conn) && engine.input("closed", conn, code);
    sockets.set(conn, socket);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      over = lost;
      if (sockets.has(conn)) {
        engine.input("opened", conn, 0, "");
      }
    };
    socket.onmessage = ({ data }) => {
      if (!sockets.has(conn)) {
        return; // the engine has closed it
      }
      if (!(data instanceof ArrayBuffer) || data.byteLength > maxFrame) {
        socket.close();
        ended(tooBig);
        return;
      }
      engine.input("received", conn, new Uint8Array(data));
    };
    socket.onclose = ({ code }) => ended(code === 1006 ? over : code);
  },
  send(conn, frame) {
    const socket = sockets.get(conn);
    if (socket?.bufferedAmount > maxQueued) {
      sockets.delete(conn);
      socket.close();
      setImmediate(() => engine.input("closed", conn, slow)); // not within what the engine asked for
    } else {
      socket?.send(frame);
    }
  },
  close(conn, code, text) {
    const socket = sockets.get(conn);
    sockets.delete(conn);
    if (code === 1000 || code >= 3000) { // no other may be said by this API
      socket?.close(code, text.slice(0, 41)); // at most 123 bytes
    } else {
      socket?.close();
    }
  },
  dirty() {
    writeFileSync(`${data}.new`, engine.snapshot());
    renameSync(`${data}.new`, data);
  },
  event(e) {
    console.log(e.kind === "node" ? `${e.node.name} is ${e.node.state}` : JSON.stringify(e));
  },
  wake(at) {
    clearTimeout(timer);
    const early = () => (mono() < at ? effects.wake(at) : engine.input("tick")); // timers may be
    timer = setTimeout(early, Math.max(0, Number(at - mono()) / 1000));
  },
  halt(reason, text) {
    clearTimeout(timer);
    for (const socket of sockets.values()) {
      socket.close(1000);
    }
    sockets.clear();
    if (reason === 2 || reason === 3) { // it left, or was removed
      rmSync(data, { force: true });
    }
    console.log(`halted: ${["", "stopped", "left", "removed", "its name is taken"][reason]} ${text}`.trim());
    process.exitCode = reason <= 2 ? 0 : reason === 3 ? 4 : 1;
  },
};

const engine = await Engine.make(readFileSync(file), effects);
const random = crypto.getRandomValues(new BigInt64Array(2));
const settings = [
  ["ring", process.env.RING ?? "nanoring"], ["name", name], ["join", join], ["tag:host", "node.js"],
  ["seed", random[0]], ["instance-start", BigInt(Date.now()) * 1000n], ["instance-nonce", random[1]],
];
try {
  settings.push(["snapshot", readFileSync(data)]);
} catch (error) {
  if (error.code !== "ENOENT") {
    throw error;
  }
}
engine.create(settings);
process.on("SIGINT", () => engine.input("stop", 0n)).on("SIGTERM", () => engine.input("stop", 0n));
engine.input("start");
