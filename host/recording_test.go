package host_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// recording is all that one process of a node was given.
type recording struct {
	core.Engine // that was given it
	cfg         core.Config
	inputs      []core.Input
}

func (r *recording) Step(in core.Input) ([]core.Effect, error) {
	in.Frame = bytes.Clone(in.Frame)
	r.inputs = append(r.inputs, in)
	return r.Engine.Step(in)
}

// record lives a random story of core/sim, and returns what it was for each of
// its processes.
func record(t testing.TB, seed uint64) (all []*recording) {
	_, err := sim.Storm(sim.Config{Seed: seed, New: func(cfg core.Config) (core.Engine, error) {
		ring, err := core.New(cfg)
		if err != nil {
			return nil, err
		}
		all = append(all, &recording{Engine: ring, cfg: cfg})
		return all[len(all)-1], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRecordings gives both engines what nodes of the simulator were given, as
// it was and with frames mutated, repeated and swapped.
func TestRecordings(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 0))
			for _, r := range record(t, seed) {
				same := readRecording(r.append(nil))
				if a, b := fmt.Sprintf("%+v%+v", r.cfg, r.inputs), fmt.Sprintf("%+v%+v", same.cfg, same.inputs); a != b {
					t.Fatalf("recorded:\n%s\nread:\n%s", a, b)
				}
				same.replay(t)
				same.mutate(rng)
				same.replay(t)
			}
		})
	}
}

// FuzzEngines reads bytes as a recording, and gives it to both engines.
func FuzzEngines(f *testing.F) {
	for _, r := range record(f, 1) {
		f.Add(r.append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := readRecording(b)
		r.inputs = r.inputs[:min(len(r.inputs), 500)]
		r.replay(t)
	})
}

// replay gives both engines what was recorded.
func (r *recording) replay(t *testing.T) {
	t.Helper()
	engine, err := newTwin(t, r.cfg)
	if err != nil {
		return // neither can be made of it
	}
	defer engine.Close()
	for _, in := range r.inputs {
		if _, err := engine.Step(in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := engine.Snapshot(); err != nil {
		t.Fatal(err)
	}
}

// mutate changes some of the frames, and puts some where others were.
func (r *recording) mutate(rng *rand.Rand) {
	var frames [][]byte
	for i := range r.inputs {
		in := &r.inputs[i]
		if in.Kind != core.Received {
			continue
		}
		frames = append(frames, in.Frame)
		if rng.IntN(20) > 0 || len(in.Frame) == 0 {
			continue
		}
		b := bytes.Clone(in.Frame)
		at := rng.IntN(len(b))
		switch rng.IntN(5) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
		case 1:
			b = b[:at]
		case 2:
			b = slices.Insert(b, at, byte(rng.Uint32()))
		default:
			b = frames[rng.IntN(len(frames))]
		}
		in.Frame = b
	}
}

// append writes a recording as bytes. Times are written as differences, so that
// what a fuzzer takes out or doubles leaves the rest as it was.
func (r *recording) append(b []byte) []byte {
	put := func(v uint64) { b = binary.AppendUvarint(b, v) }
	text := func(s string) { put(uint64(len(s))); b = append(b, s...) }
	flag := func(is bool) { b = append(b, map[bool]byte{true: 1}[is]) }
	text(r.cfg.Ring)
	text(r.cfg.Name)
	text(r.cfg.Address)
	put(uint64(r.cfg.Instance.Start))
	put(r.cfg.Instance.Nonce)
	put(r.cfg.Seed)
	flag(r.cfg.Ephemeral)
	flag(r.cfg.Rejoin)
	text(string(r.cfg.Snapshot))
	put(uint64(len(r.cfg.Join)))
	for _, addr := range r.cfg.Join {
		text(addr)
	}
	var mono, wall int64
	for _, in := range r.inputs {
		b = append(b, byte(in.Kind))
		put(uint64(in.Mono - mono))
		b = binary.AppendVarint(b, in.Wall-wall-(in.Mono-mono))
		mono, wall = in.Mono, in.Wall
		switch in.Kind {
		case core.Opened, core.Closed, core.Received:
			put(uint64(in.Conn))
		}
		switch in.Kind {
		case core.Opened:
			b = append(b, byte(in.Role))
			text(in.Addr)
		case core.Closed:
			put(uint64(in.Code))
		case core.Received:
			text(string(in.Frame))
		case core.Do:
			put(in.Command.ID)
			b = append(b, byte(in.Command.Op))
			text(in.Command.Name)
			text(in.Command.Addr)
		}
	}
	return b
}

// readRecording makes a recording of any bytes: what is missing is zero.
func readRecording(b []byte) *recording {
	get := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[min(max(n, 1), len(b)):]
		return v
	}
	bytes := func() []byte {
		n := min(get(), uint64(len(b)))
		s := slices.Clone(b[:n])
		b = b[n:]
		return s
	}
	text := func() string { return strings.ToValidUTF8(string(bytes()), "?") } // what others than peers say is text
	flag := func() bool { return get()%2 == 1 }
	cfg := core.Config{Ring: text(), Name: text(), Address: text()}
	cfg.Instance = wire.Instance{Start: int64(get()), Nonce: get()}
	cfg.Seed, cfg.Ephemeral, cfg.Rejoin = get(), flag(), flag()
	if s := bytes(); len(s) > 0 {
		cfg.Snapshot = s
	}
	for n := get(); n > 0 && len(b) > 0; n-- {
		cfg.Join = append(cfg.Join, text())
	}
	r := &recording{cfg: cfg}
	var mono, wall int64
	for len(b) > 0 {
		in := core.Input{Kind: core.InputKind(get())}
		passed := int64(get() % uint64(40*core.Day))
		v, n := binary.Varint(b)
		b = b[min(max(n, 1), len(b)):]
		mono, wall = mono+passed, wall+passed+v
		in.Mono, in.Wall = mono, wall
		switch in.Kind {
		case core.Opened:
			in.Conn, in.Role, in.Addr = core.ConnID(get()), core.Role(get()%2), text()
		case core.Closed:
			in.Conn, in.Code = core.ConnID(get()), wire.Code(get())
		case core.Received:
			in.Conn, in.Frame = core.ConnID(get()), bytes()
		case core.Do:
			in.Command = core.Command{ID: get(), Op: core.Op(get()), Name: text(), Addr: text()}
		}
		r.inputs = append(r.inputs, in)
	}
	return r
}
