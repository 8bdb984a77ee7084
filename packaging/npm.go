package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// npm packs the package of web/, whose package.json has npm make what it is made of.
func (r *release) npm() error {
	if _, err := r.command(filepath.Join(r.root, "web"), nil, "npm", "pack", "--pack-destination", r.work); err != nil {
		return fmt.Errorf("%w\nIt takes Node.js and npm", err)
	}
	b, err := os.ReadFile(filepath.Join(r.work, "nanoring-"+r.version+".tgz"))
	if err != nil {
		return err
	}
	return os.WriteFile(r.file("-npm.tgz"), b, 0o644)
}
