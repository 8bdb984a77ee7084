package sim

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Speech is what is said in a Plan.
type Speech struct {
	Messages int // random nodes send so many, evenly from the beginning on, up to a time that leaves Rest
	Bytes    int // of payload
	Asks     int // and ask all so often, between them
}

// Spoken is what became of it.
type Spoken struct {
	Messages, Lost int     // Lost: by a node that was up, of a message
	Again          int     // heard by a node that had heard it
	Gaps           int     // that were announced
	Copies         float64 // of a payload that a node got, on average
	Bytes          float64 // of frames of messages that a node sent for one, on average
	All            Times   // until all had heard a message
	Answers        Times   // until an answer was there
	Missing        int     // answers
}

// Rest is for how long nothing is said at the end of a Plan.
const Rest = (wire.Window + 2000) * core.Millisecond

// speech is what is said in a plan that is lived, and who has heard it.
type speech struct {
	*life
	plan   Speech
	at     []int64           // of each message
	heard  []map[string]bool // who
	last   []int64           // when it was heard last
	asks   []int64           // when each was asked
	asked  map[uint64]int    // by command
	times  []int64
	copies int
	bytes  int
	r      Spoken
}

// listen has a machine hear all, and answer what is asked.
func (s *speech) listen(m *Machine) {
	if s != nil && m.proc != nil {
		s.w.whisper(m.proc, core.Command{Op: core.Hear, Hear: core.Subscription{Messages: []string{"m"}, Questions: []string{"q"}}}, 0)
	}
}

// next is when something is said next; 0 for never any more.
func (s *speech) next() int64 {
	if s == nil {
		return 0
	}
	n := len(s.at) + len(s.asks)
	if all := s.plan.Messages + s.plan.Asks; n < all {
		return s.began + (s.For-Rest)*int64(n)/int64(all)
	}
	return 0
}

// say says it.
func (s *speech) say() {
	all := s.running()
	p := all[s.rng.IntN(len(all))].proc
	n := len(s.at) + len(s.asks)
	if s.plan.Asks > 0 && (n+1)*s.plan.Asks/(s.plan.Messages+s.plan.Asks) > len(s.asks) {
		id := s.w.whisper(p, core.Command{Op: core.Ask, Topic: "q", Timeout: 20 * core.Second}, 0)
		s.asked[id] = len(s.asks)
		s.asks = append(s.asks, s.w.now)
		return
	}
	payload := strconv.Itoa(len(s.at)) + ":"
	payload += strings.Repeat("x", max(0, s.plan.Bytes-len(payload)))
	s.at = append(s.at, s.w.now)
	s.heard = append(s.heard, make(map[string]bool))
	s.last = append(s.last, 0)
	s.w.whisper(p, core.Command{Op: core.SendMessage, Topic: "m", Payload: payload}, 0)
}

// event takes in what a node is told of messages.
func (s *speech) event(m *Machine, e *core.Event) {
	switch e.Kind {
	case core.EventHeard:
		if e.Question != 0 {
			s.w.whisper(m.proc, core.Command{Op: core.Answer, Question: e.Question, Payload: "me"}, 0)
			return
		}
		number, _, _ := strings.Cut(e.Payload, ":")
		if i, err := strconv.Atoi(number); err == nil && i < len(s.at) {
			if s.heard[i][m.name] {
				s.r.Again++
			}
			s.heard[i][m.name] = true
			s.last[i] = s.w.now
		}
	case core.EventGap:
		s.r.Gaps++
	case core.EventAnswer:
		if i, ok := s.asked[e.ID]; ok && e.Code == 0 {
			s.times = append(s.times, s.w.now-s.asks[i])
		}
	}
}

// sent counts the payloads in a frame.
func (s *speech) sent(frame []byte) {
	if len(frame) < 2 || frame[1] < byte(wire.KindMessage) || frame[1] > byte(wire.KindAnswers) {
		return
	}
	s.bytes += len(frame)
	if frame[1] == byte(wire.KindMessage) {
		var f wire.Frame
		if f.Decode(frame) == nil {
			for i := range f.Messages {
				if f.Messages[i].Topic == "m" {
					s.copies++
				}
			}
		}
	}
}

// finish sums up.
func (s *speech) finish(r *Report) {
	if s == nil {
		return
	}
	s.r.Messages = len(s.at)
	n := len(s.running())
	var all []int64
	for i := range s.at {
		s.r.Lost += n - len(s.heard[i])
		all = append(all, s.last[i]-s.at[i])
	}
	if said := len(s.at) * n; said > 0 {
		s.r.Copies, s.r.Bytes = float64(s.copies)/float64(said), float64(s.bytes)/float64(said)
	}
	s.r.Missing = n*len(s.asks) - len(s.times)
	s.r.All, s.r.Answers = timesOf(all), timesOf(slices.Clone(s.times))
	r.Spoken = s.r
}

// breakSome resets random connections, so that each is once in so long on average.
func (l *life) breakSome(every int64) {
	all := l.running()
	conns := 0
	for _, m := range all {
		conns += len(m.proc.conns)
	}
	n := float64(conns) / 2 * float64(resetEvery) / float64(every)
	for k := int(n) + bit(l.rng.Float64() < n-float64(int(n))); k > 0; k-- {
		m := all[l.rng.IntN(len(all))]
		ids := make([]core.ConnID, 0, len(m.proc.conns))
		for id := range m.proc.conns {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		if len(ids) == 0 {
			continue
		}
		if c := m.proc.conns[ids[l.rng.IntN(len(ids))]]; c.end[0].state == open && c.end[1].state == open && !c.end[0].broken {
			l.w.reset(c.conn, c.of, wire.CodeLost)
		}
	}
}

const resetEvery = 100 * core.Millisecond

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
