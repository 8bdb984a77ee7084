package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// settingsFile writes a file of settings.
func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPrecedence: a flag beats the environment, which beats the file, which beats the default.
func TestPrecedence(t *testing.T) {
	file := "name = 'file'\npatience = '5s'\ntag = ['file=1', 'a=1,2']\npage = false\nmax-guests = 5\nengine-memory = '32MiB'\nring = 'file'\n"
	for _, test := range []struct {
		flags, env, file         string
		name, tags, memory, ring string
		patience                 string
		page                     bool
		guests                   int
		from                     string // the patience
	}{
		{"", "", "", "", "", "64MiB", "nanoring", "0s", true, 0, "--patience"},
		{"", "", file, "file", "file=1 a=1,2", "32MiB", "file", "5s", false, 5, "FILE:2: patience"},
		{"", "NANORING_NAME=env NANORING_TAG=env=1,b=2 NANORING_PAGE=true NANORING_MAX_GUESTS=6 NANORING_PATIENCE=6s NANORING_ENGINE_MEMORY=48MiB NANORING_RING=env", file,
			"env", "env=1 b=2", "48MiB", "env", "6s", true, 6, "$NANORING_PATIENCE"},
		{"--name=flag --tag=flag=1 --tag=c=3 --page=false --max-guests=7 --patience=7s --engine-memory=16MiB --ring=flag",
			"NANORING_NAME=env NANORING_TAG=env=1,b=2 NANORING_PAGE=true NANORING_MAX_GUESTS=6 NANORING_PATIENCE=6s NANORING_ENGINE_MEMORY=48MiB NANORING_RING=env", file,
			"flag", "flag=1 c=3", "16MiB", "flag", "7s", false, 7, "--patience"},
		{"--page --patience=7s", "", file, "file", "file=1 a=1,2", "32MiB", "file", "7s", true, 5, "--patience"},
		{"", "NANORING_NAME= NANORING_PATIENCE=", file, "file", "file=1 a=1,2", "32MiB", "file", "5s", false, 5, "FILE:2: patience"},
	} {
		flags, o, f := newNodeFlags()
		if err := flags.Parse(strings.Fields(test.flags)); err != nil {
			t.Fatal(err)
		}
		for _, v := range strings.Fields(test.env) {
			name, value, _ := strings.Cut(v, "=")
			t.Setenv(name, value)
		}
		if o.config = ""; test.file != "" {
			o.config = settingsFile(t, test.file)
		}
		if err := o.readSources(flags, true); err != nil {
			t.Fatal(err)
		}
		if got := f.config.Name; got != test.name || strings.Join(f.tags, " ") != test.tags || f.memory.String() != test.memory || o.ring != test.ring ||
			f.times.times.Patience.String() != test.patience || f.page != test.page || f.config.MaxGuests != test.guests {
			t.Errorf("%+v:\n%+v %+v", test, o, f)
		}
		if from := strings.ReplaceAll(o.where("patience"), o.config+":", "FILE:"); from != test.from {
			t.Errorf("the patience is from %s, not %s", from, test.from)
		}
		for _, v := range strings.Fields(test.env) {
			name, _, _ := strings.Cut(v, "=")
			os.Unsetenv(name)
		}
	}
}

// TestProfileOrPatience: they are two words for one thing, of which the one that comes from
// the better source counts.
func TestProfileOrPatience(t *testing.T) {
	for _, test := range []struct{ flags, env, file, want string }{
		{"", "", "", "4s"},
		{"--profile=wan", "", "", "8s"},
		{"--profile=wan", "", "patience = '5s'", "8s"},
		{"--patience=5s", "local", "", "5s"},
		{"", "local", "patience = '5s'", "1.5s"},
		{"--patience=5s", "", "profile = 'wan'", "5s"},
		{"--patience=5s --profile=wan", "", "", "--profile and --patience say the same thing twice"},
		{"", "", "profile = 'wan'\npatience = '5s'", "node.toml:1: profile and .*node.toml:2: patience say the same thing twice"},
	} {
		flags, o, f := newNodeFlags()
		flags.Parse(strings.Fields(test.flags))
		t.Setenv("NANORING_PROFILE", test.env)
		o.config = settingsFile(t, test.file)
		if err := o.readSources(flags, true); err != nil {
			t.Fatal(err)
		}
		times, err := f.times.complete(o)
		got := times.Patience.String()
		if err != nil {
			got = err.Error()
		}
		if ok, _ := regexp.MatchString(test.want, got); !ok {
			t.Errorf("%+v is %s", test, got)
		}
	}
}

// TestBadConfig: whatever is wrong with a file is said, with the line.
func TestBadConfig(t *testing.T) {
	for text, want := range map[string]string{
		"":            "",
		"# nothing\n": "",
		"\ufeffname = 'a'\r\nlisten = '127.0.0.1:0'\r\n": "",
		"name = 'a'\nnmae = 'b'":                         `:2:1: there is no setting "nmae"`,
		"\n  log_level = 'info'":                         `:2:3: there is no setting "log_level": is it "log-level"\?$`,
		"name = 'a'\n\nname = 'b'":                       `:3:1: key name is already defined`,
		"[node]\nname = 'a'":                             `:1:2: there are no sections here, and this begins one: "node"`,
		"[[node]]\nname = 'a'":                           `there are no sections here`,
		"tag.zone = 'a'":                                 `:1:1: there is no setting "tag.zone"`,
		"tag = { zone = 'a' }":                           `:1: tag: it is a list of texts`,
		"name = 'a":                                      `:1:9: `,
		"period = 4s":                                    `:1:11: strings must be quoted`,
		"name = 'a' page = true":                         `:1:12: `,
		"period = 4":                                     `:1: period: it is a time with its unit`,
		"period = '4'":                                   `:1: period: it is a time with its unit`,
		"period = '4 parsecs'":                           `:1: period: it is a time with its unit`,
		"period = '-4s'":                                 `:1: period: -4s: it is more than 0`,
		"period = '0s'":                                  `:1: period: 0s: it is more than 0`,
		"period = '31s'":                                 `:1: period: 31s is not from 50ms to 30s`,
		"removal-grace = '11m'":                          `:1: removal-grace: 11m0s is not from 1s to 10m`,
		"\nreap-after = '59s'":                           `:2: reap-after: 59s is not from 1m to 87600h`,
		"max-guests = '7'":                               `:1: max-guests: it is a whole number`,
		"max-guests = 7.5":                               `:1: max-guests: it is a whole number`,
		"max-guests = 99999999999999999999":              `:1:14: `,
		"max-guests = 2049":                              `:1: max-guests: 2049 is not from 1 to 2048`,
		"max-connections = 0":                            `:1: max-connections: 0`,
		"max-connections = 65537":                        `:1: max-connections: 65537 is not from 16 to 65536`,
		"page = 1":                                       `:1: page: it is true or false`,
		"name = 7":                                       `:1: name: it is a text, in quotes`,
		"name = ''":                                      `:1: name: is empty`,
		"name = 'a@b'":                                   `:1: name: .*a@b`,
		"join = [1]":                                     `:1: join: it is a list of texts`,
		"join = ['nowhere']":                             `:1: join: .*nowhere`,
		"engine = 'steam'":                               `:1: engine: "steam": there are native, wasm`,
		"engine-memory = '64'":                           `:1: engine-memory: "64" is not a size`,
		"log-level = 'loud'":                             `:1: log-level: "loud"`,
		"profile = 'moon'":                               `:1: profile: "moon"`,
		"tag = ['zone']":                                 `:1: tag: "zone" is not KEY=VALUE`,
		"tag = ['a=1', 'a=2']":                           `:1: tag: .*each is there once`,
		"on-event = ['dead=true']":                       `:1: on-event: dead: there is no such event`,
		"on-message = 'deploy'":                          `:1: on-message: "deploy" is not TOPIC=COMMAND`,
		"command-timeout = '0s'":                         `:1: command-timeout: 0s`,
		"drain-timeout = '-1s'":                          `:1: drain-timeout: it is negative`,
		"secret-file = 'nowhere'":                        `:1: secret-file: open nowhere`,
		"public-url = 'https://a'":                       `:1: public-url: `,
		"config = 'a'":                                   `:1:1: there is no setting "config"`,
		"token = 'a'":                                    `:1:1: there is no setting "token"`,
		"print-config = true":                            `:1:1: there is no setting "print-config"`,
		"name = 'a\xff'":                                 `is no text in UTF-8`,
		"name = 'a'\x00":                                 `is no text in UTF-8`,
		"\xff\xfen\x00a\x00":                             `is in UTF-16: save it in UTF-8`,
		strings.Repeat("#", mostConfig+1):                `has more than 1048576 bytes`,
	} {
		t.Setenv("NANORING_PERIOD", "nonsense") // which does not count
		_, err := checkConfig(settingsFile(t, text))
		if len(text) > 99 {
			text = text[:99]
		}
		if err == nil && want != "" || err != nil && want == "" {
			t.Errorf("%q: %v", text, err)
		} else if err != nil && !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("%q: %v, and not %s", text, err, want)
		}
	}
	if _, err := checkConfig(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Error(err)
	}
	if _, err := checkConfig(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "cannot read the file of settings") {
		t.Error(err)
	}
}

// TestDamagedConfig: no file of settings breaks what reads it.
func TestDamagedConfig(t *testing.T) {
	const good = "name = 'a'\njoin = ['a:1', \"b:\\u0032\"]\n[x.y]\nz = { c = [[1, 2.5e3], 1979-05-27T07:32:00Z] }\ntag = '''\nx'''\n"
	path := settingsFile(t, "")
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		text := []byte(good)
		for range 1 + rng.IntN(3) {
			i := rng.IntN(len(text))
			switch rng.IntN(3) {
			case 0:
				text[i] = good[rng.IntN(len(good))]
			case 1:
				text = text[:i+1]
			case 2:
				text = append(text, text[i:]...)
			}
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		flags, o, f := newNodeFlags()
		o.config = path
		if err := o.readSources(flags, true); err == nil {
			_, err = f.parse(o)
			_ = o.explain(err)
		}
	}
}
