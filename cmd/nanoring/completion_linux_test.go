package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nanoring/nanoring/core"
)

// completing are the shells that completion is for, with what has each take it. The functions are what
// bash-completion and zsh's compinit bring where they are installed.
var completing = map[string]struct {
	args  []string
	setUp string
}{
	"bash": {[]string{"--norc", "--noprofile", "-i"}, `bind "set page-completions off"; bind "set completion-query-items 0"; _get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }; source <(nanoring completion bash)`},
	"zsh":  {[]string{"-f", "-i"}, `autoload -Uz compinit && compinit -u -D; source <(nanoring completion zsh)`},
	"fish": {[]string{"--no-config", "-i"}, `nanoring completion fish | source`},
}

// TestCompletionRunsNothing: guests have names that are commands to a shell, two of them alike, of
// which a shell puts into its line, as it is, what they have in common. TAB, TAB again and what
// follows runs nothing, and completes the names that are good.
func TestCompletionRunsNothing(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	dev1 := ns.mustStart(t, "dev1", "")
	names := []string{"good-1", "x$(touch ran)a", "x$(touch ran)b", "y`touch ran`a", "y`touch ran`b", "z;touch ran;a", "z;touch ran;b", "-o=$(touch ran)"}
	for i, name := range names {
		hostileGuest(t, dev1.addr, core.Config{Ring: defaultRing, Name: name, Seed: uint64(i + 1)}, "")
	}
	eventually(t, "they are there", func() bool {
		members, err := dev1.client.members(t.Context(), pathUp)
		return err == nil && len(members) == len(names)+1
	})
	data := filepath.Join(ns.dir, "dev1")
	for name, shell := range completing {
		path, err := exec.LookPath(name)
		if err != nil {
			if name == "bash" {
				t.Fatal(err)
			}
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			other, tty := terminal(t)
			defer other.Close()
			cmd := exec.CommandContext(t.Context(), path, shell.args...)
			cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, tty, tty, tty
			cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=dumb", "PS1=> ", "HISTFILE=", "NANORING_DATA="+data)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
			must(t, cmd.Start())
			tty.Close()
			var shown lockedBuffer
			go func() {
				b := make([]byte, 4096)
				for {
					n, err := other.Read(b)
					if err != nil {
						return
					}
					shown.Write(b[:n])
				}
			}()
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("it shows:\n%s", shown.String())
				}
			})
			typed := func(line, until string) {
				t.Helper()
				other.WriteString(line)
				eventually(t, until+" in what "+name+" shows", func() bool { return strings.Contains(shown.String(), until) })
			}
			typed(shell.setUp+"; echo set\"\"1up\n", "set1up")
			for i, begins := range []string{"x", "y", "z", "-o"} {
				n := string(rune('1' + i))
				typed("nanoring why "+begins+"\t\t\t \t\x15echo at\"\""+n+"line\n", "at"+n+"line")
			}
			typed("nanoring why goo\t", "why good-1")
			typed("\x15exit\n", "")
			cmd.Wait()
			if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
				t.Error("TAB runs a guest's command")
			}
		})
	}
}
