package disk_test

import (
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/nanoring/nanoring/native/disk"
)

// A folder's life, without a node: two snapshots, of which the second is damaged
// while nobody looks, and a removal.
func Example() {
	data, err := os.MkdirTemp("", "nanoring-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(data)
	open := func() *disk.Folder {
		f, err := disk.Open(data, slog.New(slog.DiscardHandler))
		if err != nil {
			log.Fatal(err)
		}
		return f
	}

	f := open()
	for _, snapshot := range []string{"first", "second"} {
		if err := f.Write([]byte(snapshot)); err != nil {
			log.Fatal(err)
		}
	}
	f.Close()
	if err := os.Truncate(filepath.Join(data, "ring"), 10); err != nil {
		log.Fatal(err)
	}

	f = open()
	memory, err := f.Load()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, of %s\n", memory.Snapshot, filepath.Base(memory.File))
	if err := f.Use(memory); err != nil { // a program that can use it goes on from it
		log.Fatal(err)
	}
	if err := f.Removed(disk.Marker{Removed: time.Now(), Ring: "red", Name: "dev1"}); err != nil {
		log.Fatal(err)
	}
	f.Close()

	f = open()
	defer f.Close()
	marker, removed, err := f.Marked()
	fmt.Println(marker.Name, removed, err)
	// Output:
	// first, of ring.prev
	// dev1 true <nil>
}
