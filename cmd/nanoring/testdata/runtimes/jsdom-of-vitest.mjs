import { WebSocket } from "ws";
globalThis.WebSocket = WebSocket;
