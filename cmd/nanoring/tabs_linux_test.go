package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native"
)

// BenchmarkTabs is what 50 tabs of a page cost that has no more than its node, in sockets, memory and time of a CPU:
// each with a node of its own, and as one that they share.
func BenchmarkTabs(b *testing.B) {
	const count, window = 50, 20 * time.Second
	for name, test := range map[string]struct {
		options string
		sockets int
	}{
		"apart":  {"{ shared: false, name: undefined }", count},
		"shared": {"{}", 1},
	} {
		b.Run(name, func(b *testing.B) {
			node, err := native.Start(context.Background(), native.Config{Name: "dev1", Listen: "127.0.0.1:0", Data: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { node.Close() }) // after the browser
			browser := startBrowser(b)
			for range count {
				browser.sharing(b, node.Addr(), test.options)
			}
			cpu := 0.0
			for b.Loop() {
				before := browserCPU(b)
				<-time.After(window) // in which nothing happens
				cpu += browserCPU(b) - before
			}
			if got := len(node.Up()) - 1; got != test.sockets {
				b.Fatalf("there are %d guests", got)
			}
			b.ReportMetric(float64(test.sockets), "sockets")
			b.ReportMetric(browserMemory(b), "MiB")
			b.ReportMetric(cpu/float64(b.N)/window.Seconds()*100, "%CPU")
		})
	}
}

// browserProcesses are the folders in /proc of the processes that this one started, and theirs,
// that are Chromium's.
func browserProcesses() (folders []string) {
	parent := map[int]int{}
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range all {
		stat, err := os.ReadFile(folder + "/stat")
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(folder))
		parent[pid], _ = strconv.Atoi(fields[1])
	}
	for pid := range parent {
		folder := fmt.Sprintf("/proc/%d", pid)
		for p := pid; p > 1; p = parent[p] {
			name, _ := os.ReadFile(folder + "/comm")
			if is := strings.HasPrefix(string(name), "chrom") || strings.HasPrefix(string(name), "headless_shell"); is && p == os.Getpid() {
				folders = append(folders, folder)
			}
		}
	}
	return folders
}

// browserCPU returns the seconds that the browser has computed, in those that live.
func browserCPU(t testing.TB) (seconds float64) {
	t.Helper()
	for _, folder := range browserProcesses() {
		stat, err := os.ReadFile(folder + "/stat")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		user, _ := strconv.ParseFloat(fields[11], 64)
		system, _ := strconv.ParseFloat(fields[12], 64)
		seconds += (user + system) / 100
	}
	return seconds
}

// browserMemory returns the MiB that the browser has, what processes share counted once.
func browserMemory(t testing.TB) (mib float64) {
	t.Helper()
	for _, folder := range browserProcesses() {
		rollup, _ := os.ReadFile(folder + "/smaps_rollup")
		for line := range strings.Lines(string(rollup)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Pss:" {
				kib, _ := strconv.ParseFloat(fields[1], 64)
				mib += kib / 1024
			}
		}
	}
	return mib
}
