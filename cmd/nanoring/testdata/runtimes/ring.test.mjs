import { RingError, join } from "nanoring";

test("a node is one in a test", async () => {
  const node = await join({ gateways: [process.env.GATEWAY] });
  const heard = node.listen("chat");
  await node.send("chat", "hello");
  expect((await heard.next()).value.text).toBe("hello");
  await node.send("chat", new Uint8Array([104, 105]));
  expect((await heard.next()).value.text).toBe("hi");
  await node.leave();
  await expect(join({ gateways: [] })).rejects.toBeInstanceOf(RingError);
}, 60_000);
