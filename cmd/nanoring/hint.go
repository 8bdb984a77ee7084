package main

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

// startHint says how to start the node whose data folder is data: who it is and
// where it listens stands in its ring file.
func startHint(data string) string {
	var s wire.Snapshot
	b, err := os.ReadFile(filepath.Join(data, "ring"))
	if err == nil {
		b, _ = disk.DecodeRingFile(b)
	}
	if errors.Is(err, fs.ErrPermission) {
		return "That folder is another user's: do this as that user, or as root (sudo)."
	}
	if err != nil || s.Decode(b) != nil {
		return "That folder has no ring file that can be read: is it the right one? Where a node runs elsewhere, say so: --data DIR or --api URL. Start a new node there with: " + os.Args[0] + " node --data " + quoted(data)
	}
	return "Is it running? " + startCommand(&s, data)
}

// startCommand says how to start the node of a snapshot.
func startCommand(s *wire.Snapshot, data string) string {
	command := []string{os.Args[0], "node", "--name", quoted(s.Name)}
	if s.Ring != defaultRing {
		command = append(command, "--ring", quoted(s.Ring))
	}
	listens := addressOf(s)
	if at, err := netip.ParseAddrPort(listens); err == nil && at.Addr().IsLoopback() {
		command = append(command, "--listen", listens)
	}
	return "Start it with: " + strings.Join(append(command, "--data", quoted(data)), " ")
}

// addressOf returns where the node of a snapshot was dialled last, "" if nowhere.
func addressOf(s *wire.Snapshot) string {
	for i := range s.Records {
		if r := &s.Records[i]; r.Set == wire.Up && r.Name == s.Name {
			p, _ := wire.ParsePresence(r.Value)
			return p.Address
		}
	}
	return ""
}

var plain = regexp.MustCompile(`^[\w./:@%+=,-]+$`)

// quoted makes one word of s for a shell.
func quoted(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
