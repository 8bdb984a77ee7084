package native

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
)

// TestTimes: what follows from what, and that is what the engine gets.
func TestTimes(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		is                           Times
		period, ackTimeout, patience time.Duration
	}{
		{Times{}, time.Second, 500 * ms, 4 * time.Second}, // what a core.Config has by default
		{Times{Patience: PatienceLocal}, 375 * ms, 187500 * time.Microsecond, 1500 * ms},
		{Times{Patience: PatienceWAN}, 2 * time.Second, time.Second, 8 * time.Second},
		{Times{Patience: PatienceWAN, AckTimeout: 3 * time.Second}, 2 * time.Second, 3 * time.Second, 8 * time.Second},
		{Times{Period: 3 * time.Second}, 3 * time.Second, 500 * ms, 4 * time.Second},
	} {
		got, err := test.is.Complete()
		if err != nil || got.Period != test.period || got.AckTimeout != test.ackTimeout || got.Patience != test.patience {
			t.Errorf("%+v is %+v, %v", test.is, got, err)
		}
	}
	var got core.Config
	cfg := config(t, "dev1")
	cfg.Times = Times{Patience: PatienceWAN, RemovalGrace: 3 * time.Second, ReapAfter: 72 * time.Hour}
	cfg.Engine = func(c core.Config) (core.Engine, error) { got = c; return newFake(nil), nil }
	start(t, cfg)
	if got.Period != 2*core.Second || got.AckTimeout != core.Second || got.Patience != 8*core.Second || got.RemovalGrace != 3*core.Second || got.ReapAfter != 3*core.Day {
		t.Errorf("%+v", got)
	}
}

// TestLimits: each setting may be at its limits, and not beyond; the error names it.
func TestLimits(t *testing.T) {
	type set func(c *Config, to time.Duration)
	for _, limit := range []struct {
		field       string
		least, most time.Duration
		set         set
	}{
		{"Patience", 400 * time.Millisecond, 2 * time.Minute, func(c *Config, d time.Duration) { c.Times.Patience = d }},
		{"Period", 50 * time.Millisecond, 30 * time.Second, func(c *Config, d time.Duration) { c.Times.Period = d }},
		{"AckTimeout", 10 * time.Millisecond, 15 * time.Second, func(c *Config, d time.Duration) { c.Times.AckTimeout = d }},
		{"RemovalGrace", time.Second, 10 * time.Minute, func(c *Config, d time.Duration) { c.Times.RemovalGrace = d }},
		{"ReapAfter", time.Minute, 10 * 365 * 24 * time.Hour, func(c *Config, d time.Duration) { c.Times.ReapAfter = d }},
		{"MaxConnections", 16, 1 << 16, func(c *Config, d time.Duration) { c.MaxConnections = int(d) }},
		{"MaxGuests", 1, 2048, func(c *Config, d time.Duration) { c.MaxGuests = int(d) }},
	} {
		for _, is := range []time.Duration{limit.least, limit.most} {
			cfg := config(t, "dev1")
			limit.set(&cfg, is)
			if _, err := cfg.Check(); err != nil {
				t.Errorf("%s at its limit: %v", limit.field, err)
			}
		}
		for _, is := range []time.Duration{limit.least - 1, limit.most + 1, -time.Hour, 1<<62 - 1} {
			cfg := config(t, "dev1")
			limit.set(&cfg, is)
			_, err := cfg.Check()
			var wrong *ConfigError
			if is != 0 && (!errors.As(err, &wrong) || wrong.Field != limit.field) {
				t.Errorf("%s of %d: %v", limit.field, is, err)
			}
		}
	}
	cfg := config(t, "dev1")
	cfg.MaxConnections = 20
	if c, err := cfg.Check(); err != nil || c.MaxGuests != 10 {
		t.Errorf("of 20 connections %d are guests', %v", c.MaxGuests, err)
	}
	cfg.Times.ReapAfter = time.Minute + time.Millisecond
	if _, err := cfg.Check(); err == nil || !strings.Contains(err.Error(), "whole seconds") {
		t.Error(err)
	}
}
