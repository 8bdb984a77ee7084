package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// commit looks at what a release is made of: all that is there has to be committed. It finds the time
// of the commit, and, unless it has the version's tag, why what is made of it is no release.
func (r *release) commit() error {
	changed, err := r.git("status", "--porcelain")
	if err != nil {
		return err
	}
	if changed != "" {
		return fmt.Errorf("a release is made of what is committed, and there is more:\n%s\nCommit it, or take it away (git status, git clean), and run make release again", indent(changed))
	}
	seconds, err := r.git("log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return fmt.Errorf("git knows no time of the commit: %w", err)
	}
	r.when = time.Unix(n, 0).UTC()
	tag := "v" + r.version
	tags, err := r.git("tag", "--points-at", "HEAD")
	if err != nil {
		return err
	}
	if slices.Contains(strings.Fields(tags), tag) {
		return r.kept()
	}
	where := "there is none of this name"
	if at, err := r.git("rev-parse", "--short", tag+"^{commit}"); err == nil {
		where = "it is at " + at
	}
	head, err := r.git("rev-parse", "--short", "HEAD")
	r.noRelease = fmt.Sprintf("This is no release: commit %s has not the tag %s, which version.go asks for: %s.\nTo release it: git tag -s -m 'NanoRing %s' %s; as another version: change version.go first; to make again what was released: git checkout %s.\n", head, tag, where, r.version, tag, tag)
	return err
}

// kept sees that the commit has what make keep keeps of it: what later versions are held to is what is
// released, and it is in the release's own commit, so that nobody can forget it afterwards.
func (r *release) kept() error {
	dir := filepath.Join("testdata", "released", r.version)
	for _, file := range []string{"core/wire/testdata/vectors.json", "native/openapi.json", "wasm/module/nanoring.wasm.br"} {
		is, err := os.ReadFile(filepath.Join(r.root, filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		was, err := os.ReadFile(filepath.Join(r.root, dir, path.Base(file)))
		if err != nil {
			return fmt.Errorf("later versions are held to what is released, and it is not kept: %w: run make keep, commit what it writes, and tag that commit", err)
		}
		if !bytes.Equal(is, was) {
			return fmt.Errorf("%s of this commit is not what %s has, to which later versions are held: delete that folder, run make keep, commit what it writes, and tag that commit", file, dir)
		}
	}
	return nil
}

func (r *release) git(args ...string) (string, error) { return r.command(r.root, nil, "git", args...) }

// command runs a program in a folder, and returns what it prints.
func (r *release) command(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
