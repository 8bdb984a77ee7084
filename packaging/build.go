package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// build builds the program for each target, and once more for this machine, which writes its own
// manual pages.
func (r *release) build() error {
	mod, err := os.ReadFile(filepath.Join(r.root, "go.mod"))
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`(?m)^toolchain (\S+)$`).FindSubmatch(mod)
	if m == nil {
		return fmt.Errorf("go.mod says no toolchain")
	}
	r.toolkit = string(m[1])
	for _, t := range append([]target{{runtime.GOOS, runtime.GOARCH, ""}}, r.targets...) {
		if r.programs[t] != "" {
			continue
		}
		fmt.Println("  ", t)
		to := filepath.Join(r.work, t.file(), t.program())
		if err := r.compile(t, to); err != nil {
			return err
		}
		r.programs[t] = to
	}
	return nil
}

// compile builds one without what differs from machine to machine, or from user to user.
func (r *release) compile(t target, to string) error {
	env := append(t.env(), "GOTOOLCHAIN="+r.toolkit, "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GO386=sse2", "GOARM64=v8.0", "GORISCV64=rva20u64")
	_, err := r.command(r.root, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", to, "./cmd/nanoring")
	return err
}
