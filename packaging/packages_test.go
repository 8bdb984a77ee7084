package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring"
)

// small makes a release of Linux, in folders of its own: its programs are only a few bytes, but for the
// one that writes the manual pages.
func small(t *testing.T, program string) *release {
	t.Helper()
	r := &release{root: "..", out: t.TempDir(), work: t.TempDir(), version: nanoring.Version, when: time.Unix(1700000000, 0).UTC(), programs: make(map[target]string)}
	for _, of := range targets {
		if of.system == "linux" {
			r.targets = append(r.targets, of)
			r.programs[of] = filepath.Join(r.work, of.file())
			if err := os.WriteFile(r.programs[of], []byte("#!/bin/sh\necho "+of.file()+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	here := target{runtime.GOOS, runtime.GOARCH, ""}
	stands := r.programs[here]
	r.programs[here] = program
	if err := r.share(); err != nil {
		t.Fatal(err)
	}
	r.programs[here] = stands
	for _, step := range []func() error{r.archives, r.packages, r.image, r.notes, r.sums} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "nanoring")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./cmd/nanoring")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		all = append(all, f.Name())
	}
	return all
}

// TestPackages: what is made of the same is the same, wherever; and packages and images have what they are to have.
func TestPackages(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("packages are made where there are file modes")
	}
	program := built(t)
	t.Setenv("TZ", "UTC")
	one := small(t, program)
	t.Setenv("TZ", "Asia/Tokyo")
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("XDG_STATE_HOME", "/home/somebody/state")
	two := small(t, program)
	if a, b := names(t, one.out), names(t, two.out); !slices.Equal(a, b) {
		t.Fatalf("one time there are %v, and the other %v", a, b)
	}
	for _, name := range names(t, one.out) {
		a, err := os.ReadFile(filepath.Join(one.out, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(two.out, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s is not the same bytes twice", name)
		}
		if bytes.Contains(a, []byte(one.work)) || bytes.Contains(a, []byte(one.out)) {
			t.Errorf("%s says where it was made", name)
		}
	}

	checkImage(t, one.file("-image.tar"))
	// By the names that Debian and Fedora have for the machines.
	for _, name := range []string{
		"nanoring_V-1_amd64.deb", "nanoring_V-1_arm64.deb", "nanoring_V-1_armhf.deb", "nanoring_V-1_i386.deb", "nanoring_V-1_riscv64.deb",
		"nanoring-V-1.x86_64.rpm", "nanoring-V-1.aarch64.rpm", "nanoring-V-1.armv7hl.rpm", "nanoring-V-1.i386.rpm", "nanoring-V-1.riscv64.rpm",
	} {
		name = strings.Replace(name, "V", nanoring.Version, 1)
		if !slices.Contains(names(t, one.out), name) {
			t.Errorf("there is no %s, but %v", name, names(t, one.out))
		}
		if arch, ok := strings.CutSuffix(name, ".deb"); ok {
			checkDeb(t, filepath.Join(one.out, name), arch[strings.LastIndex(arch, "_")+1:])
		} else if arch, ok := strings.CutSuffix(name, ".rpm"); ok {
			checkRpm(t, filepath.Join(one.out, name), arch[strings.LastIndex(arch, ".")+1:])
		}
	}
}

// packaged are the files of a package, but for manual pages of commands, with what they may.
func packaged(zsh, license string) map[string]int64 {
	return map[string]int64{
		"/usr/bin/nanoring": 0o755, "/etc/nanoring/nanoring.toml": 0o644, "/usr/lib/systemd/system/nanoring.service": 0o644,
		"/usr/share/man/man1/nanoring.1.gz": 0o644, "/usr/share/man/man1/nanoring-node.1.gz": 0o644,
		"/usr/share/bash-completion/completions/nanoring": 0o644, zsh: 0o644, "/usr/share/fish/vendor_completions.d/nanoring.fish": 0o644,
		license: 0o644, "/usr/share/doc/nanoring/README.md": 0o644, "/usr/share/doc/nanoring/CHANGELOG.md": 0o644,
	}
}

func checkDeb(t *testing.T, file, arch string) {
	t.Helper()
	d := readDeb(t, file)
	for field, want := range map[string]string{"Package": "nanoring", "Version": nanoring.Version + "-1", "Architecture": arch, "Section": "net"} {
		if d.fields[field] != want {
			t.Errorf("%s: %s is %q", file, field, d.fields[field])
		}
	}
	for path, mode := range packaged("/usr/share/zsh/vendor-completions/_nanoring", "/usr/share/doc/nanoring/copyright") {
		h := d.files[path]
		if h == nil {
			t.Errorf("%s has no %s", file, path)
			continue
		}
		if h.Mode&0o7777 != mode || h.Uid != 0 || h.Gid != 0 || h.ModTime.Unix() != 1700000000 {
			t.Errorf("%s: %s is of mode %o, of %d:%d, of %s", file, path, h.Mode, h.Uid, h.Gid, h.ModTime)
		}
	}
	if got := strings.TrimSpace(d.control["conffiles"]); got != "/etc/nanoring/nanoring.toml" {
		t.Errorf("%s: the files that an upgrade leaves as they are: %q", file, got)
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		sh := exec.CommandContext(t.Context(), "sh", "-n")
		sh.Stdin = strings.NewReader(d.control[script])
		if out, err := sh.CombinedOutput(); err != nil || d.control[script] == "" {
			t.Errorf("%s, %s: %v\n%s", file, script, err, out)
		}
	}
}
