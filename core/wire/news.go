package wire

import "math"

// News is what an engine that takes over is given of messages. Ages are milliseconds
// when it was written.
type News struct {
	At        int64    // when it was written, on the monotonic clock
	Up        uint64   // milliseconds for which the process was up, Window at most
	Seq       uint64   // the number of this node's last message
	Before    uint64   // and of the last that was no tell; 0 for none
	BeforeAge uint64   // its age
	Number    uint64   // of the last question that somebody here was given
	Messages  []string // patterns of what is heard,
	Questions []string // and answered
	Heard     []Heard
	Window    []Message
	Telling   []Telling
	Unsaid    []Unsaid
	Asked     []Inquiry
	Open      []Question
	Guests    []uint64 // connections of those that hear
}

// Heard is how far the messages of a process were heard, and its tells taken in.
type Heard struct {
	Name       string
	Instance   Instance
	Last, Told uint64
}

// Telling is a tell that is not confirmed.
type Telling struct {
	Unsaid
	To, Topic, Payload string
}

// Unsaid is a command of which the result is awaited, with the number of its message.
type Unsaid struct{ ID, Seq, Age uint64 }

// Inquiry is a question of this node's own. Left is how many answers are wanted, 0 for all, and
// Wait for how many milliseconds.
type Inquiry struct {
	ID, Seq, Left, Wait uint64
	Silent, Said        []string
}

// Question is one that is open, and which way its answers go.
type Question struct {
	Name                    string
	Instance                Instance
	Seq, Number, From, Wait uint64
	Answers                 []Answer
}

func (w *writer) uints(all ...uint64) {
	for _, v := range all {
		w.uint(v)
	}
}

func (w *writer) news(n *News) {
	w.array(15)
	w.uints(uint64(n.At), n.Up, n.Seq, n.Before, n.BeforeAge, n.Number)
	w.texts(n.Messages)
	w.texts(n.Questions)
	w.array(len(n.Heard))
	for i := range n.Heard {
		h := &n.Heard[i]
		w.array(4)
		w.string(h.Name)
		w.instance(&h.Instance)
		w.uints(h.Last, h.Told)
	}
	w.messages(n.Window)
	w.array(len(n.Telling))
	for i := range n.Telling {
		t := &n.Telling[i]
		w.array(6)
		w.uints(t.ID, t.Seq, t.Age)
		w.string(t.To)
		w.string(t.Topic)
		w.bytes(t.Payload)
	}
	w.array(len(n.Unsaid))
	for _, u := range n.Unsaid {
		w.array(3)
		w.uints(u.ID, u.Seq, u.Age)
	}
	w.array(len(n.Asked))
	for i := range n.Asked {
		a := &n.Asked[i]
		w.array(6)
		w.uints(a.ID, a.Seq, a.Left, a.Wait)
		w.texts(a.Silent)
		w.texts(a.Said)
	}
	w.array(len(n.Open))
	for i := range n.Open {
		q := &n.Open[i]
		w.array(7)
		w.string(q.Name)
		w.instance(&q.Instance)
		w.uints(q.Seq, q.Number, q.From, q.Wait)
		w.answers(q.Answers)
	}
	w.array(len(n.Guests))
	w.uints(n.Guests...)
}

func (r *reader) news() *News {
	n := new(News)
	r.shape(15, handed)
	n.At = r.time(handed)
	n.Up = r.upTo(0, Window, handed)
	n.Seq, n.Before = r.handed(), r.handed()
	n.BeforeAge, n.Number = r.handed(), r.handed()
	n.Messages, n.Questions = r.patterns(handed), r.patterns(handed)
	for left := r.several(); left > 0 && r.err == nil; left-- {
		r.shape(4, handed)
		n.Heard = append(n.Heard, Heard{r.name(handed), r.instance(handed), r.handed(), r.handed()})
	}
	n.Window = r.messages(nil)
	for left := r.several(); left > 0 && r.err == nil; left-- {
		r.shape(6, handed)
		n.Telling = append(n.Telling, Telling{r.unsaid(), r.name(handed), r.text(handed), r.payload(handed)})
	}
	for left := r.several(); left > 0 && r.err == nil; left-- {
		r.shape(3, handed)
		n.Unsaid = append(n.Unsaid, r.unsaid())
	}
	for left := r.several(); left > 0 && r.err == nil; left-- {
		r.shape(6, handed)
		n.Asked = append(n.Asked, Inquiry{r.handed(), r.handed(), r.handed(), r.upTo(0, MaxWait, handed),
			r.texts(math.MaxInt, handed), r.texts(math.MaxInt, handed)})
	}
	for left := r.several(); left > 0 && r.err == nil; left-- {
		r.shape(7, handed)
		n.Open = append(n.Open, Question{r.name(handed), r.instance(handed), r.handed(), r.handed(), r.handed(),
			r.upTo(0, MaxWait, handed), r.answers()})
	}
	for left := r.several(); left > 0 && r.err == nil; left-- {
		n.Guests = append(n.Guests, r.handed())
	}
	return n
}

func (r *reader) unsaid() Unsaid {
	return Unsaid{r.handed(), r.handed(), r.handed()}
}

const handed = "snapshot.news"

//go:noinline
func (r *reader) handed() uint64 { return r.uint(handed) }

//go:noinline
func (r *reader) several() int { return r.array(handed) }
