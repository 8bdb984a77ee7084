package native

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// three are nodes of one ring that know each other.
func three(t *testing.T, change ...func(*Config)) (all []*mortal) {
	t.Helper()
	for i, name := range []string{"dev1", "dev2", "dev3"} {
		all = append(all, real(t, name, append(change, func(c *Config) {
			if i > 0 {
				c.Join = []string{all[0].Addr()}
			}
		})...))
	}
	for _, n := range all {
		eventually(t, "the ring at "+n.Name(), func() bool { return names(n.Up()) == "dev1 dev2 dev3" })
	}
	return all
}

// ears is somebody who listens, and tells what it hears in words.
func ears(t *testing.T, n *Node, patterns ...string) <-chan string {
	t.Helper()
	heard, err := n.Listen(t.Context(), patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return words(t, heard)
}

func words(t *testing.T, heard iter.Seq[Message]) <-chan string {
	told := make(chan string)
	ctx := t.Context()
	go func() {
		for m := range heard {
			text := fmt.Sprintf("%s %s %q", m.From, m.Topic, m.Payload)
			if m.Told {
				text += " told"
			}
			if wait := m.Until.Sub(m.At); !m.Until.IsZero() && wait > 0 && wait <= time.Minute {
				text += " asked"
			}
			if m.Gap {
				text = "gap " + m.From
			}
			select {
			case told <- text:
			case <-ctx.Done():
			}
		}
		close(told)
	}()
	return told
}

func hears(t *testing.T, ears <-chan string, want ...string) {
	t.Helper()
	for _, text := range want {
		if got := receive(t, text, ears); got != text {
			t.Fatalf("%s, not %s", got, text)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func codeOf(err error) wire.Code {
	var no *CommandError
	if errors.As(err, &no) {
		return no.Code
	}
	return 0
}

func TestSend(t *testing.T) {
	all := three(t, func(c *Config) { c.Tags = []wire.Tag{{Key: "is", Value: c.Name}} })
	ctx := soon(t)
	var chat []<-chan string
	for _, n := range all {
		chat = append(chat, ears(t, n.Node, "chat.*", "deploy"))
	}
	other := ears(t, all[1].Node, "*.room")
	must(t, all[0].Send(ctx, "nobody.listens", []byte("x")))
	must(t, all[0].Send(ctx, "chat.room", []byte("hello")))
	must(t, all[2].Send(ctx, "chat.b", []byte("\x00\xff")))
	filter, err := core.ParseFilter([]string{"is!=dev2"}, "", "")
	must(t, err)
	for i := range all {
		got := []string{receive(t, "a message", chat[i]), receive(t, "a message", chat[i])}
		slices.Sort(got) // of two who send, no order is promised
		if want := []string{`dev1 chat.room "hello"`, `dev3 chat.b "\x00\xff"`}; !slices.Equal(got, want) {
			t.Fatalf("at %s: %q", all[i].Name(), got)
		}
	}
	hears(t, other, `dev1 chat.room "hello"`)
	must(t, all[0].Send(ctx, "deploy", nil, Among(filter)))
	must(t, all[0].Send(ctx, "deploy", []byte("all")))
	for i := range all {
		if i != 1 {
			hears(t, chat[i], `dev1 deploy ""`)
		}
		hears(t, chat[i], `dev1 deploy "all"`)
	}
	for what, err := range map[string]error{
		"topic":   all[0].Send(ctx, "no topic", nil),
		"payload": all[0].Send(ctx, "chat.room", make([]byte, wire.MaxPayload+1)),
	} {
		if codeOf(err) != wire.CodeInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	big := strings.Repeat("x", wire.MaxPayload)
	must(t, all[1].Send(ctx, "chat.big", []byte(big)))
	for i := range all {
		hears(t, chat[i], fmt.Sprintf("dev2 chat.big %q", big))
	}
}

func TestTell(t *testing.T) {
	all := three(t)
	ctx := soon(t)
	heard := ears(t, all[1].Node, "job.*")
	other := ears(t, all[2].Node, "*")
	must(t, all[0].Tell(ctx, "dev2", "job.start", []byte("7")))
	hears(t, heard, `dev1 job.start "7" told`)
	must(t, all[1].Tell(ctx, "dev2", "job.start", []byte("8"))) // itself
	hears(t, heard, `dev2 job.start "8" told`)
	if err := all[0].Tell(ctx, "dev2", "other", nil); codeOf(err) != wire.CodeNobody {
		t.Errorf("nobody hears it: %v", err)
	}
	if err := all[0].Tell(ctx, "dev9", "job.start", nil); codeOf(err) != wire.CodeUnknown {
		t.Errorf("to nobody: %v", err)
	}
	must(t, all[0].Send(ctx, "end", nil))
	hears(t, other, `dev1 end ""`)
}

func collect(t *testing.T, a *Answers) (said []string) {
	t.Helper()
	for one := range a.All() {
		if one.Err != nil {
			said = append(said, one.From+": "+one.Err.Error())
		} else {
			said = append(said, one.From+" "+string(one.Payload))
		}
	}
	must(t, a.Err())
	slices.Sort(said)
	return said
}

func TestAsk(t *testing.T) {
	all := three(t)
	ctx := soon(t)
	hang := make(chan struct{})
	for i, n := range all {
		_, err := n.Answer("jobs.*", func(ctx context.Context, q Question) ([]byte, error) {
			switch {
			case q.Topic == "jobs.fail" && i == 1:
				return nil, errors.New("the disk is full")
			case q.Topic == "jobs.busy" && i == 1:
				return nil, ErrBusy
			case q.Topic == "jobs.long" && i == 1:
				return make([]byte, wire.MaxPayload+1), nil
			case q.Topic == "jobs.hang" && i == 1:
				select {
				case <-hang:
				case <-ctx.Done():
				}
			}
			return fmt.Appendf(nil, "%s asks %s", q.From, q.Payload), nil
		})
		must(t, err)
	}
	ask := func(topic string, options ...Option) *Answers {
		t.Helper()
		a, err := all[0].Ask(ctx, topic, []byte("?"), append([]Option{Within(time.Minute)}, options...)...)
		must(t, err)
		return a
	}
	heard := ears(t, all[2].Node, "jobs.list")
	for topic, of2 := range map[string]string{
		"jobs.list": "dev2 dev1 asks ?",
		"jobs.fail": "dev2: the disk is full",
		"jobs.busy": "dev2: it has too many questions to answer",
		"jobs.long": "dev2: the answer has 8193 bytes, and may have 8192",
	} {
		a := ask(topic)
		want := []string{"dev1 dev1 asks ?", of2, "dev3 dev1 asks ?"}
		if got := collect(t, a); !slices.Equal(got, want) || len(a.Silent()) != 0 {
			t.Errorf("%s: %q, silent %q", topic, got, a.Silent())
		}
	}
	hears(t, heard, `dev1 jobs.list "?" asked`)
	only2, err := core.ParseFilter(nil, "", "dev2")
	must(t, err)
	a := ask("jobs.hang", Within(100*time.Millisecond), Among(only2))
	if got := collect(t, a); len(got) > 0 || !slices.Equal(a.Silent(), []string{"dev2"}) {
		t.Errorf("%q, silent %q", got, a.Silent())
	}
	a = ask("jobs.hang", Limit(2))
	if got := collect(t, a); !slices.Equal(got, []string{"dev1 dev1 asks ?", "dev3 dev1 asks ?"}) || !slices.Equal(a.Silent(), []string{"dev2"}) {
		t.Errorf("%q, silent %q", got, a.Silent())
	}
	a = ask("jobs.hang", Limit(1))
	if got := collect(t, a); len(got) != 1 || !slices.Contains(a.Silent(), "dev2") {
		t.Errorf("one answer: %q, silent %q", got, a.Silent())
	}
	close(hang)
	if got := collect(t, ask("nobody.answers")); len(got) != 0 {
		t.Errorf("%q", got)
	}
	filter, err := core.ParseFilter(nil, "", "dev3")
	must(t, err)
	if got := collect(t, ask("jobs.list", Among(filter))); !slices.Equal(got, []string{"dev3 dev1 asks ?"}) {
		t.Errorf("%q", got)
	}
	if _, err := all[0].Ask(ctx, "jobs.list", nil, Within(time.Hour)); codeOf(err) != wire.CodeInvalid {
		t.Error(err)
	}
}

// TestAskEnds: who breaks off calls the question off; so does its context; a node that
// ends leaves nobody waiting.
func TestAskEnds(t *testing.T) {
	n := real(t, "dev1").Node
	called, ended := make(chan struct{}, 9), make(chan struct{}, 9)
	_, err := n.Answer("hang", func(ctx context.Context, q Question) ([]byte, error) {
		called <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	})
	must(t, err)
	stop, err := n.Answer("now", func(context.Context, Question) ([]byte, error) { return []byte("yes"), nil })
	must(t, err)
	a, err := n.Ask(t.Context(), "now", nil, Within(time.Minute))
	must(t, err)
	for range a.All() {
		break
	}
	stop()
	stop()
	eventually(t, "that nobody answers", func() bool {
		a, err := n.Ask(t.Context(), "now", nil, Within(time.Minute))
		must(t, err)
		return len(collect(t, a)) == 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	if a, err = n.Ask(ctx, "hang", nil, Within(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	receive(t, "the question", called)
	cancel()
	for range a.All() {
		t.Fatal("an answer")
	}
	if a.Err() != context.Canceled {
		t.Fatal(a.Err())
	}
	if a, err = n.Ask(t.Context(), "hang", nil, Within(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	receive(t, "the question", called)
	go n.Close()
	for range a.All() {
		t.Fatal("an answer")
	}
	if a.Err() != ErrStopped {
		t.Fatal(a.Err())
	}
	receive(t, "its end", ended)
	receive(t, "its end", ended)
	<-n.Done()
	if _, err := n.Ask(t.Context(), "now", nil); err != ErrStopped {
		t.Error(err)
	}
	if _, err := n.Listen(t.Context(), "now"); err != ErrStopped {
		t.Error(err)
	}
}

// TestAnswerIsBounded: 16 at a time, 256 wait, and more are busy.
func TestAnswerIsBounded(t *testing.T) {
	n := real(t, "dev1").Node
	var now, most atomic.Int32
	goOn := make(chan struct{})
	_, err := n.Answer("slow", func(context.Context, Question) ([]byte, error) {
		if at := now.Add(1); at > most.Load() {
			most.Store(at)
		}
		<-goOn
		now.Add(-1)
		return nil, nil
	})
	must(t, err)
	var all []*Answers
	for range mostAnswering + mostWaiting + 3 {
		a, err := n.Ask(t.Context(), "slow", nil, Within(time.Minute))
		must(t, err)
		all = append(all, a)
	}
	busy := 0
	for i := len(all) - 3; i < len(all); i++ {
		for one := range all[i].All() {
			if codeOf(one.Err) == wire.CodeBusy {
				busy++
			}
		}
	}
	if got := n.hearing.answering(); got != mostAnswering+mostWaiting || busy != 3 {
		t.Errorf("%d are being answered, %d were busy", got, busy)
	}
	close(goOn)
	for _, a := range all[:len(all)-3] {
		if got := collect(t, a); len(got) != 1 {
			t.Fatalf("%q", got)
		}
	}
	if most.Load() != mostAnswering {
		t.Errorf("%d at a time", most.Load())
	}
	eventually(t, "rest", func() bool { return n.hearing.answering() == 0 })
}

// TestUnreadMessages: who does not read loses the oldest, and is told so.
func TestUnreadMessages(t *testing.T) {
	n := real(t, "dev1").Node
	slow, err := n.Listen(t.Context(), "n")
	must(t, err)
	reads := ears(t, n, "n")
	for i := range mostUnread + 3 {
		must(t, n.Send(t.Context(), "n", fmt.Append(nil, i)))
		hears(t, reads, fmt.Sprintf(`dev1 n "%d"`, i))
	}
	if got := n.Status().Messages; got != (Talk{Listeners: 2, Unread: mostUnread, Recent: mostUnread + 3}) {
		t.Errorf("%+v", got)
	}
	told := words(t, slow)
	hears(t, told, "gap ")
	for i := 3; i < mostUnread+3; i++ {
		hears(t, told, fmt.Sprintf(`dev1 n "%d"`, i))
	}
}

// TestPatterns: what is heard is the union of what all who listen want, and no more.
func TestPatterns(t *testing.T) {
	n := real(t, "dev1").Node
	if err := n.Tell(t.Context(), "dev1", "a", nil); codeOf(err) != wire.CodeNobody {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	heard, err := n.Listen(ctx, "a", "b")
	must(t, err)
	for range 2 { // two of one pattern
		if _, err := n.Listen(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
	}
	must(t, n.Tell(t.Context(), "dev1", "a", nil))
	cancel()
	for range heard {
		t.Fatal("heard after the end")
	}
	eventually(t, "that a is not heard", func() bool { return codeOf(n.Tell(t.Context(), "dev1", "a", nil)) == wire.CodeNobody })
	must(t, n.Tell(t.Context(), "dev1", "b", nil))
	// More patterns than a node has: it hears all, and tells each what it wants.
	var each []<-chan string
	for i := range 2 * wire.MaxTopics {
		each = append(each, ears(t, n, fmt.Sprintf("topic.%d", i), "end"))
	}
	must(t, n.Send(t.Context(), "topic.100", nil))
	must(t, n.Send(t.Context(), "end", nil))
	for i := range each {
		if i == 100 {
			hears(t, each[i], `dev1 topic.100 ""`)
		}
		hears(t, each[i], `dev1 end ""`)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("*", 65)} {
		if _, err := n.Listen(t.Context(), bad); codeOf(err) != wire.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := n.Answer(bad, nil); codeOf(err) != wire.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := n.Listen(t.Context(), make([]string, 65)...); codeOf(err) != wire.CodeInvalid {
		t.Error(err)
	}
}
