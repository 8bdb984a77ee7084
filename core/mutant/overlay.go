package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// overlay has the go command see other contents of some files. It returns its
// environment, and a folder for what is made with it.
func overlay(files map[string][]byte) (dir string, env []string, err error) {
	if dir, err = os.MkdirTemp("", "mutant"); err != nil {
		return "", nil, err
	}
	replace := make(map[string]string)
	for file, src := range files {
		from, err := filepath.Abs(file)
		if err != nil {
			return dir, nil, err
		}
		replace[from] = filepath.Join(dir, strconv.Itoa(len(replace))+".go")
		if err := os.WriteFile(replace[from], src, 0o600); err != nil {
			return dir, nil, err
		}
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return dir, nil, err
	}
	list := filepath.Join(dir, "overlay.json")
	return dir, append(os.Environ(), "GOFLAGS=-vet=off -overlay="+list), os.WriteFile(list, b, 0o600)
}

// outcome is how a command ended.
type outcome struct {
	ok     bool
	late   bool // it had to be killed
	output []byte
	cpu    time.Duration
}

// command runs one with all that it starts, for so long at most.
func command(ctx context.Context, patience time.Duration, dir string, env []string, args ...string) outcome {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, env
	together(cmd)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	o := outcome{ok: err == nil, late: ctx.Err() != nil, output: out.Bytes()}
	if s := cmd.ProcessState; s != nil {
		o.cpu = s.UserTime() + s.SystemTime()
	} else if err != nil && ctx.Err() == nil { // what cannot be started finds nothing
		fmt.Fprintf(os.Stderr, "mutant: %v: correct the command %q\n", err, args)
		os.Exit(2)
	}
	return o
}
