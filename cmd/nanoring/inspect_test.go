package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

// runInspect runs the command on b as its standard input.
func runInspect(t testing.TB, b []byte) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := inspectCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"-"})
	cmd.SetIn(bytes.NewReader(b))
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	err := cmd.Execute()
	return out.String(), err
}

var inspectedRing = wire.Snapshot{Ring: "ring", Name: "dev1", Wall: 1795467600000000, LastContact: 1795467599000000, Records: []wire.Record{
	{Set: wire.Nodes, Name: "dev1", Stamp: 1795467600000000, Value: wire.Member{Address: "127.0.0.1:7001"}.Value()},
	{Set: wire.Nodes, Name: "old", Stamp: 1795467600000001, Rank: 2, Value: wire.Member{Ephemeral: true}.Value()},
	{Set: wire.Up, Name: "dev1", Stamp: 1795467600000002, Rank: 1,
		Value: wire.Presence{Instance: wire.Instance{Start: 5, Nonce: 1<<64 - 1}, Version: 1, Tags: []wire.Tag{{Key: "zone", Value: "<eu>"}}}.Value()},
}}

const inspectedJSON = `{
  "what": "ring file",
  "bytes": 159,
  "ring": "ring",
  "name": "dev1",
  "wall": 1795467600000000,
  "wallTime": "2026-11-23T21:00:00.000000Z",
  "lastContact": 1795467599000000,
  "lastContactTime": "2026-11-23T20:59:59.000000Z",
  "records": [
    {
      "set": "nodes",
      "name": "dev1",
      "rank": "add",
      "stamp": 1795467600000000,
      "stampTime": "2026-11-23T21:00:00.000000Z",
      "value": {
        "a": "127.0.0.1:7001"
      }
    },
    {
      "set": "nodes",
      "name": "old",
      "rank": "del",
      "stamp": 1795467600000001,
      "stampTime": "2026-11-23T21:00:00.000001Z",
      "value": {
        "e": true
      }
    },
    {
      "set": "up",
      "name": "dev1",
      "rank": "suspect",
      "stamp": 1795467600000002,
      "stampTime": "2026-11-23T21:00:00.000002Z",
      "value": {
        "i": [
          5,
          18446744073709551615
        ],
        "p": 1,
        "t": {
          "zone": "<eu>"
        }
      }
    }
  ]
}
`

func TestInspectRingFile(t *testing.T) {
	snapshot := inspectedRing.Append(nil)
	file := disk.EncodeRingFile(snapshot)
	if got, err := runInspect(t, file); err != nil || got != inspectedJSON {
		t.Errorf("%v\n%s", err, got)
	}
	path := filepath.Join(t.TempDir(), "ring")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := inspectCommand()
	cmd.SetArgs([]string{path})
	cmd.SetOut(&out)
	if err := cmd.Execute(); err != nil || out.String() != inspectedJSON {
		t.Errorf("%v\n%s", err, out.String())
	}
	raw := strings.NewReplacer(`"ring file"`, `"snapshot"`, `"bytes": 159`, `"bytes": 133`).Replace(inspectedJSON)
	if got, err := runInspect(t, snapshot); err != nil || got != raw {
		t.Errorf("%v\n%s", err, got)
	}
}

// Every good vector is shown, as JSON that has its kind, and nothing that a
// terminal would obey; no bad one is.
func TestInspectVectors(t *testing.T) {
	b, err := os.ReadFile("../../core/wire/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Of, Hex, Error string
		Value                any
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		frame, err := hex.DecodeString(v.Hex)
		if err != nil || v.Of != "frame" && v.Of != "snapshot" {
			continue
		}
		out, err := runInspect(t, frame)
		if v.Error != "" {
			if err == nil && v.Of == "frame" || out != "" && err != nil {
				t.Errorf("%s is shown: %s", v.Name, out)
			}
			continue
		}
		var shown struct{ What, Kind string }
		if err != nil || json.Unmarshal([]byte(out), &shown) != nil || shown.What != v.Of {
			t.Errorf("%s: %v\n%s", v.Name, err, out)
		}
		if v.Of == "frame" && shown.Kind != v.Value.(map[string]any)["kind"] {
			t.Errorf("%s is shown as %s", v.Name, shown.Kind)
		}
	}
}

func TestInspectObeysNothing(t *testing.T) {
	f := wire.Frame{Kind: wire.KindError, Code: wire.CodeBye, Text: "a\x1b[2J\u009b\u202e\U000e0001\x7f\"é<&"}
	got, err := runInspect(t, f.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(got, func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) }); i >= 0 {
		t.Errorf("it prints %q", got[i:])
	}
	var shown struct{ Text string }
	if err := json.Unmarshal([]byte(got), &shown); err != nil || shown.Text != f.Text {
		t.Errorf("%v: %q, want %q", err, shown.Text, f.Text)
	}
}

func TestInspectSaysWhatIsWrong(t *testing.T) {
	file := disk.EncodeRingFile(inspectedRing.Append(nil))
	damaged := bytes.Clone(file)
	damaged[40] ^= 1
	for name, c := range map[string]struct {
		b     []byte
		class error
		says  string
	}{
		"empty":                    {nil, nil, "- is empty"},
		"a damaged ring file":      {damaged, disk.ErrDamaged, "checksum"},
		"a cut off ring file":      {file[:100], disk.ErrDamaged, ""},
		"a foreign content":        {disk.EncodeRingFile([]byte("hello")), nil, "envelope is a ring file's"},
		"a later content":          {disk.EncodeRingFile([]byte("\x92\x07\x05")), wire.ErrVersion, "a later version wrote it"},
		"text":                     {[]byte("hello, world\n"), nil, "neither a ring file, nor a snapshot, nor a frame"},
		"a frame with a byte more": {[]byte("\x92\x07\x05\x00"), wire.ErrTrailing, "byte 3"},
		"arrays without end":       {bytes.Repeat([]byte{0x91}, 1<<20), wire.ErrTooBig, ""},
		"a lie":                    {[]byte{0x92, 4, 0xdd, 0xff, 0xff, 0xff, 0xff}, wire.ErrTruncated, ""},
	} {
		out, err := runInspect(t, c.b)
		if err == nil || out != "" || c.class != nil && !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %q", name, err, out)
		}
	}
	vast := filepath.Join(t.TempDir(), "vast")
	if err := errors.Join(os.WriteFile(vast, nil, 0o600), os.Truncate(vast, maxInspected+1)); err != nil { // it takes no room
		t.Fatal(err)
	}
	for path, says := range map[string]string{t.TempDir(): "is a folder", vast: "larger than any ring file"} {
		cmd := inspectCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs([]string{path})
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("of %s it says %v", path, err)
		}
	}
	for bytes, tooMany := range map[int]bool{4: false, 5: true, 6: true} { // standard input has no size
		if _, err := readInspected(strings.NewReader("ring!!"[:bytes]), "-", 4); tooMany != (err != nil) || tooMany && !strings.Contains(err.Error(), "larger than any ring file") {
			t.Errorf("of %d bytes, where 4 may be, it says %v", bytes, err)
		}
	}
}
