// A SharedWorker that has one node for all tabs of an origin. shared.js is their end.

import { Hub } from "./hub.js";

const hub = new Hub();

addEventListener("connect", (/** @type {any} */ { ports: [port] }) => hub.connect(port));
