package main

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// npm packs the package of web/, whose package.json has npm make what it is made of. It is
// compressed anew: what npm makes of it differs from one version of Node.js to another.
func (r *release) npm() error {
	if _, err := r.command(filepath.Join(r.root, "web"), nil, "npm", "pack", "--pack-destination", r.work); err != nil {
		return fmt.Errorf("%w\nIt takes Node.js and npm", err)
	}
	packed, err := os.Open(filepath.Join(r.work, "nanoring-"+r.version+".tgz"))
	if err != nil {
		return err
	}
	defer packed.Close()
	return create(r.file("-npm.tgz"), func(w io.Writer) error { return repack(packed, w, r.when) })
}

// repack copies an archive, its files in their order, so that it is of nobody and of one time.
func repack(packed io.Reader, w io.Writer, when time.Time) error {
	in, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	out := tar.NewWriter(z)
	for t := tar.NewReader(in); ; {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if h.Mode&0o100 != 0 {
			mode = 0o755
		}
		plain := &tar.Header{Name: h.Name, Mode: mode, Size: h.Size, ModTime: when, Typeflag: h.Typeflag, Format: tar.FormatUSTAR}
		if err := out.WriteHeader(plain); err != nil {
			return err
		}
		if _, err := io.Copy(out, t); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return z.Close()
}
