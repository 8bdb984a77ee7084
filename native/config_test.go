package native

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

func TestConfigErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"no name", func(c *Config) { c.Name = "" }, []string{"Name"}},
		{"no data", func(c *Config) { c.Data = "" }, []string{"Data"}},
		{"name", func(c *Config) { c.Name = "a@b" }, []string{"Name", "a@b"}},
		{"ring", func(c *Config) { c.Ring = "a@b" }, []string{"Ring", "a@b"}},
		{"tag without a key", func(c *Config) { c.Tags = []wire.Tag{{Value: "a"}} }, []string{"Tags"}},
		{"tag twice", func(c *Config) { c.Tags = []wire.Tag{{Key: "a"}, {Key: "b"}, {Key: "a"}} }, []string{"Tags", `"a"`}},
		{"tag of no text", func(c *Config) { c.Tags = []wire.Tag{{Key: "a", Value: "\xff"}} }, []string{"Tags"}},
		{"tags too long", func(c *Config) { c.Tags = []wire.Tag{{Key: "a", Value: strings.Repeat("x", wire.MaxValue)}} }, []string{"Tags"}},
		{"join", func(c *Config) { c.Join = []string{"127.0.0.1:1", "nowhere"} }, []string{"Join", "nowhere"}},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, []string{"Listen", "not HOST:PORT"}},
		{"no such port", func(c *Config) { c.Listen = "127.0.0.1:65536" }, []string{"Listen", "not HOST:PORT"}},
		{"beyond loopback", func(c *Config) { c.Listen = "192.0.2.1:0" }, []string{"192.0.2.1:0", "loopback", "Insecure"}},
		{"everywhere", func(c *Config) { c.Listen = ":0" }, []string{"loopback", "Insecure"}},
		{"everywhere, by number", func(c *Config) { c.Listen = "0.0.0.0:0" }, []string{"loopback", "Insecure"}},
		{"nowhere to dial", func(c *Config) { c.Listen, c.Insecure = "0.0.0.0:0", true }, []string{"Advertise"}},
		{"advertise everywhere", func(c *Config) { c.Advertise = "0.0.0.0:7946" }, []string{"Advertise", "no address of anybody"}},
		{"advertise no port", func(c *Config) { c.Advertise = "example.net:0" }, []string{"Advertise", "from 1 to 65535"}},
		{"public URL of no WebSocket", func(c *Config) { c.PublicURL = "https://ring.example.com/ring" }, []string{"PublicURL", "https://"}},
		{"public URL twice", func(c *Config) {
			c.PublicURL, c.Tags = "wss://ring.example.com/ring", []wire.Tag{{Key: "public-url", Value: "x"}}
		}, []string{"Tags", "public-url"}},
		{"advertise nonsense", func(c *Config) { c.Advertise = "example.net" }, []string{"Advertise", "HOST:PORT"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(t, "dev1")
			test.change(&cfg)
			n, err := Start(t.Context(), cfg)
			if err == nil {
				n.Close()
				t.Fatal("it starts")
			}
			var wrong *ConfigError
			if !errors.As(err, &wrong) {
				t.Fatalf("no ConfigError, but %v", err)
			}
			if got := wrong.Say("--flag"); !strings.Contains(got, "--flag") || strings.Contains(got, wrong.Field) {
				t.Errorf("by a flag's name: %q", got)
			}
			for _, s := range test.want {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q is not in %q", s, err)
				}
			}
		})
	}
}

func TestBusyPort(t *testing.T) {
	n := startFake(t, newFake(nil))
	cfg := config(t, "dev2")
	cfg.Listen = n.Addr()
	_, err := Start(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), n.Addr()) || !strings.Contains(err.Error(), "in use") {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Engine = "127.0.0.1:0", newFake(nil).engine // and nothing is left behind
	start(t, cfg)
}

func TestWhatTheEngineIsMadeOf(t *testing.T) {
	var got []core.Config
	for range 2 {
		cfg := config(t, "dev1")
		cfg.Ring, cfg.Advertise = "", "dev1.example.net:7946"
		cfg.Engine = func(c core.Config) (core.Engine, error) {
			got = append(got, c)
			return newFake(nil), nil
		}
		cfg.Tune = func(c *core.Config) { c.Period = 42 }
		if n := start(t, cfg); n.Addr() != cfg.Advertise || n.Status().Instance == "" {
			t.Fatalf("%+v", n.Status())
		}
	}
	a, b := got[0], got[1]
	if a.Ring != "nanoring" || a.Name != "dev1" || a.Address != "dev1.example.net:7946" || a.Period != 42 {
		t.Fatalf("%+v", a)
	}
	if a.Instance.Nonce == b.Instance.Nonce || a.Seed == b.Seed || a.Instance.Start == 0 {
		t.Fatal("two processes are alike")
	}
}

func TestContextStopsTheNode(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg, f := config(t, "dev1"), newFake(nil)
	cfg.Engine = f.engine
	n, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if in := f.next(t, core.Do); in.Command.Op != core.Stop {
		t.Fatal("no bye, but", in.Command)
	}
	receive(t, "the end", n.Done())
	if n.Err() != nil {
		t.Fatal(n.Err())
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, socketName)); !os.IsNotExist(err) {
		t.Fatal("the socket stays:", err)
	}
	if _, err := Start(ctx, cfg); err == nil {
		t.Fatal("it starts although its context is over")
	}
}

func TestStopOfAnEngineThatDoesNotStop(t *testing.T) {
	n := startFake(t, newFake(func(core.Input) []core.Effect { return []core.Effect{} }))
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}
