package wire

// News is what an engine that takes over is given of messages: those that are news, and
// notes of all else. What they say is between the two engines.
type News struct {
	Window []Message
	Notes  []Note
}

// Note is one of them.
type Note struct {
	About          uint8
	Name           string
	Instance       Instance
	Numbers        [10]uint64
	Topic, Payload string
	Texts          []string
}

// Note adds one with these numbers.
//
//go:noinline
func (n *News) Note(about uint8, name string, numbers ...uint64) *Note {
	n.Notes = append(n.Notes, Note{About: about, Name: name})
	one := &n.Notes[len(n.Notes)-1]
	copy(one.Numbers[:], numbers)
	return one
}

func (w *writer) news(n *News) {
	w.array(2)
	w.messages(n.Window)
	w.array(len(n.Notes))
	for i := range n.Notes {
		one := &n.Notes[i]
		w.array(6 + len(one.Numbers))
		w.uint(uint64(one.About))
		w.string(one.Name)
		w.instance(&one.Instance)
		for _, v := range one.Numbers {
			w.uint(v)
		}
		w.string(one.Topic)
		w.bytes(one.Payload)
		w.texts(one.Texts)
	}
}

func (r *reader) news(n *News) {
	const where = "snapshot.news"
	r.shape(2, where)
	n.Window = r.messages(nil)
	for left := r.array(where); left > 0 && r.err == nil; left-- {
		n.Notes = append(n.Notes, Note{})
		one := &n.Notes[len(n.Notes)-1]
		r.shape(6+len(one.Numbers), where)
		one.About = uint8(r.upTo(0, 255, where))
		one.Name = r.name(where)
		one.Instance = r.instance(where)
		for i := range one.Numbers {
			one.Numbers[i] = r.uint(where)
		}
		one.Topic = r.text(where)
		one.Payload = r.payload(where)
		one.Texts = r.patterns(where)
	}
}
