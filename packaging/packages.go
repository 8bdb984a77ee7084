package main

import (
	"compress/gzip"
	"fmt"
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
			if err := r.pack(kind, t); err != nil {
				return fmt.Errorf("%s of %s: %w", kind, t, err)
			}
		}
	}
	return nil
}

func (r *release) pack(kind string, t target) error {
	p, err := nfpm.Get(kind)
	if err != nil {
		return err
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "nanoring", Arch: t.arch + t.variant, Platform: t.system, Version: r.version, Release: "1", MTime: r.when,
		Section: "net", Priority: "optional", Maintainer: "The NanoRing maintainers", Vendor: "NanoRing", License: "Apache-2.0",
		Homepage: "https://github.com/nanoring/nanoring", Description: about,
	})
	if info.Contents, err = r.contents(t, kind); err != nil {
		return err
	}
	scripts := filepath.Join(r.root, "packaging/scripts")
	info.Scripts = nfpm.Scripts{
		PostInstall: filepath.Join(scripts, "postinstall.sh"), PreRemove: filepath.Join(scripts, "preremove.sh"), PostRemove: filepath.Join(scripts, "postremove.sh"),
	}
	info.RPM.BuildHost, info.RPM.Summary = "nanoring", strings.SplitN(about, "\n", 2)[0]
	return create(filepath.Join(r.out, p.ConventionalFileName(info)), func(w io.Writer) error { return p.Package(info, w) })
}

// contents are the files of a package.
func (r *release) contents(t target, kind string) (files.Contents, error) {
	var all files.Contents
	add := func(from, to string, mode os.FileMode) *files.Content {
		c := &files.Content{Source: from, Destination: to, FileInfo: &files.ContentFileInfo{Mode: mode, MTime: r.when, Owner: "root", Group: "root"}}
		all = append(all, c)
		return c
	}
	add(r.programs[t], "/usr/bin/nanoring", 0o755)
	doc := "/usr/share/doc/nanoring/"
	for _, name := range []string{"README.md", "CHANGELOG.md"} {
		add(filepath.Join(r.root, name), doc+name, 0o644)
	}
	vendored := "zsh/vendor-completions" // what zsh reads of packages
	if kind == "deb" {
		add(filepath.Join(r.root, "LICENSE"), doc+"copyright", 0o644)
	} else {
		for _, dir := range []string{doc, "/usr/share/licenses/nanoring/"} { // rpm takes away what a package says it has, and dpkg what is empty
			add("", strings.TrimSuffix(dir, "/"), 0o755).Type = files.TypeDir
		}
		add(filepath.Join(r.root, "LICENSE"), "/usr/share/licenses/nanoring/LICENSE", 0o644)
		vendored = "zsh/site-functions"
	}
	for _, name := range completions {
		add(filepath.Join(r.work, "share", name), "/usr/share/"+strings.Replace(name, "zsh/site-functions", vendored, 1), 0o644)
	}
	add("", "/etc/nanoring", 0o755).Type = files.TypeDir
	add(filepath.Join(r.root, "deploy/nanoring.toml"), "/etc/nanoring/nanoring.toml", 0o644).Type = files.TypeConfigNoReplace
	add(filepath.Join(r.root, "deploy/nanoring.service"), "/usr/lib/systemd/system/nanoring.service", 0o644)
	pages, err := r.manuals()
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		add(page, "/usr/share/man/man1/"+filepath.Base(page), 0o644)
	}
	return all, nil
}

// manuals compresses the manual pages, as packages have them, and returns where they are.
func (r *release) manuals() (packed []string, err error) {
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
		to := filepath.Join(r.work, "man", filepath.Base(page)+".gz")
		err = create(to, func(w io.Writer) error {
			z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
			if err != nil {
				return err
			}
			if _, err := z.Write(text); err != nil {
				return err
			}
			return z.Close()
		})
		if err != nil {
			return nil, err
		}
		packed = append(packed, to)
	}
	return packed, nil
}
