package host

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// folder looks after the files of Config.Cache: machine code that is run as it is,
// and is therefore run only if it is what was written. Its list is of the kind
// that sha256sum -c reads.
type folder struct {
	dir    string
	sealed map[string]string // SHA-256, by the file's path within
}

const listName = "SHA256SUMS"

// openFolder deletes all files that are not as the list says.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &folder{dir: dir, sealed: make(map[string]string)}
	list, err := os.ReadFile(filepath.Join(dir, listName))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		if sum, name, ok := strings.Cut(lines.Text(), "  "); ok {
			f.sealed[name] = sum
		}
	}
	for _, name := range f.files() {
		if sum, err := f.sum(name); err == nil && sum == f.sealed[name] {
			continue
		}
		delete(f.sealed, name)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// files lists what wazero keeps, in a folder of its version's.
func (f *folder) files() (names []string) {
	paths, _ := filepath.Glob(filepath.Join(f.dir, "wazero-*", "*"))
	for _, path := range paths {
		if name, err := filepath.Rel(f.dir, path); err == nil {
			names = append(names, filepath.ToSlash(name))
		}
	}
	return names
}

func (f *folder) sum(name string) (string, error) {
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// seal lists what is new. What it cannot list is compiled again next time.
func (f *folder) seal() {
	changed := false
	for _, name := range f.files() {
		if f.sealed[name] != "" {
			continue
		}
		if sum, err := f.sum(name); err == nil {
			f.sealed[name], changed = sum, true
		}
	}
	if !changed {
		return
	}
	var list bytes.Buffer
	for _, name := range f.files() {
		if sum := f.sealed[name]; sum != "" {
			fmt.Fprintf(&list, "%s  %s\n", sum, name)
		}
	}
	path := filepath.Join(f.dir, listName)
	if os.WriteFile(path+".new", list.Bytes(), 0o600) == nil {
		os.Rename(path+".new", path)
	}
}
