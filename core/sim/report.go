package sim

import (
	"slices"

	"github.com/nanoring/nanoring/core"
)

// Report is how a ring did in a Plan. Times are microseconds of virtual time.
type Report struct {
	Stood    bool  // everybody showed everybody before the plan began
	JoinedIn int64 // from the first node's start to the last's
	StoodIn  int64 // to when everybody showed everybody

	JoinTraffic, Traffic Traffic  // until the ring stood, and from then on
	JoinChanges, Changes []Change // likewise, those that there were

	FalseSuspicions, FalseDeaths           int // of durable nodes
	GuestFalseSuspicions, GuestFalseDeaths int
	Halted                                 int // processes that ended without having been asked

	Spoken Spoken // of a Plan's Speech

	RingFile int     // bytes of a node's at the end
	Records  int     // in it
	Steps    float64 // of a node's engine in a second, once the ring stood
	Memory   int     // bytes that one of the engines holds on to at the end, of a sample alone

	Wrong, Pairs int // of the pairs of nodes at the end
	Samples      []Sample
}

// Change is how long changes of one kind took until all showed them: all durable
// nodes that ran when it happened and still run.
type Change struct {
	Kind      ChangeKind
	Count     int
	Overtaken int   // by the node's own next change
	Open      int   // not shown by all at the end
	Found     Times // of deaths and cuts: until the first suspected the node, or held it for down
	Shown     Times // until the last showed the change
}

// Times sum up times: half of them are at most P50, 99 % at most P99.
type Times struct {
	Count         int
	P50, P99, Max int64
}

// Traffic is what all nodes sent, guests too: frames and their bytes, without
// WebSocket's, TCP's and IP's headers.
type Traffic struct {
	Frames, Bytes uint64
	NodeTime      int64 // microseconds that all of them ran, added up
	Copies        Copies
}

// Sample is how well the ring agreed at one time.
type Sample struct {
	At    int64   // since it stood
	Pairs float64 // the share of pairs of a durable node that runs and another node of which the one shows what is true
	Nodes float64 // the share of durable nodes that run and show nothing that is wrong
	Bytes int64   // that a node sent in a second, since the sample before
}

func timesOf(all []int64) Times {
	slices.Sort(all)
	n := len(all)
	if n == 0 {
		return Times{}
	}
	at := func(percent int) int64 { return all[(n*percent+99)/100-1] }
	return Times{Count: n, P50: at(50), P99: at(99), Max: all[n-1]}
}

// takeChanges returns what was measured, and begins anew.
func (t *watch) takeChanges() (all []Change) {
	for k := range t.times {
		m := &t.times[k]
		if m.count == 0 && m.overtaken == 0 && len(m.shown) == 0 {
			continue
		}
		all = append(all, Change{
			Kind: ChangeKind(k), Count: m.count, Overtaken: m.overtaken, Open: m.open,
			Found: timesOf(m.found), Shown: timesOf(m.shown),
		})
		*m = times{count: m.open, open: m.open}
	}
	return all
}

// mark is what was sent up to some time.
type mark struct {
	frames, bytes uint64
	nodeTime      int64
	copies        Copies
	steps         uint64
}

func (l *life) newMark() mark {
	l.watch.count(0)
	return mark{l.w.frames, l.w.bytes, l.watch.nodeTime, l.w.copies.Copies, l.w.lived}
}

func (l *life) trafficSince(m mark) Traffic {
	now := l.newMark()
	return Traffic{Frames: now.frames - m.frames, Bytes: now.bytes - m.bytes, NodeTime: now.nodeTime - m.nodeTime, Copies: now.copies.since(m.copies)}
}

func (l *life) sample() Sample {
	s := Sample{At: l.w.now - l.began, Pairs: l.watch.right()}
	now := l.newMark()
	if d := now.nodeTime - l.sampled.nodeTime; d > 0 {
		s.Bytes = int64(float64(now.bytes-l.sampled.bytes) * float64(core.Second) / float64(d))
	}
	l.sampled = now
	looking, right := 0, 0
	for i := range l.watch.nodes {
		if n := &l.watch.nodes[i]; n.shows != nil {
			looking++
			if n.off == 0 {
				right++
			}
		}
	}
	s.Nodes = float64(right) / float64(max(looking, 1))
	return s
}

// finish fills in what is known at the end.
func (l *life) finish(r *Report) error {
	t := l.watch
	l.speech.finish(r)
	r.Traffic = l.trafficSince(l.mark)
	r.Steps = float64(l.w.lived-l.mark.steps) * float64(core.Second) / float64(max(r.Traffic.NodeTime, 1))
	r.Changes = t.takeChanges()
	r.FalseSuspicions, r.FalseDeaths = t.suspects[0], t.deaths[0]
	r.GuestFalseSuspicions, r.GuestFalseDeaths = t.suspects[1], t.deaths[1]
	r.Halted = t.halted
	r.Wrong, r.Pairs = t.off, t.looking*(t.known-1)
	for i, m := range l.w.machines {
		if t.nodes[i].shows == nil {
			continue
		}
		b, err := m.Snapshot()
		if err == nil {
			err = l.w.snap.Decode(b)
		}
		if err != nil {
			return err
		}
		r.RingFile, r.Records = len(b), len(l.w.snap.Records)
		if l.Sample > 0 {
			r.Memory = footprintOf(m.proc.eng).bytes
		}
		break
	}
	return nil
}
