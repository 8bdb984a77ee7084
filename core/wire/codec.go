package wire

// Append appends the frame's encoding. It does not check the limits: who builds
// a frame keeps them. A frame of no known kind appends nothing.
func (f *Frame) Append(dst []byte) []byte {
	if int(f.Kind) >= len(lengths) || lengths[f.Kind] == 0 {
		return dst
	}
	w := writer{append(dst, 0x90|byte(lengths[f.Kind]), byte(f.Kind))}
	switch f.Kind {
	case KindGossip, KindAck, KindSync, KindSynced, KindProbe, KindRefused, KindAlive, KindTell, KindSaid:
		w.uint(f.Seq)
	}
	switch f.Kind {
	case KindHello:
		w.hello(&f.Hello)
	case KindGossip, KindAck:
		w.uint(uint64(f.Wall))
		w.uint(f.Fingerprint)
		w.records(f.Records)
	case KindRumor:
		w.records(f.Records)
	case KindSynced:
		w.uint(f.Handled)
		w.items(f.Items)
	case KindSync:
		w.items(f.Items)
	case KindAlive:
		w.instance(&f.Instance)
	case KindRelay:
		w.string(f.From)
		w.string(f.To)
		w.uint(uint64(f.Hops))
		w.bytes(f.Inner)
	case KindError:
		w.uint(uint64(f.Code))
		w.string(f.Text)
	case KindCordon:
		w.uint(uint64(count(f.On)))
	case KindMessage:
		w.messages(f.Messages)
	case KindSeen:
		w.uint(f.Window)
		w.streams(f.Streams)
	case KindHave, KindWant:
		w.streams(f.Streams)
	case KindTook:
		w.uint(f.Bytes)
	case KindHear:
		w.texts(f.Topics)
		w.uint(f.Window)
		w.streams(f.Streams)
	case KindTell:
		w.uint(f.Tell.Before)
		w.uint(f.Tell.Age)
		w.instance(&f.Instance)
		w.string(f.Tell.Topic)
		w.bytes(f.Tell.Payload)
	case KindSaid:
		w.uint(uint64(f.Code))
	case KindIDs:
		w.ids(f.IDs)
	case KindKnown, KindLack:
		w.digests(f.Digests)
	case KindAnswers:
		w.string(f.Asker)
		w.instance(&f.Instance)
		w.uint(f.Seq)
		w.answers(f.Answers)
	}
	return w.b
}

// lengths are those of the frames' arrays.
var lengths = [Kinds]int{
	KindHello: 2, KindGossip: 5, KindAck: 5, KindRumor: 2, KindSync: 3, KindSynced: 4,
	KindProbe: 2, KindAlive: 3, KindRelay: 5, KindError: 3, KindRefused: 2, KindCordon: 2,
	KindMessage: 2, KindSeen: 3, KindHave: 2, KindWant: 2, KindTook: 2, KindHear: 4, KindTell: 7, KindSaid: 3, KindAnswers: 5, KindIDs: 2,
	KindKnown: 2, KindLack: 2,
}

// reset empties f, but for the space of its slices.
//
//go:noinline
func (f *Frame) reset() {
	*f = Frame{Records: f.Records[:0], Items: f.Items[:0], Messages: f.Messages[:0], Streams: f.Streams[:0]}
}

// Decode makes f the frame that b is the encoding of. f's slices are used
// again; its strings share one copy of b. After an error, which is always an
// *Error, f is empty.
func (f *Frame) Decode(b []byte) error {
	f.reset()
	if len(b) > MaxFrame {
		return &Error{Class: ErrTooBig, Where: "frame", Detail: "longer than 262144 bytes", Offset: MaxFrame}
	}
	r := reader{s: string(b)}
	r.frame(f)
	err := r.done("frame")
	if err != nil {
		f.reset()
	}
	return err
}

func (r *reader) frame(f *Frame) {
	f.Kind = r.kind()
	switch f.Kind {
	case KindHello:
		r.hello(&f.Hello)
	case KindGossip, KindAck:
		f.Seq = r.uint("frame.seq")
		f.Wall = r.time("frame.wall")
		f.Fingerprint = r.uint("frame.print")
		f.Records = r.records(f.Records)
	case KindRumor:
		f.Records = r.records(f.Records)
	case KindSync:
		f.Seq = r.uint("frame.seq")
		f.Items = r.items(f.Items)
	case KindSynced:
		f.Seq = r.uint("frame.seq")
		f.Handled = r.uint("frame.handled")
		f.Items = r.items(f.Items)
	case KindProbe, KindAlive, KindRefused, KindCordon, KindTell, KindSaid, KindAnswers:
		r.addressed(f)
	case KindRelay:
		f.From = r.name("relay.from")
		f.To = r.name("relay.to")
		f.Hops = uint8(r.upTo(0, MaxHops, "relay.hops"))
		f.Inner = r.inner()
	case KindError:
		f.Code = Code(r.upTo(uint64(CodeBye), 1<<16-1, "error.code"))
		at := r.i
		if f.Text = r.text("error.text"); len(f.Text) > MaxText {
			r.fail(at, ErrTooBig, "error.text", "longer than 1024 bytes")
		}
	case KindMessage:
		f.Messages = r.messages(f.Messages)
	case KindSeen:
		f.Window = r.upTo(0, Window, "seen.window")
		f.Streams = r.streams(f.Streams)
	case KindHave, KindWant:
		f.Streams = r.streams(f.Streams)
	case KindTook:
		f.Bytes = r.uint("took.bytes")
	case KindHear:
		f.Topics = r.patterns("hear.topics")
		f.Window = r.upTo(0, Window, "hear.window")
		f.Streams = r.streams(f.Streams)
	case KindIDs:
		f.IDs = r.ids("ids")
	case KindKnown, KindLack:
		f.Digests = r.digests()
	}
}

// kind takes the header of a frame's array, and its kind.
func (r *reader) kind() Kind {
	at := r.i
	n := r.array("frame")
	kindAt := r.i
	k := r.uint("frame.kind")
	switch {
	case r.err != nil:
		return 0
	case k >= uint64(len(lengths)) || lengths[k] == 0:
		r.fail(kindAt, ErrKind, "frame.kind", "no such kind")
		return 0
	case n != lengths[k]:
		r.fail(at, ErrShape, "frame", "an array of another length than its kind has")
		return 0
	}
	return Kind(k)
}

// addressed takes the rest of a frame that may be relayed.
func (r *reader) addressed(f *Frame) {
	switch f.Kind {
	case KindCordon:
		f.On = r.upTo(0, 1, "cordon.on") == 1
		return
	case KindAnswers:
		f.Asker = r.name("answers.asker")
		f.Instance = r.instance("answers.instance")
		f.Seq = r.number("answers.seq")
		f.Answers = r.answers()
		return
	}
	f.Seq = r.uint("frame.seq")
	switch f.Kind {
	case KindAlive:
		f.Instance = r.instance("alive.instance")
	case KindTell:
		f.Tell.Before = r.uint("tell.before")
		f.Tell.Age = r.upTo(0, Window, "tell.age")
		f.Instance = r.instance("tell.instance")
		at := r.i
		f.Tell.Topic = r.text("tell.topic")
		r.topic(at, f.Tell.Topic, false, "tell.topic")
		f.Tell.Payload = r.payload("tell.payload")
	case KindSaid:
		f.Code = Code(r.upTo(0, 1<<16-1, "said.code"))
	}
}

// isRelayed says whether frames of a kind may be in a relay.
func isRelayed(k Kind) bool {
	return k == KindProbe || k == KindAlive || k == KindCordon || k == KindTell || k == KindSaid || k == KindAnswers
}

// inner takes the frame in a relay, and checks that it is one that is relayed.
func (r *reader) inner() string {
	s := r.bytes("relay.inner")
	whole, end := r.s, r.i
	r.s, r.i = r.s[:end], end-len(s)
	at := r.i
	var f Frame
	if f.Kind = r.kind(); !isRelayed(f.Kind) {
		r.fail(at, ErrKind, "relay.inner", "none of probe, alive, cordon, tell, said and answers")
	} else {
		r.addressed(&f)
	}
	if r.done("relay.inner") != nil {
		return ""
	}
	r.s, r.i = whole, end
	return s
}
