package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring"
	"github.com/sassoftware/go-rpmutils"
)

// checkRpm reads a package by another library than the one that has made it.
func checkRpm(t *testing.T, file, arch string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := rpmutils.ReadRpm(f) // the checksum of its header, too
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	say := func(tag int) string {
		s, err := p.Header.GetString(tag)
		if err != nil && !errors.As(err, new(rpmutils.NoSuchTagError)) {
			t.Errorf("%s: %d: %v", file, tag, err)
		}
		return s
	}
	for tag, want := range map[int]string{rpmutils.NAME: "nanoring", rpmutils.VERSION: nanoring.Version, rpmutils.RELEASE: "1", rpmutils.ARCH: arch, rpmutils.OS: "linux", rpmutils.LICENSE: "Apache-2.0", rpmutils.BUILDHOST: "nanoring"} {
		if got := say(tag); got != want {
			t.Errorf("%s: the tag %d is %q, not %q", file, tag, got, want)
		}
	}
	if requires, err := p.Header.GetStrings(rpmutils.REQUIRENAME); err == nil && slices.ContainsFunc(requires, func(r string) bool { return !strings.HasPrefix(r, "rpmlib(") && r != "/bin/sh" }) {
		t.Errorf("%s requires %v", file, requires)
	}

	all, err := p.Header.GetFiles()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	files := make(map[string]rpmutils.FileInfo)
	for _, i := range all {
		files[i.Name()] = i
		if i.UserName() != "root" || i.GroupName() != "root" || i.Mtime() != 1700000000 {
			t.Errorf("%s: %s is of %s:%s, of %d", file, i.Name(), i.UserName(), i.GroupName(), i.Mtime())
		}
		const settings = rpmutils.RPMFILE_CONFIG | rpmutils.RPMFILE_NOREPLACE // an upgrade leaves it as it is
		if is := i.Flags()&settings == settings; is != (i.Name() == "/etc/nanoring/nanoring.toml") {
			t.Errorf("%s: %s has the flags %o", file, i.Name(), i.Flags())
		}
	}
	want := packaged("/usr/share/zsh/site-functions/_nanoring", "/usr/share/licenses/nanoring/LICENSE")
	for path, mode := range want {
		if i := files[path]; i == nil || int64(i.Mode()&0o7777) != mode {
			t.Errorf("%s: %s is %+v", file, path, i)
		}
	}
	own := make(map[string]bool) // folders that are nobody else's: rpm takes away those alone that a package says it has
	for path := range want {
		if dir := filepath.Dir(path); filepath.Base(dir) == "nanoring" {
			if own[dir] = true; files[dir] == nil || files[dir].Mode()&0o7777 != 0o755 {
				t.Errorf("%s: the folder %s is left when it is taken off: %+v", file, dir, files[dir])
			}
		}
	}
	for path, i := range files {
		if _, ok := want[path]; !ok && !strings.HasPrefix(path, "/usr/share/man/man1/nanoring-") && !own[path] {
			t.Errorf("%s has %s: %+v", file, path, i)
		}
	}

	content, err := p.PayloadReaderExtended()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for left := len(all); ; left-- {
		i, err := content.Next()
		if errors.Is(err, io.EOF) {
			if left != 0 {
				t.Errorf("%s: of %d files it has no content", file, left)
			}
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatalf("%s, %s: %v", file, i.Name(), err)
		}
		if from := map[string]string{"/usr/lib/systemd/system/nanoring.service": "../deploy/nanoring.service", "/etc/nanoring/nanoring.toml": "../deploy/nanoring.toml"}[i.Name()]; from != "" {
			if is, err := os.ReadFile(from); err != nil || string(is) != string(text) {
				t.Errorf("%s: %s is not %s: %v", file, i.Name(), from, err)
			}
		}
	}

	for tag, name := range map[int]string{rpmutils.POSTIN: "postinstall.sh", rpmutils.PREUN: "preremove.sh", rpmutils.POSTUN: "postremove.sh"} {
		want, err := os.ReadFile(filepath.Join("scripts", name))
		if err != nil || strings.TrimSpace(say(tag)) != strings.TrimSpace(string(want)) {
			t.Errorf("%s: its script %d is not %s: %q, %v", file, tag, name, say(tag), err)
		}
		sh := exec.CommandContext(t.Context(), "sh", "-n")
		sh.Stdin = strings.NewReader(say(tag))
		if out, err := sh.CombinedOutput(); err != nil {
			t.Errorf("%s, %s: %v\n%s", file, name, err, out)
		}
	}
	for _, tag := range []int{rpmutils.POSTINPROG, rpmutils.PREUNPROG, rpmutils.POSTUNPROG} {
		if by := say(tag); by != "/bin/sh" {
			t.Errorf("%s: the script is run by %q", file, by)
		}
	}
}
