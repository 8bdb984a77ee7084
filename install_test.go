package nanoring

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestInstall: make install puts where PREFIX says what belongs there, below a folder with a space in its name, and make
// uninstall takes it away again, and nothing else.
func TestInstall(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	look(t)
	dest := filepath.Join(t.TempDir(), "a root")
	prefix := filepath.Join(dest, "opt/nano ring")
	stranger := filepath.Join(prefix, "share/man/man1/nanoringer.1")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Dir(stranger), 0o755))
	must(os.WriteFile(stranger, nil, 0o644))
	make := func(target string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "make", "-s", target, "DESTDIR="+dest, "PREFIX=/opt/nano ring").CombinedOutput()
		if err != nil {
			t.Fatalf("make %s: %v\n%s", target, err, out)
		}
	}
	there := func() (all []string) {
		must(filepath.WalkDir(prefix, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				name, _ := filepath.Rel(prefix, path)
				all = append(all, name)
			}
			return err
		}))
		return all
	}
	make("install")
	installed := there()
	for name, begins := range map[string]string{
		"bin/nanoring": "", "share/man/man1/nanoring.1": ".TH NANORING 1", "share/man/man1/nanoring-node.1": ".TH NANORING",
		"share/bash-completion/completions/nanoring": "# bash completion", "share/zsh/site-functions/_nanoring": "#compdef nanoring",
		"share/fish/vendor_completions.d/nanoring.fish": "# fish completion",
	} {
		b, err := os.ReadFile(filepath.Join(prefix, name))
		if err != nil || !strings.HasPrefix(string(b), begins) {
			t.Errorf("%s begins with %.40q, %v", name, b, err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(prefix, "bin/nanoring"), "--version").Output(); err != nil || !strings.HasPrefix(string(out), "nanoring "+Version) {
		t.Errorf("it says %q, %v", out, err)
	}
	make("uninstall")
	if left := there(); !slices.Equal(left, []string{"share/man/man1/nanoringer.1"}) || len(installed) < 20 {
		t.Errorf("of %d files there are left %v", len(installed), left)
	}
}
