package native_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native"
)

// Two nodes in one program. Mostly there is one, and the others run elsewhere.
// Ctrl-C ends the context; Close waits until the bye is said.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "nanoring-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	node := func(name string) *native.Node {
		n, err := native.Start(ctx, native.Config{
			Name:   name,
			Listen: "127.0.0.1:0", // any free port
			Data:   dir + "/" + name,
			Log:    slog.New(slog.DiscardHandler),
		})
		if err != nil {
			log.Fatal(err)
		}
		return n
	}
	dev1, dev2 := node("dev1"), node("dev2")
	defer dev1.Close()
	defer dev2.Close()

	if _, err := dev1.Add(ctx, "dev2", dev2.Addr()); err != nil {
		log.Fatal(err)
	}
	for event, err := range dev2.Watch(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Kind == core.EventNode && event.Node.Name == "dev1" && event.Node.State == core.Alive {
			break
		}
	}
	for _, n := range dev2.Up() {
		fmt.Println(n.Name, "is", n.State)
	}
	// Output:
	// dev1 is up
	// dev2 is up
}
