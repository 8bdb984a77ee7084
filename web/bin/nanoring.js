#!/usr/bin/env node
// nanoring watch URL...: a node of a ring, in JavaScript, that says what it sees. It is one until Ctrl-C.

import { join } from "../lib/nanoring.js";

const usage = `usage: nanoring watch [--name NAME] [--ring RING] [--tag KEY=VALUE]... URL...

Joins a ring as a guest, through a node's WebSocket like ws://127.0.0.1:7001/ring, and says which nodes are up, until
Ctrl-C. Where gateways ask for a token, it is taken of the environment: NANORING_TOKEN.`;

/** @param {string} text */
const say = (text) => console.log(`${new Date().toTimeString().slice(0, 8)}  ${text}`);

/**
 * @param {string} message
 * @param {number} status
 * @returns {never}
 */
function fail(message, status) {
  console.error(`nanoring: ${message}`);
  process.exit(status);
}

/** @param {string[]} args */
function parse([command, ...args]) {
  if (command !== "watch") {
    fail(usage, 2);
  }
  /** @type {import("../lib/nanoring.js").Options & {gateways: string[], tags: Record<string, string>}} */
  const options = { gateways: [], tags: {}, token: process.env.NANORING_TOKEN };
  for (let arg; (arg = args.shift()) !== undefined; ) {
    const value = arg.startsWith("--") ? args.shift() ?? fail(`${arg} needs a value\n\n${usage}`, 2) : "";
    if (arg === "--name") options.name = value;
    else if (arg === "--ring") options.ring = value;
    else if (arg === "--tag") options.tags[value.split("=", 1)[0]] = value.slice(value.indexOf("=") + 1);
    else if (arg.startsWith("-")) fail(`there is no ${arg}\n\n${usage}`, 2);
    else options.gateways.push(arg);
  }
  return options;
}

const args = process.argv.slice(2);
if (args.some((arg) => arg === "--help" || arg === "-h")) {
  console.log(usage);
  process.exit(0);
}
const options = parse(args); // what is wrong with it is said where there is no WebSocket, too
if (typeof WebSocket !== "function") {
  fail("this Node.js has no WebSocket: take version 22 or later, or version 20 with NODE_OPTIONS=--experimental-websocket", 1);
}
try {
  const node = await join(options);
  say(`${node.name} is a node of the ring ${node.ring}, through ${node.gateway?.name} (Ctrl-C ends it)`);
  const told = new Map();
  /** @param {import("../lib/nanoring.js").NodeInfo[]} nodes */
  const tell = (nodes) => {
    for (const { name, state } of nodes) {
      if (told.get(name) !== state) {
        say(`${name} is ${state}`);
      }
      told.set(name, state);
    }
  };
  tell(node.all());
  node.on("change", tell);
  const unsay = node.on("gateway", (gateway) => say(gateway ? `${gateway.name} is its gateway` : "its gateway is lost; it looks for another"));
  node.on("end", (error) => error && fail(error.message, error.code === "removed" ? 4 : 1));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      unsay();
      node.leave().then(() => process.exit(0));
    });
  }
} catch (error) {
  const { code, message } = /** @type {import("../lib/nanoring.js").RingError} */ (error);
  const hint = code === "unauthorized" && !options.token ? "\nHere it is taken of the environment: NANORING_TOKEN." : "";
  fail(message + hint, code === "unreachable" ? 3 : code === "removed" ? 4 : code === "invalid" ? 2 : 1);
}
