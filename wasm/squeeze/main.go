// Command squeeze compresses a file for browsers, once and well: FILE.br beside FILE, the same
// bytes everywhere. "make module" runs it.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/andybalholm/brotli"
)

func main() {
	if err := squeeze(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "squeeze:", err)
		os.Exit(1)
	}
}

func squeeze(files []string) error {
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var small bytes.Buffer
		w := brotli.NewWriterLevel(&small, brotli.BestCompression)
		w.Write(b) // a Buffer takes all
		if err := w.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(file+".br", small.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return nil
}
