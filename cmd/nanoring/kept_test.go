package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var keepData = flag.String("keep.data", "", "a `FOLDER`, which is not there yet, that TestKeepData fills with data folders as today's nodes write them")

// knowing is what a node has to know with a kept data folder alone; it is beside it as a .json.
type knowing struct {
	Name     string            `json:"name"`
	Members  map[string]string `json:"members"` // and where they are, but for its own
	Tags     map[string]string `json:"tags"`
	Cordoned bool              `json:"cordoned"`
	Removed  bool              `json:"removed"` // it does not start, and ends with 4
}

// TestKeepData writes what make keep keeps, if it is told where.
func TestKeepData(t *testing.T) {
	if *keepData != "" {
		writeKept(t, *keepData)
	}
}

// TestKeptData starts nodes with the data folders of each release, by either engine, and with those
// that would be kept of today's: they know what is in them, and go on with it.
func TestKeptData(t *testing.T) {
	t.Parallel()
	kept, err := filepath.Glob("../../testdata/released/*/data")
	must(t, err)
	today := filepath.Join(t.TempDir(), "today's")
	writeKept(t, today)
	for _, dir := range append(kept, today) {
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		must(t, err)
		if len(files) < 6 {
			t.Errorf("%s has only %v", dir, files)
		}
		for _, file := range files {
			folder := strings.TrimSuffix(file, ".json")
			text, err := os.ReadFile(file)
			must(t, err)
			var want knowing
			must(t, json.Unmarshal(text, &want))
			for _, engine := range []string{"native", "wasm"} {
				if engine == "wasm" && filepath.Base(folder) != "members" { // whose kinds the disk reads, whatever the engine
					continue
				}
				openKept(t, folder, engine, want)
			}
		}
	}
}

// openKept starts a node with a copy of a data folder, twice: the second time with what it wrote itself.
func openKept(t *testing.T, folder, engine string, want knowing) {
	t.Helper()
	ns := &nodes{dir: t.TempDir(), engine: engine, byName: make(map[string]*process)}
	must(t, os.CopyFS(filepath.Join(ns.dir, want.Name), os.DirFS(folder)))
	if want.Removed {
		p, err := ns.start(want.Name, "", "--join", "127.0.0.1:1")
		if err == nil {
			p.kill()
		}
		if code := p.cmd.ProcessState.ExitCode(); code != 4 {
			t.Errorf("%s, %s: it was removed, and ends with %d: %v", folder, engine, code, err)
		}
		return
	}
	for range 2 {
		p, err := ns.start(want.Name, "")
		if err != nil {
			t.Errorf("%s, %s: %v", folder, engine, err)
			return
		}
		has := showing(t, p, want.Name)
		if fmt.Sprint(has) != fmt.Sprint(want) {
			t.Errorf("%s, %s: it knows\n%+v, and has to know\n%+v", folder, engine, has, want)
		}
		stop(t, p)
	}
}

// showing is what a node knows.
func showing(t *testing.T, p *process, name string) knowing {
	t.Helper()
	has := knowing{Name: name, Members: make(map[string]string), Tags: make(map[string]string)}
	all, err := p.client.members(t.Context(), pathNodes)
	must(t, err)
	for _, m := range all {
		if has.Members[m.Name] = m.Address; m.Name == name {
			has.Members[name], has.Cordoned = "", m.Cordoned
			maps.Copy(has.Tags, m.Tags)
		}
	}
	return has
}

func stop(t *testing.T, p *process) {
	t.Helper()
	must(t, p.cmd.Process.Signal(signals["TERM"]))
	if status, err := p.wait(); err != nil || status != 0 {
		t.Fatalf("it ends with %d, %v\n%s", status, err, p.printed())
	}
}

// writeKept writes data folders of each kind into a folder: of a node that is new; of one with members, deleted
// ones, tags and a cordon; of one that was killed; with a ring file that is damaged, or that a write
// was cut off in; and of one that was removed.
func writeKept(t *testing.T, to string) {
	t.Helper()
	must(t, os.MkdirAll(to, 0o755))
	ns := &nodes{dir: t.TempDir(), engine: "native", byName: make(map[string]*process)}
	keep := func(kind string, want knowing) {
		t.Helper()
		must(t, os.Mkdir(filepath.Join(to, kind), 0o755))
		kept := 0
		for _, name := range []string{"ring", "ring.prev", "removed"} {
			b, err := os.ReadFile(filepath.Join(ns.dir, want.Name, name))
			if err == nil {
				must(t, os.WriteFile(filepath.Join(to, kind, name), b, 0o644))
				kept++
			}
		}
		if kept == 0 {
			t.Fatalf("%s has nothing that is kept", want.Name)
		}
		text, err := json.MarshalIndent(want, "", "  ")
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, kind+".json"), append(text, '\n'), 0o644))
	}
	begin := func(name string, flags ...string) *process {
		t.Helper()
		p, err := ns.start(name, "", flags...)
		must(t, err)
		return p
	}

	p := begin("new")
	keep0 := showing(t, p, "new")
	stop(t, p)
	keep("new", keep0)

	p = begin("dev1")
	other := begin("dev2", "--join", p.addr)
	removed := begin("dev3", "--join", p.addr)
	eventually(t, "three are a ring", func() bool {
		all, err := p.client.members(t.Context(), pathNodes)
		return err == nil && len(all) == 3 && !slices.ContainsFunc(all, func(m member) bool { return m.State != "up" })
	})
	for i := range 60 { // several writes of the whole file
		_, err := p.client.add(t.Context(), fmt.Sprintf("member-%02d", i), fmt.Sprintf("10.0.0.%d:7946", i))
		must(t, err)
		if i%3 == 0 {
			must(t, p.client.del(t.Context(), fmt.Sprintf("member-%02d", i)))
		}
	}
	_, err := p.client.call(t.Context(), http.MethodPatch, pathTags, map[string]string{"role": "web", "größe": "ü"})
	must(t, err)
	_, err = p.client.setCordon(t.Context(), true, "dev1")
	must(t, err)
	must(t, p.client.del(t.Context(), "dev3"))
	if status, err := removed.wait(); err != nil || status != 4 {
		t.Fatalf("dev3 was removed, and ends with %d, %v", status, err)
	}
	want := showing(t, p, "dev1")
	if len(want.Members) != 42 || len(want.Tags) != 2 || !want.Cordoned {
		t.Fatalf("dev1 has %+v", want)
	}
	keep("removed", knowing{Name: "dev3", Removed: true})
	p.kill()
	keep("killed", want)
	p = begin("dev1")
	stop(t, p)
	keep("members", want)
	stop(t, other)

	// What is wrong with the others is made of that: the write of one more member was cut off, or the file is damaged.
	file := filepath.Join(ns.dir, "dev1", "ring")
	p = begin("dev1")
	var whole, longer []byte
	eventually(t, "one more member is written as a change of the file", func() bool {
		var err error
		whole, err = os.ReadFile(file)
		must(t, err)
		_, err = p.client.add(t.Context(), "half", "10.0.0.99:7946")
		must(t, err)
		longer, err = os.ReadFile(file)
		must(t, err)
		if bytes.HasPrefix(longer, whole) && len(longer) > len(whole)+4 {
			return true
		}
		must(t, p.client.del(t.Context(), "half")) // the node wrote something else, too
		return false
	})
	p.kill()
	must(t, os.WriteFile(file, longer[:len(longer)-4], 0o600))
	keep("cut", want)
	must(t, os.Rename(file, filepath.Join(ns.dir, "dev1", "ring.prev")))
	must(t, os.WriteFile(filepath.Join(ns.dir, "dev1", "ring.prev"), whole, 0o600))
	must(t, os.WriteFile(file, longer[:len(longer)/2], 0o600))
	keep("damaged", want)
}
