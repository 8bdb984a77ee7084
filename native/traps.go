package native

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"github.com/nanoring/nanoring/core"
)

const (
	trapsName = "traps" // a folder: what broke the engine
	maxTraps  = 16      // files in it, each of less than 400 KB
	trapExt   = ".json"
)

// trapJSON is a file of DATA/traps: docs/operations.md.
type trapJSON struct {
	Time   time.Time `json:"time"`
	Module string    `json:"module,omitempty"`
	Error  string    `json:"error"`
	Detail string    `json:"detail,omitempty"`
	Input  inputJSON `json:"input"`
}

type inputJSON struct {
	Kind    string        `json:"kind"`
	Mono    int64         `json:"mono,omitempty"`
	Wall    int64         `json:"wall,omitempty"`
	Conn    core.ConnID   `json:"conn,omitempty"`
	Role    core.Role     `json:"role,omitempty"`
	Addr    string        `json:"addr,omitempty"`
	Frame   []byte        `json:"frame,omitempty"` // base64
	Code    uint16        `json:"code,omitempty"`
	Command *core.Command `json:"command,omitempty"`
}

// inputKinds are words; that of nothing is a snapshot that was asked for.
var inputKinds = [...]string{"snapshot", core.Start: "start", core.Opened: "opened", core.Received: "received", core.Closed: "closed", core.Tick: "tick", core.Do: "do"}

// keepTrap logs what broke the engine, and keeps the input.
func (l *loop) keepTrap(in core.Input, err error) {
	t := trapJSON{Time: time.Now().UTC(), Module: moduleOf(l.engine), Error: err.Error(), Input: inputJSON{
		Kind: inputKinds[in.Kind], Mono: in.Mono, Wall: in.Wall, Conn: in.Conn, Role: in.Role, Addr: in.Addr, Frame: in.Frame, Code: uint16(in.Code),
	}}
	if d, ok := err.(interface{ Detail() string }); ok {
		t.Detail = truncate(d.Detail(), 16<<10)
	}
	if in.Kind == core.Do {
		t.Input.Command = &in.Command
	}
	dir := l.folder.path(trapsName)
	path := filepath.Join(dir, t.Time.Format("20060102T150405.000000Z")+trapExt)
	l.log.Error("the engine broke", "of", t.Input.Kind, "from", l.whose(in), "why", err, "kept", path)
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		l.log.Error("cannot keep what broke the engine", "err", err)
		return
	}
	l.spawn(func() { // the disk may hang
		if err := writeTrap(dir, path, append(b, '\n')); err != nil {
			l.log.Error("cannot keep what broke the engine", "err", err)
		}
	})
}

// whose says whom an input came from, for people.
func (l *loop) whose(in core.Input) string {
	if c := l.conns[in.Conn]; c != nil {
		if c.story.open.Addr != "" {
			return c.story.open.Addr
		}
		return c.raw.RemoteAddr().String()
	}
	return "-"
}

// writeTrap writes one, and deletes the oldest that are too many.
func writeTrap(dir, path string, b []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := renameio.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*"+trapExt)) // sorted, by time
	for ; err == nil && len(old) > maxTraps; old = old[1:] {
		err = os.Remove(old[0])
	}
	return err
}
