package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var manyTabs = flag.Int("tabs", 0, "how many tabs TestTabs opens, once as nodes of their own and once as one (make tabs)")

// TestTabs measures what tabs that share a node cost, beside as many that do not.
func TestTabs(t *testing.T) {
	if *manyTabs == 0 {
		t.Skip("it only measures: make tabs")
	}
	type cost struct{ sockets, mib, cpu float64 }
	measure := func(t *testing.T, options string) (c cost) {
		dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
		b := startWindows(t)
		var tabs []*tab
		for range *manyTabs {
			tabs = append(tabs, b.sharing(t, dev1, options))
		}
		c.sockets = float64(len(dev1.ups(t)) - 1)
		before := browserCPU(t)
		time.Sleep(20 * time.Second) // it measures
		c.cpu = (browserCPU(t) - before) / 20 * 100
		c.mib = browserMemory(t)
		for _, tab := range tabs {
			tab.close()
		}
		return c
	}
	var apart, shared cost
	t.Run("apart", func(t *testing.T) { apart = measure(t, "{ shared: false, name: undefined }") }) // its browser ends with it
	t.Run("shared", func(t *testing.T) { shared = measure(t, "{}") })
	fmt.Printf("%d tabs:  apart %v sockets, %.0f MiB, %.1f %% of a CPU;  shared %v, %.0f MiB, %.1f %%;  apart/shared %.0f, %.2f, %.1f\n", *manyTabs,
		apart.sockets, apart.mib, apart.cpu, shared.sockets, shared.mib, shared.cpu, apart.sockets/shared.sockets, apart.mib/shared.mib, apart.cpu/shared.cpu)
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
			if name, _ := os.ReadFile(folder + "/comm"); p == os.Getpid() && strings.HasPrefix(string(name), "chrom") {
				folders = append(folders, folder)
			}
		}
	}
	return folders
}

// browserCPU returns the seconds that the browser has computed, in those that live.
func browserCPU(t *testing.T) (seconds float64) {
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
func browserMemory(t *testing.T) (mib float64) {
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
