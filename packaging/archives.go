package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// member is a file of an archive.
type member struct {
	name string // with slashes
	from string // where it is read; "" for a folder
	mode int64
	uid  int
}

// archives makes one for each target: the program, what goes below share, and what tells of it.
func (r *release) archives() error {
	for _, t := range r.targets {
		top := "nanoring-" + r.version + "-" + t.file()
		members := []member{{path.Join(top, t.program()), r.programs[t], 0o755, 0}}
		for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
			members = append(members, member{path.Join(top, name), filepath.Join(r.root, name), 0o644, 0})
		}
		share := filepath.Join(r.work, "share")
		err := filepath.WalkDir(share, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(r.work, file)
			members = append(members, member{path.Join(top, filepath.ToSlash(name)), file, 0o644, 0})
			return err
		})
		if err != nil {
			return err
		}
		write, ext := writeTarGz, ".tar.gz"
		if t.system == "windows" {
			write, ext = writeZip, ".zip"
		}
		if err := create(filepath.Join(r.out, top+ext), func(w io.Writer) error { return write(w, members, r.when) }); err != nil {
			return err
		}
	}
	return nil
}

// create makes a file.
func create(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	return f.Close()
}

func writeTarGz(w io.Writer, members []member, when time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := writeTar(z, members, when); err != nil {
		return err
	}
	return z.Close()
}

func writeTar(w io.Writer, members []member, when time.Time) error {
	t := tar.NewWriter(w)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: m.mode, Uid: m.uid, Gid: m.uid, ModTime: when, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		var b []byte
		if m.from == "" {
			h.Typeflag = tar.TypeDir
		} else {
			var err error
			if b, err = os.ReadFile(m.from); err != nil {
				return err
			}
			h.Size = int64(len(b))
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(b); err != nil {
			return err
		}
	}
	return t.Close()
}

func writeZip(w io.Writer, members []member, when time.Time) error {
	z := zip.NewWriter(w)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: when}
		h.SetMode(fs.FileMode(m.mode))
		to, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(m.from)
		if err != nil {
			return err
		}
		if _, err := to.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}
