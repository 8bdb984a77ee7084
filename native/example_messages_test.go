package native_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/nanoring/nanoring/native"
)

// A node listens, answers, sends and asks. In a ring of more, all that are up hear and
// are asked; here that is the node itself.
func Example_messages() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "nanoring-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	node, err := native.Start(ctx, native.Config{Name: "dev1", Data: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()

	chat, err := node.Listen(ctx, "chat.*") // from now on
	if err != nil {
		log.Fatal(err)
	}
	stop, err := node.Answer("jobs.count", func(_ context.Context, q native.Question) ([]byte, error) {
		return fmt.Appendf(nil, "7 %s jobs", q.Payload), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stop()

	if err := node.Send(ctx, "chat.room", []byte("hello")); err != nil {
		log.Fatal(err)
	}
	for m := range chat {
		fmt.Printf("%s on %s: %s\n", m.From, m.Topic, m.Payload)
		break
	}

	answers, err := node.Ask(ctx, "jobs.count", []byte("old"), native.Within(10*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	for a := range answers.All() {
		fmt.Printf("%s: %s\n", a.From, a.Payload)
	}
	fmt.Println("no answer from", answers.Silent())
	// Output:
	// dev1 on chat.room: hello
	// dev1: 7 old jobs
	// no answer from []
}
