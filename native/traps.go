package native

import (
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native/disk"
)

// keepTrap logs what broke the engine, and keeps the input.
func (l *loop) keepTrap(in core.Input, err error) {
	t := disk.NewTrap(time.Now(), moduleOf(l.engine), in, err)
	l.log.Error("the engine broke", "of", t.Input.Kind, "from", l.whose(in), "why", err, "kept", l.folder.TrapFile(t))
	l.spawn(func() { // the disk may hang
		if err := l.folder.KeepTrap(t); err != nil {
			l.log.Error("cannot keep what broke the engine", "err", err)
		}
	})
}

// whose says whom an input came from, for people.
func (l *loop) whose(in core.Input) string {
	if c := l.conns[in.Conn]; c != nil {
		if c.story.open.addr != "" {
			return c.story.open.addr
		}
		return c.raw.RemoteAddr().String()
	}
	return "-"
}
