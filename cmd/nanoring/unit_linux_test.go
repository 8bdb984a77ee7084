package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mostExposed is how exposed systemd-analyze may find the unit, in tenths: 100 is a service that may do anything.
const mostExposed = 15

// unit returns the unit's settings; what is set several times is joined by lines.
func unit(t *testing.T) (text string, set map[string]string) {
	t.Helper()
	b, err := os.ReadFile("../../deploy/nanoring.service")
	if err != nil {
		t.Fatal(err)
	}
	set = make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^([A-Za-z]+)=(.*)$`).FindAllStringSubmatch(string(b), -1) {
		set[m[1]] = strings.Trim(set[m[1]]+"\n"+m[2], "\n")
	}
	return string(b), set
}

// TestUnit: the unit starts a node as the command line has it, and restarts it for what a restart is good for.
func TestUnit(t *testing.T) {
	t.Parallel()
	_, set := unit(t)
	if want := fmt.Sprint(exitUsage, " ", exitRemoved); set["RestartPreventExitStatus"] != want || set["Restart"] != "on-failure" {
		t.Errorf("it is started again %s, but for %s: %s is wanted", set["Restart"], set["RestartPreventExitStatus"], want)
	}
	if set["MemoryDenyWriteExecute"] != "yes" {
		t.Error("the unit's engine is native, which needs nothing that is executable and written")
	}

	// Every setting that the packages' file has, with its line no comment any more.
	dir := t.TempDir()
	settings, err := os.ReadFile("../../deploy/nanoring.toml")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^#([a-z])`).ReplaceAll(settings, []byte("$1"))
	for name, text := range map[string][]byte{"as-it-is.toml": settings, "all.toml": all} {
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	key := filepath.Join(dir, "ring.key")
	if out, err := exec.CommandContext(t.Context(), "nanoring", "keygen", "--out", key).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"as-it-is.toml", "all.toml"} {
		line := strings.NewReplacer("/usr/bin/nanoring", "nanoring", "/etc/nanoring/nanoring.toml", filepath.Join(dir, name),
			"${STATE_DIRECTORY}", filepath.Join(dir, "data"), "${CREDENTIALS_DIRECTORY}", dir).Replace(set["ExecStart"])
		args := append(strings.Fields(line), "--print-config")
		out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		if name == "all.toml" && (!strings.Contains(string(out), `listen = '10.0.0.5:7946'`) || !strings.Contains(string(out), key)) {
			t.Errorf("%s", out)
		}
	}
}

// TestUnitIsHardened: systemd understands the unit, and finds it no more exposed than it is to be.
func TestUnitIsHardened(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze to look at the unit: install systemd")
	}
	text, _ := unit(t)
	file := filepath.Join(t.TempDir(), "nanoring.service")
	must(t, os.WriteFile(file, []byte(strings.Replace(text, "/usr/bin/nanoring", "/bin/true", 1)), 0o600)) // it wants the program to be there
	for _, args := range [][]string{
		{"verify", "--man=no", file},
		{"security", "--no-pager", "--offline=true", fmt.Sprint("--threshold=", mostExposed), file},
	} {
		out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
