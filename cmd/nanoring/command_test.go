package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRunCommand: what a command is given and gives, and what becomes of it otherwise.
func TestRunCommand(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, test := range []struct{ command, payload, want, wrong string }{
		{"cat", "a\x00b", "a\x00b", ""},
		{`echo "$K"`, "", "v w\n", ""},
		{"true", long, "", ""}, // it does not read
		{"head -c 8192 /dev/zero | tr '\\0' x", "", long[:8192], ""},
		{"head -c 8193 /dev/zero", "", "", "the command printed more than 8192 bytes"},
		{"yes", "", "", "the command printed more than 8192 bytes"},
		{"echo no >&2; echo yes; exit 7", "", "", "exit status 7: no"},
		{"head -c 1000000 /dev/zero | tr '\\0' y >&2; exit 1", "", "", "exit status 1: yyy"},
		{"kill -9 $$", "", "", "signal: killed"},
		{"no-such-command", "", "", "exit status 127: "},
		{"echo left; sleep 3 &", "", "left\n", ""},
	} {
		got, err := runCommand(t.Context(), test.command, []string{"K=v w"}, []byte(test.payload))
		if string(got) != test.want || err == nil != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %.100q, %.200v", test.command, got, err)
		}
		if err != nil && len(err.Error()) > mostErrorText+100 {
			t.Errorf("%s: its error has %d bytes", test.command, len(err.Error()))
		}
	}
}

// TestRunCommandIsKilled: when its time is over, so are all that it has started.
func TestRunCommandIsKilled(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	if err := mkfifo(pids, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := runCommand(ctx, `trap "" TERM INT; sleep 1000 & echo $$ $! > `+pids+`; wait`, nil, nil)
		ended <- err
	}()
	f, err := os.Open(pids)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it failed without an error")
		}
	case <-time.After(patience):
		t.Fatal("it is not killed")
	}
	for _, pid := range strings.Fields(line) {
		id, _ := strconv.Atoi(pid)
		for deadline := time.Now().Add(patience); !isGone(id); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d lives", id)
			}
		}
	}
}

// isGone says whether a process has ended: a zombie has, too, that nobody has waited for.
func isGone(pid int) bool {
	if errors.Is(sendTo(pid, 0), syscall.ESRCH) {
		return true
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(b), ") Z ")
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		"héllo, 世界 \"'":      "héllo, 世界 \"'",
		"a\nb\tc":            `a\nb\tc`,
		"\x1b]0;x\x07":       `\x1b]0;x\a`,
		"\xff\x00":           `\xff\x00`,
		"C:\\new":            `C:\new`,
		"\u202eevil \u009b1": `\u202eevil \u009b1`,
		"\ufffd":             "\ufffd",
		"\u2028\u200b\ufe0f": `\u2028\u200b\ufe0f`,
		"\u3164\U000e0100":   `\u3164\U000e0100`,
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
	a := answer{From: "dev1\n", payload: payload{Base64: []byte("one\ntwo\n\x1b\n")}}
	var got strings.Builder
	if err := a.print(printer{&got}); err != nil || got.String() != "dev1\\n  one\n        two\n        \\x1b\n" {
		t.Errorf("%q, %v", &got, err)
	}
}
