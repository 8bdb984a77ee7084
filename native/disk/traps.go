package disk

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core"
)

const (
	trapsName = "traps" // a folder: what broke the engine
	maxTraps  = 16      // files in it, each of less than 400 KB
	trapExt   = ".json"
	maxDetail = 16 << 10
)

// A Trap is what broke an engine, as a file of DATA/traps: docs/operations.md.
type Trap struct {
	Time   time.Time `json:"time"`
	Module string    `json:"module,omitempty"`
	Error  string    `json:"error"`
	Detail string    `json:"detail,omitempty"`
	Input  TrapInput `json:"input"`
}

// TrapInput is the input that did.
type TrapInput struct {
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

// NewTrap makes a Trap of an input, that of nothing if it was a snapshot that was
// asked for, and of the engine's error.
func NewTrap(at time.Time, module string, in core.Input, err error) *Trap {
	t := &Trap{Time: at.UTC(), Module: module, Error: err.Error(), Input: TrapInput{
		Kind: inputKinds[in.Kind], Mono: in.Mono, Wall: in.Wall, Conn: in.Conn, Role: in.Role, Addr: in.Addr, Frame: bytes.Clone(in.Frame), Code: uint16(in.Code),
	}}
	if d, ok := err.(interface{ Detail() string }); ok {
		t.Detail = d.Detail()
		if len(t.Detail) > maxDetail {
			t.Detail = strings.ToValidUTF8(t.Detail[:maxDetail], "")
		}
	}
	if in.Kind == core.Do {
		t.Input.Command = &in.Command
	}
	return t
}

// Traps returns where the folder of traps is, or will be.
func (f *Folder) Traps() string { return f.path(trapsName) }

// TrapFile returns where KeepTrap keeps one.
func (f *Folder) TrapFile(t *Trap) string {
	return filepath.Join(f.Traps(), t.Time.Format("20060102T150405.000000Z")+trapExt)
}

// KeepTrap writes one, and deletes the oldest that are too many.
func (f *Folder) KeepTrap(t *Trap) error {
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.Traps(), 0o700); err != nil {
		return err
	}
	file, err := newPending(f.Traps(), f.TrapFile(t))
	if err != nil {
		return err
	}
	defer file.Cleanup()
	if _, err := file.Write(append(b, '\n')); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(f.Traps(), "*"+trapExt)) // sorted, by time
	for ; err == nil && len(old) > maxTraps; old = old[1:] {
		err = os.Remove(old[0])
	}
	return err
}
