// Command packaging makes all that is published of a version of NanoRing, from a clean, tagged
// commit, into dist/: the same bytes wherever it runs. Of a commit without the tag it makes the
// same, which is no release, and says so. It is a module of its own so that
// nobody who uses NanoRing gets what makes packages with it. docs/releasing.md has the steps.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nanoring/nanoring"
)

// A release is what is made of one commit.
type release struct {
	root    string    // of the repository
	out     string    // the folder that has what is made
	work    string    // and one for what it is made of
	version string    // without a v
	when    time.Time // of the commit: that of all files
	toolkit string    // the version of Go

	noRelease string // why what is made is none; "" for a release

	targets  []target
	programs map[target]string // where each was built
}

func main() {
	only := flag.String("only", "", "targets to build, like linux/amd64,windows/arm64 (default all)")
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "make release:", err)
		os.Exit(1)
	}
}

func run(only string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	r := &release{root: root, out: filepath.Join(root, "dist"), version: nanoring.Version, programs: make(map[target]string)}
	if r.targets, err = pick(only); err != nil {
		return err
	}
	if err = r.commit(); err != nil {
		return err
	}
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "nanoring-release-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	if r.noRelease != "" {
		fmt.Print(r.noRelease)
		if err := os.WriteFile(filepath.Join(r.out, "NO-RELEASE"), []byte(r.noRelease), 0o644); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"programs", r.build}, {"manual pages and completions", r.share},
		{"archives", r.archives}, {"packages", r.packages}, {"image", r.image}, {"npm package", r.npm},
		{"bill of materials", r.materials}, {"release notes", r.notes}, {"checksums", r.sums},
	} {
		fmt.Println("== " + step.what)
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	if r.noRelease != "" {
		fmt.Print(r.noRelease)
		return nil
	}
	if len(r.targets) < len(targets) {
		fmt.Printf("dist/ has of %s what is for %s, and is not all of it: publish what make release makes without ONLY.\n", r.version, only)
		return nil
	}
	fmt.Printf("dist/ has all of %s; docs/releasing.md says how it is signed and published.\n", r.version)
	return nil
}

// file returns the path of something that is made, by what follows name and version.
func (r *release) file(rest string) string {
	return filepath.Join(r.out, "nanoring-"+r.version+rest)
}

// pick returns the targets that are named, or all.
func pick(only string) ([]target, error) {
	if only == "" {
		return targets, nil
	}
	var picked []target
	for name := range strings.SplitSeq(only, ",") {
		t, err := named(name)
		if err != nil {
			return nil, err
		}
		picked = append(picked, t)
	}
	return picked, nil
}
