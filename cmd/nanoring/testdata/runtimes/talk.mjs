// A program of two guests of a ring of two, which loses dev1 when it says so.
import { join } from "nanoring";

globalThis.WebSocket ??= (await import("ws")).WebSocket; // Node.js 20 has none

const [one, two] = process.argv.slice(2);
const alice = await join({ gateways: [one], name: "alice", tags: { page: "cart" } }), bob = await join({ gateways: [two] });
const until = (is) => new Promise((done) => {
  const look = () => is() && done(offs.forEach((off) => off()));
  const offs = [alice, bob].flatMap((node) => [node.on("change", look), node.on("gateway", look)]);
  look();
});
await until(() => alice.up().length === 4 && bob.up({ tags: ["page=cart"] }).length === 1);
console.log(bob.name.slice(0, 3), bob.gateway.name);

const heard = bob.listen("chat.*");
const hear = async () => {
  const { from, topic, text } = (await heard.next()).value;
  console.log(from, topic, text);
};
while ((await alice.tell(bob.name, "chat.private", "psst").catch((error) => error.code)) === "nobody"); // its gateway has not heard yet that it listens
await hear();
await alice.send("chat.lobby", "hello");
await hear();

console.log("kill dev1");
await until(() => alice.gateway?.name === "dev2");
await alice.send("chat.lobby", "here again");
await hear();
await Promise.all([alice.leave(), bob.leave()]);
console.log("left");
