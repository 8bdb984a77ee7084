package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stage is where commands of a page run, one after the other: a folder that has what a fresh
// clone has after make, and stands for the file system, and ports that stand for those of the page.
type stage struct {
	*testing.T
	dir     string
	bin     string // folder of the command
	ports   int    // the first of a hundred: 127.0.0.1:7001 is the second, 10.0.0.5:7946 the fifty-fifth
	running []*background
	numbers map[string]string // of processes: the page's, and what they are here
}

// background is a command that runs until it is told to end, in a terminal of its own.
type background struct {
	shown
	cmd   *exec.Cmd
	out   lockedBuffer
	ended chan struct{}
}

func newStage(t *testing.T, page docPage, sc scene) *stage {
	t.Helper()
	bin, err := unwatched()
	must(t, err)
	first, err := freePorts(100)
	must(t, err)
	s := &stage{T: t, dir: t.TempDir(), bin: bin, ports: first, numbers: make(map[string]string)}
	t.Cleanup(s.end)
	for _, folder := range []string{"bin", "etc", "home", "var/backups", "var/lib"} {
		must(t, os.MkdirAll(filepath.Join(s.dir, folder), 0o700))
	}
	must(t, os.Symlink(filepath.Join(bin, "nanoring"), filepath.Join(s.dir, "bin", "nanoring")))
	must(t, os.WriteFile(filepath.Join(s.dir, "home", ".curlrc"), []byte("silent\nshow-error\n"), 0o600)) // as on a terminal, nearly
	wasm, err := filepath.Abs(filepath.Join("..", "..", "wasm"))
	must(t, err)
	must(t, os.Symlink(wasm, filepath.Join(s.dir, "wasm")))
	for name, text := range page.files {
		must(t, os.WriteFile(filepath.Join(s.dir, name), []byte(s.here(text)), 0o600))
	}
	for _, data := range sc.warm {
		must(t, warm(filepath.Join(s.dir, data)))
	}
	for line := range strings.Lines(sc.before) {
		if line = strings.TrimSpace(line); line != "" {
			s.run(shown{page: "before " + sc.at, command: line})
		}
	}
	return s
}

func (s *stage) play(commands []shown) {
	for _, c := range commands {
		s.run(c)
	}
}

var (
	localPort  = regexp.MustCompile(`127\.0\.0\.1:70(\d\d)\b`)
	remoteHost = regexp.MustCompile(`10\.0\.0\.(\d):7946\b`)
	rootFolder = regexp.MustCompile(`(^|[\s"'=])/(etc|var)/`)
	dataFlag   = regexp.MustCompile(`--data[ =](\S+)`)
	lastNumber = regexp.MustCompile(`(?s).* (\d{4,})$`) // of the demo's last process, as the page has it
	killHint   = regexp.MustCompile(`kill -9 (\d+)`)    // and as it is here
	anyNumbers = regexp.MustCompile(`\b\d[\wµ.:-]*|\b[0-9a-f]{16,}\b`)
	onlyLooks  = regexp.MustCompile(`\bnanoring\b.* (all|up|owner|status|why|doctor|ask|node)\b|^curl `)
	anyBlanks  = regexp.MustCompile(`\s+`)
)

// runsOn says whether a command runs until it is told to end.
func runsOn(command string) bool {
	words := strings.Fields(command)
	has := func(all ...string) bool {
		return slices.ContainsFunc(all, func(word string) bool { return slices.Contains(words, word) })
	}
	return has("nanoring", "bin/nanoring") && has("node", "watch", "listen", "demo") && !has("--print-config", "--help") || has("curl") && has("-N")
}

// here makes what a page says what it has to be on this stage.
func (s *stage) here(text string) string {
	text = localPort.ReplaceAllStringFunc(text, func(a string) string { return s.port(a[len(a)-2:], 0) })
	text = remoteHost.ReplaceAllStringFunc(text, func(a string) string { return s.port(remoteHost.FindStringSubmatch(a)[1], 50) })
	text = rootFolder.ReplaceAllString(text, "${1}"+s.dir+"/${2}/")
	for page, here := range s.numbers {
		text = regexp.MustCompile(`\b`+page+`\b`).ReplaceAllString(text, here)
	}
	return text
}

func (s *stage) port(number string, from int) string {
	n, _ := strconv.Atoi(number)
	return "127.0.0.1:" + strconv.Itoa(s.ports+from+n)
}

func (s *stage) run(c shown) {
	s.Helper()
	command := bare(c.command)
	if strings.HasPrefix(command, "make ") {
		command = made(s.T, command)
	}
	command = s.here(command)
	if name, ok := strings.CutPrefix(command, "kill -9 dev"); ok { // of a scene, which knows no numbers
		i := slices.IndexFunc(s.running, func(b *background) bool { return strings.Contains(b.command, "--name dev"+name+" ") })
		command = "kill -9 " + strconv.Itoa(s.running[i].cmd.Process.Pid)
	}
	command = strings.Replace(command, "nanoring demo", fmt.Sprintf("nanoring demo --port %d", s.ports+1), 1)
	if runsOn(command) && !slices.ContainsFunc(c.prints, isFailure) {
		s.start(c, command)
		return
	}
	s.try(c, command)
}

// isFailure: so a line begins of a command that failed, or of a doctor who found something.
func isFailure(line string) bool {
	return strings.HasPrefix(line, "nanoring: ") || strings.HasPrefix(line, "WARNING ") || strings.HasPrefix(line, "ERROR ")
}

// try runs a command, and those that only look again until they print what the page says, and
// those that failed: what is told to nodes takes a moment.
func (s *stage) try(c shown, command string) {
	s.Helper()
	fails := slices.ContainsFunc(c.prints, isFailure)
	pause, done, out := 20*time.Millisecond, false, ""
	var err error
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		pause = min(2*pause, time.Second/2)
		code := 0
		if !done || onlyLooks.MatchString(command) {
			var printed []byte
			printed, err = s.command(command).CombinedOutput()
			var exit *exec.ExitError
			if out = string(printed); errors.As(err, &exit) {
				code = exit.ExitCode()
			}
			done = err == nil && !fails || fails && code != 0 && code != exitUsage
		}
		missing := s.missing(c, out)
		if done && missing == "" {
			return
		}
		if code == exitUsage || time.Now().After(deadline) {
			if missing != "" {
				missing = "\nThe page says that it prints " + missing
			}
			s.Fatalf("%s:%d: %s: %v%s\n%s%s", c.page, c.line, command, err, missing, out, s.said())
		}
	}
}

// missing returns a line that the page says is printed, and was not: by the command, or by one
// in another terminal.
func (s *stage) missing(c shown, out string) string {
	if marked(untrueAt, c) {
		return ""
	}
	missing := firstMissing(c.prints, s.there(out))
	for _, b := range s.running {
		if missing != "" {
			missing = firstMissing(c.prints, s.there(b.out.String()))
		}
	}
	return missing
}

// there makes what is printed on this stage what a page says.
func (s *stage) there(text string) string { return strings.ReplaceAll(text, s.dir+"/", "/") }

// firstMissing looks for lines in their order. Numbers and blanks may be others.
func firstMissing(want []string, out string) string {
	lines := strings.Split(out, "\n")
	for _, w := range want {
		if strings.Trim(w, " …") == "" {
			continue
		}
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(anyNumber(w)), "…", ".*") + "$"
		i := slices.IndexFunc(lines, func(line string) bool { return regexp.MustCompile(pattern).MatchString(anyNumber(line)) })
		if i < 0 {
			return w
		}
		lines = lines[i+1:]
	}
	return ""
}

func anyNumber(line string) string {
	return strings.TrimSpace(anyBlanks.ReplaceAllString(anyNumbers.ReplaceAllString(line, "0"), " "))
}

func (s *stage) command(line string) *exec.Cmd {
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(s.dir, "home"), "XDG_STATE_HOME=", "DISPLAY=", "WAYLAND_DISPLAY=",
		"NANORING_LISTEN=127.0.0.1:0", "PATH="+s.bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return cmd
}

// start starts a command that does not end, and waits until it runs.
func (s *stage) start(c shown, command string) {
	s.Helper()
	b := &background{shown: c, ended: make(chan struct{})}
	b.cmd = s.command("exec " + command)
	b.cmd.SysProcAttr = childAttr()
	b.cmd.Stdout, b.cmd.Stderr = &b.out, &b.out
	must(s.T, b.cmd.Start())
	s.running = append(s.running, b)
	go func() {
		b.cmd.Wait()
		close(b.ended)
	}()
	data := filepath.Join(s.dir, "home", ".local", "state", "nanoring")
	if m := dataFlag.FindStringSubmatch(command); m != nil {
		data = filepath.Join(s.dir, m[1])
	}
	runs := func() bool {
		if c.prints != nil && !marked(untrueAt, c) {
			return firstMissing(c.prints, s.there(b.out.String())) == ""
		}
		switch {
		case strings.Contains(command, "nanoring node"):
			_, err := socketClient(data).status(s.Context())
			return err == nil
		case strings.Contains(command, " listen "): // which prints nothing until something is heard
			return true
		}
		return b.out.String() != "" && !strings.Contains(command, " demo ") || killHint.MatchString(b.out.String())
	}
	for deadline := time.Now().Add(patience); !runs(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-b.ended:
			s.Fatalf("%s:%d: %s has ended: %v\n%s", c.page, c.line, command, b.cmd.ProcessState, b.out.String())
		default:
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s:%d: %s does not print what the page says, but\n%s", c.page, c.line, command, b.out.String())
		}
	}
	page, here := lastNumber.FindStringSubmatch(strings.Join(c.prints, "\n")), killHint.FindStringSubmatch(b.out.String())
	if page != nil && here != nil { // of a demo
		s.numbers[page[1]] = here[1]
	}
}

// said is what those in other terminals have printed.
func (s *stage) said() (text string) {
	for _, b := range s.running {
		lines := strings.SplitAfter(b.out.String(), "\n")
		text += "\n== " + b.command + "\n" + strings.Join(lines[max(0, len(lines)-20):], "")
	}
	return text
}

// end ends all that runs, and sees that none had ended because it was called wrongly.
func (s *stage) end() {
	for _, b := range slices.Backward(s.running) {
		b.cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-b.ended:
		case <-time.After(patience):
			b.cmd.Process.Kill()
			s.Errorf("%s:%d: %s does not end:\n%s", b.page, b.line, b.command, b.out.String())
		}
		if code := b.cmd.ProcessState.ExitCode(); code == exitUsage {
			s.Errorf("%s:%d: %s ended with status %d:\n%s", b.page, b.line, b.command, code, b.out.String())
		}
	}
}
