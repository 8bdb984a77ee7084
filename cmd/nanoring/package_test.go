package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nanoring/nanoring/wasm/module"
)

// packed installs the npm package, as it would be published, in a folder of its own,
// which it returns, with the tarball.
func packed(t *testing.T) (folder string, files []string) {
	t.Helper()
	tarball.once.Do(func() { pack(t) })
	if tarball.path == "" {
		t.Fatal("there is no package: another test has failed to make it")
	}
	folder = t.TempDir()
	modules := filepath.Join(folder, "node_modules")
	must(t, os.Mkdir(modules, 0o777))
	must(t, os.Symlink(tarball.path, filepath.Join(folder, filepath.Base(tarball.path))))
	command(t, folder, "tar", "-xzf", tarball.path)
	must(t, os.Rename(filepath.Join(folder, "package"), filepath.Join(modules, "nanoring")))
	return folder, tarball.files
}

// tarball is the package, which is made once for all tests, and goes when they end.
var tarball struct {
	once  sync.Once
	path  string
	files []string
}

func pack(t *testing.T) {
	t.Helper()
	nanoring, err := exec.LookPath("nanoring")
	must(t, err)
	folder := filepath.Join(filepath.Dir(nanoring), "package")
	// npm pack makes what is packed in the package's folder: not in everyone's.
	web := filepath.Join(folder, "checkout", "web")
	must(t, os.MkdirAll(web, 0o777))
	entries, err := os.ReadDir("../../web")
	must(t, err)
	for _, e := range entries {
		if e.Name() == "node_modules" && *allBundlers {
			continue // as in a fresh clone
		} else if e.Name() == "node_modules" {
			tools, err := filepath.Abs("../../web/node_modules")
			must(t, err)
			must(t, os.Symlink(tools, filepath.Join(web, e.Name())))
		} else if e.IsDir() {
			must(t, os.CopyFS(filepath.Join(web, e.Name()), os.DirFS(filepath.Join("../../web", e.Name()))))
		} else {
			b, err := os.ReadFile(filepath.Join("../../web", e.Name()))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(web, e.Name()), b, 0o666))
		}
	}
	must(t, os.MkdirAll(filepath.Join(folder, "checkout", "wasm", "module"), 0o777))
	must(t, os.WriteFile(filepath.Join(folder, "checkout", "wasm", "module", "nanoring.wasm"), module.Wasm, 0o666))
	license, err := os.ReadFile("../../LICENSE")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, "checkout", "LICENSE"), license, 0o666))

	var packs []struct {
		Filename string
		Files    []struct{ Path string }
	}
	out := command(t, web, "npm", "pack", "--json", "--pack-destination", folder)
	must(t, json.Unmarshal(out[bytes.IndexByte(out, '['):], &packs))
	for _, f := range packs[0].Files {
		tarball.files = append(tarball.files, f.Path)
	}
	tarball.path = filepath.Join(folder, packs[0].Filename)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var out, complaints bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &out, &complaints)
	}
	return out.Bytes()
}

const typed = `
import { join, RingError, type NodeInfo, type Gateway, type Filter, type Message } from "nanoring";

const node = await join({ gateways: ["ws://127.0.0.1:7001/ring"], tags: { a: "b" }, token: async () => "a" });
const names: string[] = node.up().map((n: NodeInfo) => n.name);
const off: () => void = node.on("change", (nodes) => names.push(...nodes.map((n) => n.name)));
node.on("gateway", (gateway: Gateway | null) => gateway?.url.length);
node.on("end", (error) => error && error.code + error.number);
node.on("frame", ({ sent, bytes }) => sent && bytes.length);
const owner: NodeInfo | undefined = node.owners("key", 3)[0];
const to: Filter = { tags: ["role=web"], name: "tab-*" };
await node.send("chat", "hi", { to });
await node.tell("alice", "chat", new Uint8Array([1]));
const unlisten: () => void = node.listen("a", "b.*", ({ from, topic, text, payload, told, gap }) => names.push(from + topic + text + payload.length + told + gap));
node.listen((message: Message) => names.push(message.text));
for await (const { text, gap } of node.listen("a", "b.*")) names.push(text + gap);
const unanswer: () => void = node.answer("who", async ({ from }) => (from === "alice" ? "me" : new Uint8Array()));
const answers = node.ask("who", "", { limit: 3, timeout: 1000, to });
for await (const { from, text } of answers) names.push(from + text);
names.push(...answers.silent, answers.failed.get("alice")?.code ?? "");
node.on("gap", (name: string) => names.push(name));
names.push((await node.cordon("dev1")).name, (await node.uncordon("dev1")).name);
unlisten(), unanswer();
await node.add("127.0.0.1:7002").catch((error: unknown) => error instanceof RingError && error.retryable);
await node.leave();
off();
export { names, owner };
// @ts-expect-error there is no such event
node.on("nothing", () => {});
// @ts-expect-error what a node is does not change
node.up()[0].name = "";
// @ts-expect-error a gateway is a URL
join({ gateways: [1] });
// @ts-expect-error a payload is text or bytes
node.send("chat", { text: "hi" });
// @ts-expect-error so is an answer
node.answer("who", () => 7);
`

// talkJS is a program in Node.js, of two guests of a ring of two.
const talkJS = `
import { join } from "nanoring";

const [one, two] = process.argv.slice(2);
const alice = await join({ gateways: [one], name: "alice", tags: { typing: true } }), bob = await join({ gateways: [two], name: "bob" });
const soon = (node, is) => new Promise((done) => {
  const look = () => is() && done(off());
  const off = node.on("change", look);
  look();
});
await soon(alice, () => alice.up().length === 4);
await alice.setTags({ page: "cart", typing: null });
await soon(bob, () => bob.up({ tags: ["page=cart", "!typing"] }).length === 1);

const heard = bob.listen("chat.*");
const stop = bob.answer("who.edits", async ({ from, text, until }) => from + " asks who edits " + text + " until " + (until > new Date() ? "later" : until));
while ((await alice.tell("bob", "chat.private", "psst").catch((error) => error.code)) === "nobody"); // its gateway has not heard yet that it listens
await alice.send("chat.lobby", "hello");
await alice.send("other", "nobody hears this");
await alice.send("chat.bytes", new Uint8Array([0, 255]), { to: { name: "bo*" } });
for await (const { from, topic, text, payload, told, until } of heard) {
  console.log(from, topic, topic === "chat.bytes" ? payload.join() : text, told, until);
  if (topic === "chat.bytes") break;
}
const answers = alice.ask("who.edits", "page 7", { limit: 10, timeout: 60000, to: { name: "!dev*" } });
for await (const { from, text } of answers) console.log(from, text);
console.log("silent", answers.silent.join(), "failed", answers.failed.size);
stop();
const busy = await Promise.all(Array.from({ length: 1000 }, () => alice.send("much").catch((error) => error.code + ": " + error.message)));
console.log(busy.find(Boolean));
await Promise.all([alice.leave(), bob.leave()]);
`

const talkedJS = `alice chat.private psst true null
alice chat.lobby hello false null
alice chat.bytes 0,255 false null
bob alice asks who edits page 7 until later
silent  failed 0
busy: The message was not sent: too many messages at once: try again later.
`

// TestPackage packs the library as npm would publish it, and uses it so.
func TestPackage(t *testing.T) {
	t.Parallel()
	folder, files := packed(t)

	// It has the library and the module, and nothing of the page.
	imported := make(map[string]bool)
	for queue := []string{"nanoring.js", "worker.js"}; len(queue) > 0; queue = queue[1:] {
		source, err := os.ReadFile(filepath.Join("../../web/lib", queue[0]))
		must(t, err)
		imported["lib/"+queue[0]] = true
		for _, m := range regexp.MustCompile(`(?m)^import .* from "\./(.*)";`).FindAllSubmatch(source, -1) {
			if file := string(m[1]); !imported["lib/"+file] {
				queue = append(queue, file)
			}
		}
	}
	other := []string{"LICENSE", "README.md", "package.json", "lib/nanoring.wasm", "bin/nanoring.js"}
	for _, file := range files {
		declares, is := strings.CutPrefix(strings.Replace(file, ".d.ts", ".js", 1), "types/")
		if !imported[file] && !slices.Contains(other, file) && !(is && imported["lib/"+declares]) {
			t.Errorf("the package has %s", file)
		}
	}
	for file := range imported {
		other = append(other, file)
	}
	for _, file := range append(other, "types/nanoring.d.ts") {
		if !slices.Contains(files, file) {
			t.Errorf("the package lacks %s", file)
		}
	}

	// Its types are right for a program that is checked strictly.
	must(t, os.WriteFile(filepath.Join(folder, "typed.mts"), []byte(typed), 0o666))
	tsc, err := filepath.Abs("../../web/node_modules/.bin/tsc")
	must(t, err)
	command(t, folder, tsc, "--strict", "--noEmit", "--target", "es2023",
		"--lib", "es2023,dom", "--module", "nodenext", "--moduleResolution", "nodenext", "typed.mts")

	// In Node.js it is a node, as its README says: it has tags that change, sends, tells,
	// listens, asks and answers.
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	must(t, os.WriteFile(filepath.Join(folder, "talk.mjs"), []byte(talkJS), 0o666))
	if got, want := string(command(t, folder, "node", "--experimental-websocket", "--no-warnings", "talk.mjs", gateways(dev1)[0], gateways(dev2)[0])), talkedJS; got != want {
		t.Errorf("it says\n%s", got)
	}

	// Its command says what it sees.
	node := exec.CommandContext(t.Context(), "node", "--experimental-websocket", "--no-warnings", filepath.Join(folder, "node_modules/nanoring/bin/nanoring.js"),
		"watch", "--name", "in-js", "--tag", "lives=in JavaScript", gateways(dev1)[0])
	var out lockedBuffer
	node.Stdout, node.Stderr, node.SysProcAttr = &out, &out, childAttr()
	must(t, node.Start())
	defer node.Process.Kill()
	says := func(text string) {
		t.Helper()
		eventually(t, "it says: "+text, func() bool { return strings.Contains(out.String(), text) })
	}
	says("in-js is a node of the ring nanoring, through dev1")
	says("dev2 is up")
	dev2.becomes(t, "in-js", "up")
	states := seen(t, dev2, "in-js")
	dev1.kill()
	says("dev1 is down")
	says("dev2 is its gateway")
	dev2.becomes(t, "in-js", "up")
	if got := states(); slices.Contains(got, "down") || slices.Contains(got, "left") {
		t.Errorf("it was seen %v", got)
	}
	must(t, node.Process.Signal(syscall.SIGINT))
	dev2.becomes(t, "in-js", "left")
	if err := node.Wait(); err != nil {
		t.Errorf("it ends with %v:\n%s", err, out.String())
	}

	// Its help is for all, also where there is no WebSocket.
	help := string(command(t, folder, "node", "node_modules/nanoring/bin/nanoring.js", "--help"))
	if !strings.HasPrefix(help, "usage: nanoring watch ") {
		t.Errorf("its help is %q", help)
	}

	node = exec.CommandContext(t.Context(), "node", "--experimental-websocket", "--no-warnings", filepath.Join(folder, "node_modules/nanoring/bin/nanoring.js"), "watch", gateways(dev1)[0])
	if got, err := node.CombinedOutput(); node.ProcessState.ExitCode() != 3 || !strings.Contains(string(got), "No gateway answers") {
		t.Errorf("without a ring it ends with %v:\n%s", err, got)
	}
}
