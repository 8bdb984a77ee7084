package native

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

var traceMu sync.Mutex
var trace []string

func tr(name, s string) {
	traceMu.Lock()
	defer traceMu.Unlock()
	if len(trace) < 4000 {
		trace = append(trace, name+" "+s)
	}
}

func frame(b []byte) string {
	var f wire.Frame
	if err := f.Decode(b); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d seq=%d recs=%d items=%d code=%d %s", f.Kind, f.Seq, len(f.Records), len(f.Items), f.Code, f.Text)
}

type traced struct {
	core.Engine
	name string
}

func (e traced) Step(in core.Input) ([]core.Effect, error) {
	if in.Kind != core.Tick {
		tr(e.name, fmt.Sprintf("%d < kind=%d conn=%d code=%v %s", in.Mono, in.Kind, in.Conn, in.Code, func() string {
			if in.Frame != nil {
				return frame(in.Frame)
			}
			return ""
		}()))
	}
	eff, err := e.Engine.Step(in)
	for _, f := range eff {
		switch f.Kind {
		case core.Dial, core.Close, core.Halt:
			tr(e.name, fmt.Sprintf("  > kind=%d conn=%d addr=%s code=%v %s", f.Kind, f.Conn, f.Addr, f.Code, f.Text))
		case core.Send:
			tr(e.name, fmt.Sprintf("  > send conn=%d %s", f.Conn, frame(f.Frame)))
		case core.Emit:
			tr(e.name, fmt.Sprintf("  > emit %v %s %v", f.Event.Kind, f.Event.Node.Name, f.Event.Node.State))
		}
	}
	return eff, err
}

func dump(t *testing.T) {
	traceMu.Lock()
	trace = nil
	traceMu.Unlock()
	t.Cleanup(func() {
		if t.Failed() {
			f, _ := os.CreateTemp("", "trace")
			for _, s := range trace {
				fmt.Fprintln(f, s)
			}
			fmt.Println("TRACE", f.Name())
		}
	})
}
func name(c core.Config) string { return c.Name }
