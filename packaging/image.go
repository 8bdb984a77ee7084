package main

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const imageUser = 65532 // nobody else's, and not root's

// image makes one for each Linux, from scratch, and packs all as one OCI layout.
func (r *release) image() error {
	var all v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, t := range r.targets {
		if t.system != "linux" {
			continue
		}
		img, err := r.imageOf(t)
		if err != nil {
			return err
		}
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: t.platform()}})
	}
	dir := filepath.Join(r.work, "image")
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	name := map[string]string{"org.opencontainers.image.ref.name": r.version}
	if err := p.AppendIndex(all, layout.WithAnnotations(name)); err != nil {
		return err
	}
	var members []member
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		members = append(members, member{filepath.ToSlash(name), file, 0o644, 0})
		return err
	})
	if err != nil {
		return err
	}
	return create(r.file("-image.tar"), func(w io.Writer) error { return writeTar(w, members, r.when) })
}

func (t target) platform() *v1.Platform {
	p := &v1.Platform{OS: t.system, Architecture: t.arch}
	if t.variant != "" {
		p.Variant = "v" + t.variant
	}
	return p
}

// imageOf makes the image of one: the program, a folder for its data, and one for what is short-lived.
func (r *release) imageOf(t target) (v1.Image, error) {
	var root bytes.Buffer
	err := writeTar(&root, []member{
		{"nanoring", r.programs[t], 0o755, 0},
		{"LICENSE", filepath.Join(r.root, "LICENSE"), 0o644, 0},
		{"data/", "", 0o700, imageUser},
		{"tmp/", "", 0o1777, 0},
	}, r.when)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(root.Bytes())), nil }, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	at := v1.Time{Time: r.when}
	img, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON),
		mutate.Addendum{Layer: layer, History: v1.History{Created: at, CreatedBy: "make release"}})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	p := t.platform()
	config.OS, config.Architecture, config.Variant, config.Created = p.OS, p.Architecture, p.Variant, at
	config.Config = v1.Config{
		User: strconv.Itoa(imageUser) + ":" + strconv.Itoa(imageUser), WorkingDir: "/data",
		Env:        []string{"NANORING_DATA=/data", "PATH=/"},
		Entrypoint: []string{"/nanoring"}, Cmd: []string{"node"},
		ExposedPorts: map[string]struct{}{"7946/tcp": {}}, Volumes: map[string]struct{}{"/data": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title": "nanoring", "org.opencontainers.image.version": r.version, "org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.source": "https://github.com/nanoring/nanoring",
		},
	}
	return mutate.ConfigFile(img, config)
}

// unpack puts the files of an image's layer into a folder.
func unpack(layer io.Reader, dir string) error {
	for t := tar.NewReader(layer); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			if err := os.Mkdir(to, 0o777); err != nil {
				return err
			}
		} else if err := create(to, func(w io.Writer) error { _, err := io.Copy(w, t); return err }); err != nil {
			return err
		}
		if err := os.Chmod(to, h.FileInfo().Mode()); err != nil {
			return err
		}
		if err := os.Lchown(to, h.Uid, h.Gid); err != nil && os.Getuid() == 0 {
			return err
		}
	}
}
