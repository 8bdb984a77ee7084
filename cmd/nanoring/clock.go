package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// clock is a clock of a node that is not let in for it, as the API has it.
type clock struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Ahead   int64     `json:"ahead_micros"`
	Since   time.Time `json:"since"`
	Text    string    `json:"text"`
}

// shownClocks is how many are shown one by one: there may be as many as nodes.
const shownClocks = 5

// offBy says how far a clock is from the one of the node that is asked; "" if that
// is not known.
func offBy(aheadMicros int64) string {
	const most = math.MaxInt64/int64(time.Microsecond) - 1e6 // a peer says whatever it likes
	switch d := (time.Duration(min(max(aheadMicros, -most), most)) * time.Microsecond).Round(time.Second); {
	case d > 0:
		return d.String() + " ahead"
	case d < 0:
		return (-d).String() + " behind"
	}
	return ""
}

func (c *clock) text() string {
	who := orDash(c.Name)
	if c.Name == "" {
		who = "the node at " + c.Address
	}
	if off := offBy(c.Ahead); off != "" {
		return "that of " + who + " is " + off
	}
	return who + " says: " + c.Text
}

// clockRows says what is wrong with clocks, and what to do.
func (s *status) clockRows() (rows []string) {
	switch since := s.OwnClockSince.Local().Format(time.DateTime); {
	case len(s.Clocks) == 0:
		return nil
	case s.OwnClockSince.IsZero():
		rows = []string{"nodes are not let in whose clocks are wrong, by over a minute: run NTP on their hosts"}
	case len(s.Clocks) == 1:
		rows = []string{"this node's or the other's is wrong: since " + since + " they do not let each other in; run NTP on both hosts"}
	default:
		rows = []string{"this node's is wrong, probably: since " + since + " no other lets it in; run NTP on this host" + s.ownOff()}
	}
	for _, c := range s.Clocks[:min(len(s.Clocks), shownClocks)] {
		rows = append(rows, c.text())
	}
	if more := len(s.Clocks) - shownClocks; more > 0 {
		rows = append(rows, fmt.Sprintf("and %d more (-o json has all)", more))
	}
	return rows
}

// ownOff says what this node's clock is off by, as most others have it.
func (s *status) ownOff() string {
	var by []int64
	for _, c := range s.Clocks {
		if c.Ahead != 0 {
			by = append(by, -c.Ahead)
		}
	}
	if len(by) == 0 {
		return ""
	}
	slices.Sort(by)
	return ", it is " + offBy(by[len(by)/2])
}

// standing is the node's state, with the reason if there is one.
func (m *member) standing() string {
	is := m.State
	if m.Cordoned {
		is += ", cordoned"
	}
	switch off := offBy(m.Ahead); {
	case m.Reason == "":
		return is
	case m.Reason != "clock-skew":
		return is + ", " + m.Reason
	case off == "":
		return is + ", a clock is wrong"
	default:
		return is + ", its clock is " + off
	}
}
