package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nanoring/nanoring"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/spf13/pflag"
)

const mostConfig = 1 << 20 // bytes of a file of settings

// configFile is a file of settings: TOML, whose keys are names of flags.
type configFile struct {
	path     string
	settings map[string]fileSetting
}

type fileSetting struct {
	value any
	line  int
}

// at says where a key of the file stands.
func (c *configFile) at(key string) string {
	return c.path + ":" + strconv.Itoa(c.settings[key].line)
}

// readConfig reads a file of settings. A key that knows does not know is an error, as
// is whatever else is not to be meant.
func readConfig(path string, knows func(key string) bool) (*configFile, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	wrong := func(line, column int, format string, args ...any) error {
		return fmt.Errorf("%s:%d:%d: %w", path, line, column, fmt.Errorf(format, args...))
	}
	values := make(map[string]any)
	var bad *toml.DecodeError
	if err := toml.Unmarshal(text, &values); errors.As(err, &bad) {
		line, column := bad.Position()
		return nil, wrong(line, column, "%s", strings.TrimPrefix(bad.Error(), "toml: "))
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &configFile{path: path, settings: make(map[string]fileSetting)}
	var p unstable.Parser // values have no positions
	for p.Reset(text); p.NextExpression(); {
		e := p.Expression()
		var keys []string
		var at unstable.Position
		for it := e.Key(); it.Next(); {
			if keys = append(keys, string(it.Node().Data)); len(keys) == 1 {
				at = p.Shape(it.Node().Raw).Start
			}
		}
		switch key := strings.Join(keys, "."); {
		case e.Kind != unstable.KeyValue:
			return nil, wrong(at.Line, at.Column, "there are no sections here, and this begins one: %q", key)
		case len(keys) == 1 && knows(key):
			c.settings[key] = fileSetting{values[key], at.Line}
		case knows(strings.ReplaceAll(key, "_", "-")):
			return nil, wrong(at.Line, at.Column, "there is no setting %q: is it %q?", key, strings.ReplaceAll(key, "_", "-"))
		default:
			return nil, wrong(at.Line, at.Column, "there is no setting %q in version %s, whose are in 'nanoring node --help': take it out, or run the version that the file is for", key, nanoring.Version)
		}
	}
	return c, p.Error()
}

// readText reads a file that a person has written: a mark at its beginning is left out.
func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file of settings: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder: the settings are a file in TOML", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, mostConfig+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the file of settings: %w", err)
	case len(text) > mostConfig:
		return nil, fmt.Errorf("%s has more than %d bytes: is it the right file?", path, mostConfig)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		return nil, fmt.Errorf("%s is in UTF-16: save it in UTF-8", path)
	}
	if i := bytes.IndexByte(text, 0); i >= 0 || !utf8.Valid(text) {
		return nil, fmt.Errorf("%s is no text in UTF-8: is it the right file?", path)
	}
	return text, nil
}

// readAgain says why a file of settings cannot be read once more. A pipe, as of a shell's <(COMMAND),
// has nothing more, or keeps its reader waiting for ever.
func readAgain(path string) error {
	info, err := os.Stat(path)
	if once := os.ModeNamedPipe | os.ModeCharDevice; err == nil && info.Mode()&once != 0 {
		return fmt.Errorf("%s is no file, and can be read only once: have the settings in a file if they are to change", path)
	}
	return nil // or it is for the reader to say
}

// errOtherType is of a value in a file that is not of its setting's type.
var errOtherType = errors.New("it is of another type")

// put gives a flag the value that a file has.
func (s fileSetting) put(f *pflag.Flag) (shown string, err error) {
	shown = fmt.Sprint(s.value)
	if list, ok := f.Value.(pflag.SliceValue); ok {
		texts := []string{}
		all, ok := s.value.([]any)
		if !ok {
			all = []any{s.value}
		}
		for _, v := range all {
			text, ok := v.(string)
			if !ok {
				return shown, errOtherType
			}
			texts = append(texts, text)
		}
		return shown, list.Replace(texts)
	}
	ok := false
	switch f.Value.Type() {
	case "bool":
		_, ok = s.value.(bool)
	case "int":
		_, ok = s.value.(int64)
	default:
		_, ok = s.value.(string)
	}
	if !ok {
		return shown, errOtherType
	}
	return shown, f.Value.Set(shown)
}
