package main

import (
	"fmt"
	"slices"
	"strings"
)

// target is what a program is built for.
type target struct{ system, arch, variant string }

// targets are all, as README.md and docs/platforms.md list them.
var targets = []target{
	{"linux", "amd64", ""}, {"linux", "arm64", ""}, {"linux", "arm", "7"}, {"linux", "386", ""}, {"linux", "riscv64", ""},
	{"darwin", "amd64", ""}, {"darwin", "arm64", ""},
	{"windows", "amd64", ""}, {"windows", "arm64", ""},
	{"freebsd", "amd64", ""}, {"freebsd", "arm64", ""},
}

// String returns it as Go's tools have it, and with its variant: linux/armv7.
func (t target) String() string {
	if t.variant != "" {
		return t.system + "/" + t.arch + "v" + t.variant
	}
	return t.system + "/" + t.arch
}

// file returns it as names of files have it.
func (t target) file() string { return strings.ReplaceAll(t.String(), "/", "-") }

func (t target) env() []string {
	return []string{"GOOS=" + t.system, "GOARCH=" + t.arch, "GOARM=" + t.variant, "CGO_ENABLED=0"}
}

// program is the name of the program there.
func (t target) program() string {
	if t.system == "windows" {
		return "nanoring.exe"
	}
	return "nanoring"
}

func named(name string) (target, error) {
	i := slices.IndexFunc(targets, func(t target) bool { return t.String() == name })
	if i < 0 {
		return target{}, fmt.Errorf("nothing is built for %q: there are %v", name, targets)
	}
	return targets[i], nil
}
