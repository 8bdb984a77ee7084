package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native"
	"github.com/nanoring/nanoring/native/disk"
)

// BenchmarkJoinLarge is what it costs a process to join a ring of many, of which one runs, and the
// others are in its ring file, at an address that takes connections and says nothing: the CPU until
// it shows all, and the memory that it has when it is quiet.
func BenchmarkJoinLarge(b *testing.B) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer silent.Close()
	for _, n := range []int{10, 10_000} {
		for _, engine := range []string{"native", "wasm"} {
			b.Run(fmt.Sprintf("n=%d/%s", n, engine), func(b *testing.B) {
				dir, now := b.TempDir(), time.Now().UnixMicro()
				s := wire.Snapshot{Ring: "large", Name: "dev1", Wall: now, LastContact: now}
				for _, set := range []wire.SetID{wire.Nodes, wire.Up} {
					for i := range n {
						name := fmt.Sprintf("node%05d", i)
						r := wire.Record{Set: set, Name: name, Stamp: now, Value: wire.Member{Address: silent.Addr().String()}.Value()}
						if set == wire.Up {
							r.Value = wire.Presence{Address: silent.Addr().String(), Instance: wire.Instance{Start: now, Nonce: uint64(i)}, Version: 1}.Value()
						}
						s.Records = append(s.Records, r)
					}
				}
				must(b, os.MkdirAll(filepath.Join(dir, "dev1"), 0o700))
				must(b, os.WriteFile(filepath.Join(dir, "dev1", "ring"), disk.EncodeRingFile(s.Append(nil)), 0o600))
				gateway, err := native.Start(b.Context(), native.Config{Name: "dev1", Ring: "large", Listen: "127.0.0.1:0", Data: filepath.Join(dir, "dev1"), Log: slog.New(slog.DiscardHandler)})
				must(b, err)
				defer gateway.Close()
				for range b.N {
					joinLarge(b, filepath.Join(dir, "dev2"), gateway.Addr(), engine, n+2)
				}
			})
		}
	}
}

func joinLarge(b *testing.B, data, join, engine string, members int) {
	cmd := exec.Command("nanoring", "node", "--name", "dev2", "--ring", "large", "--listen", "127.0.0.1:0", "--data", data, "--engine", engine)
	must(b, cmd.Start())
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return native.DialSocket(ctx, data)
	}}}
	await := func(what string, ok func() bool) {
		for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				b.Fatal("waited in vain: " + what)
			}
		}
	}
	shown := func() int {
		resp, err := client.Get("http://node/v1/status")
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		var status struct{ Members int }
		json.NewDecoder(resp.Body).Decode(&status)
		return status.Members
	}
	await("the node", func() bool { return shown() == 1 })
	before := cpuOf(b, cmd.Process.Pid)
	resp, err := client.Post("http://node/v1/nodes", "application/json", strings.NewReader(`{"address":"`+join+`"}`))
	must(b, err)
	resp.Body.Close()
	await("all members", func() bool { return shown() == members })
	b.ReportMetric((cpuOf(b, cmd.Process.Pid)-before)/float64(b.N), "CPU-s/join")
	b.ReportMetric(1000*longestStep(b, client), "ms-longest-step-below")
	least := 1 << 30
	for range 25 { // what is garbage goes back when it is quiet
		time.Sleep(time.Second)
		least = min(least, rssOf(b, cmd.Process.Pid))
	}
	b.ReportMetric(float64(least)/1024, "RSS-MiB")
}

// longestStep is the bound of the bucket that the engine's longest step is in.
func longestStep(b *testing.B, client *http.Client) (bound float64) {
	resp, err := client.Get("http://node/metrics")
	must(b, err)
	defer resp.Body.Close()
	most := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		of, count, _ := strings.Cut(lines.Text(), "\"} ")
		if le, ok := strings.CutPrefix(of, `nanoring_engine_step_seconds_bucket{le="`); ok && count != most {
			most = count
			bound, err = strconv.ParseFloat(le, 64)
			must(b, err)
		}
	}
	return bound
}

// cpuOf is for how many seconds a process has computed.
func cpuOf(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(b, err)
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	user, err := strconv.Atoi(string(fields[11]))
	must(b, err)
	system, err := strconv.Atoi(string(fields[12]))
	must(b, err)
	return float64(user+system) / 100
}

// rssOf is how many KiB of memory a process has.
func rssOf(b *testing.B, pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	_, text, _ = bytes.Cut(text, []byte("VmRSS:"))
	kib, err := strconv.Atoi(string(bytes.Fields(text)[0]))
	must(b, err)
	return kib
}
