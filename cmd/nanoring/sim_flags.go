package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// parsed is a flag whose text is read by a function, and shown as it was given.
type parsed struct {
	text, kind string
	set        func(string) error
}

func (p *parsed) String() string { return p.text }
func (p *parsed) Type() string   { return p.kind }

func (p *parsed) Set(s string) error {
	if err := p.set(s); err != nil {
		return err
	}
	p.text = strings.TrimSpace(p.text + " " + s)
	return nil
}

// someNodes is a number of nodes, or a share of them.
type someNodes struct {
	n     int
	share float64
}

func (s someNodes) of(nodes int) int {
	if s.share > 0 {
		return max(1, int(math.Round(s.share*float64(nodes))))
	}
	return s.n
}

// simAct is an act as it was given: how many nodes it takes depends on --nodes.
type simAct struct {
	sim.Act
	flag, text string
	nodes      someNodes
}

func parseNodes(s string) (someNodes, error) {
	if strings.HasSuffix(s, "%") {
		share, err := parseShare(s)
		if err != nil || share == 0 {
			return someNodes{}, fmt.Errorf("%q is no share of the nodes: more than 0%%, up to 100%%", s)
		}
		return someNodes{share: share}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return someNodes{}, fmt.Errorf("%q is neither a number of nodes, like 3, nor a share of them, like 30%%", s)
	}
	return someNodes{n: n}, nil
}

// parseShare reads a percentage, from 0% to 100%.
func parseShare(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !strings.HasSuffix(s, "%") || !(v >= 0 && v <= 100) {
		return 0, fmt.Errorf("%q is no share: from 0%% to 100%%", s)
	}
	return v / 100, nil
}

func parseTime(s string) (int64, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time, like 40ms or 3m", s)
	}
	return d.Microseconds(), nil
}

// parseAct reads WHO@WHEN, and +HOW-LONG of what ends by itself.
func parseAct(kind sim.ActKind, s string) (a simAct, err error) {
	a.Kind = kind
	who, when, ok := strings.Cut(s, "@")
	long := ""
	back := false
	if kind == sim.Cut || kind == sim.Clock {
		i := strings.IndexAny(when, "+-")
		if !ok || i < 0 || kind == sim.Cut && when[i] == '-' {
			return a, errors.New(map[sim.ActKind]string{sim.Cut: "it is WHO@WHEN+HOW-LONG, like 50%@30s+60s", sim.Clock: "it is WHO@WHEN+HOW-FAR, like 2%@20s+50s, or 2%@20s-50s"}[kind])
		}
		when, long, back = when[:i], when[i+1:], when[i] == '-'
	} else if !ok {
		return a, errors.New("it is WHO@WHEN, like 30%@20s")
	}
	if a.nodes, err = parseNodes(who); err != nil {
		return a, err
	}
	if a.At, err = parseTime(when); err != nil {
		return a, err
	}
	if long != "" {
		a.For, err = parseTime(long)
	}
	if back {
		a.For = -a.For
	}
	return a, err
}

// parseLatency reads a time, or two: the least and the most.
func parseLatency(s string) (lo, hi int64, err error) {
	least, most, two := strings.Cut(s, "-")
	if lo, err = parseTime(least); err != nil {
		return 0, 0, err
	}
	if hi = lo; two {
		if hi, err = parseTime(most); err != nil {
			return 0, 0, err
		}
	}
	if hi < lo {
		return 0, 0, fmt.Errorf("%q goes backwards: it is LEAST-MOST, like 1ms-40ms", s)
	}
	return lo, hi, nil
}

// parseRate reads how often something happens, as the time between.
func parseRate(s string) (every int64, err error) {
	units := map[string]int64{"s": core.Second, "m": core.Minute, "h": core.Hour}
	n, unit, _ := strings.Cut(s, "/")
	v, err := strconv.ParseFloat(n, 64)
	if err != nil || units[unit] == 0 || !(v >= 0) {
		return 0, fmt.Errorf("%q is no rate, like 5/s, 10/m or 1/h", s)
	}
	if v == 0 {
		return 0, nil
	}
	return int64(min(float64(units[unit])/v, float64(core.Day))), nil
}
