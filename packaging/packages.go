package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers itself
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

const about = `very small, masterless cluster membership system
Every node of a ring knows all nodes that belong to it, and which of them are up.
Processes, sandboxes and browser tabs are nodes of one ring.`

// packages makes a .deb and an .rpm for each Linux.
func (r *release) packages() error {
	for _, t := range r.targets {
		if t.system != "linux" {
			continue
		}
		for _, kind := range []string{"deb", "rpm"} {
			p, err := nfpm.Get(kind)
			if err != nil {
				return err
			}
			contents, err := r.contents(t)
			if err != nil {
				return err
			}
			info := nfpm.WithDefaults(&nfpm.Info{
				Name: "nanoring", Arch: t.arch + t.variant, Platform: t.system, Version: r.version, Release: "1", MTime: r.when,
				Section: "net", Priority: "optional", Maintainer: "The NanoRing maintainers", Vendor: "NanoRing", License: "Apache-2.0",
				Homepage: "https://github.com/nanoring/nanoring", Description: about,
			})
			info.Contents, info.RPM.BuildHost = contents, "nanoring"
			if err := create(filepath.Join(r.out, p.ConventionalFileName(info)), func(w io.Writer) error { return p.Package(info, w) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// contents are the files of a package. A unit that is in packaging/systemd is one.
func (r *release) contents(t target) (files.Contents, error) {
	var all files.Contents
	add := func(from, to string, mode os.FileMode) {
		all = append(all, &files.Content{Source: from, Destination: to, FileInfo: &files.ContentFileInfo{Mode: mode, MTime: r.when, Owner: "root", Group: "root"}})
	}
	add(r.programs[t], "/usr/bin/nanoring", 0o755)
	add(filepath.Join(r.root, "README.md"), "/usr/share/doc/nanoring/README.md", 0o644)
	add(filepath.Join(r.root, "LICENSE"), "/usr/share/doc/nanoring/copyright", 0o644)
	for _, name := range completions {
		add(filepath.Join(r.work, "share", name), "/usr/share/"+strings.Replace(name, "zsh/site-functions", "zsh/vendor-completions", 1), 0o644)
	}
	units, err := filepath.Glob(filepath.Join(r.root, "packaging/systemd/*.service"))
	if err != nil {
		return nil, err
	}
	for _, unit := range units {
		add(unit, "/usr/lib/systemd/system/"+filepath.Base(unit), 0o644)
	}
	pages, err := filepath.Glob(filepath.Join(r.work, "share/man/man1/*.1"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(r.work, "man"), 0o755); err != nil {
		return nil, err
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		packed := filepath.Join(r.work, "man", filepath.Base(page)+".gz")
		if err := create(packed, func(w io.Writer) error {
			z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
			if err != nil {
				return err
			}
			if _, err := z.Write(text); err != nil {
				return err
			}
			return z.Close()
		}); err != nil {
			return nil, err
		}
		add(packed, "/usr/share/man/man1/"+filepath.Base(packed), 0o644)
	}
	return all, nil
}
