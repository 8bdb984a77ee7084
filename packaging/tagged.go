package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tagged returns the time of the commit, if it is one that may be released: all that is there is
// committed, and has the version's tag.
func (r *release) tagged() (time.Time, error) {
	changed, err := r.git("status", "--porcelain")
	if err != nil {
		return time.Time{}, err
	}
	if changed != "" {
		return time.Time{}, fmt.Errorf("a release is made of what is committed, and there is more:\n%s\nCommit it, or take it away (git status, git clean), and run make release again", indent(changed))
	}
	tag := "v" + r.version
	tags, err := r.git("tag", "--points-at", "HEAD")
	if err != nil {
		return time.Time{}, err
	}
	if !slices.Contains(strings.Fields(tags), tag) {
		where := "there is none of this name"
		if at, err := r.git("rev-parse", "--short", tag+"^{commit}"); err == nil {
			where = "it is at " + at
		}
		return time.Time{}, fmt.Errorf("this commit has not the tag %s, which version.go asks for: %s.\nTo release this commit: git tag -s -m 'NanoRing %s' %s; to release it as another version change version.go first; to make again what was released: git checkout %s", tag, where, r.version, tag, tag)
	}
	seconds, err := r.git("log", "-1", "--format=%ct")
	if err != nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0).UTC(), err
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
