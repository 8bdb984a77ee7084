package main

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// imagesOf unpacks an OCI layout, holds all in it against its digests, and returns its images by platform.
func imagesOf(t *testing.T, packed string) map[string]v1.Image {
	t.Helper()
	f, err := os.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := create(to, func(w io.Writer) error { _, err := io.Copy(w, r); return err }); err != nil {
			t.Fatal(err)
		}
	}
	path, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	top, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(top); err != nil {
		t.Fatal(err)
	}
	tops, err := top.IndexManifest()
	if err != nil || len(tops.Manifests) != 1 {
		t.Fatalf("%v, %v", tops, err)
	}
	index, err := top.ImageIndex(tops.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]v1.Image)
	for _, m := range manifest.Manifests {
		if all[m.Platform.String()], err = index.Image(m.Digest); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// checkImage: the layout is right, and each image is of one layer that has what it is to have.
func checkImage(t *testing.T, packed string) {
	t.Helper()
	images := imagesOf(t, packed)
	for _, platform := range []string{"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/riscv64"} {
		img := images[platform]
		if img == nil {
			t.Errorf("there is no image of %s", platform)
			continue
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if c := config.Config; c.User != "65532:65532" || c.Entrypoint[0] != "/nanoring" || config.OS+"/"+config.Architecture != platform[:len(config.OS+config.Architecture)+1] {
			t.Errorf("%s: %+v", platform, config)
		}
		found := make(map[string]string)
		rootOf(t, img, found)
		if found["nanoring"] != "-rwxr-xr-x 0" || found["data/"] != "drwx------ 65532" || found["tmp/"] != "dtrwxrwxrwx 0" || len(found) != 4 {
			t.Errorf("%s has %v", platform, found)
		}
	}
}

// rootOf says of each file of an image what mode it has, and whose it is.
func rootOf(t *testing.T, img v1.Image, found map[string]string) {
	t.Helper()
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	root, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for r := tar.NewReader(root); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		found[h.Name] = h.FileInfo().Mode().String() + " " + strconv.Itoa(h.Uid)
	}
}
