package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
)

const defaultRing = "nanoring"

type nodeFlags struct {
	config    native.Config
	tags      []string
	page      bool
	wait      bool
	engine    string
	memory    size
	logLevel  string
	logFormat string

	onEvent, onMessage, onQuestion []string
	events, messages, questions    []handler // of those
	commandTimeout                 time.Duration
}

func nodeCommand(o *options) *cobra.Command {
	var f nodeFlags
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node",
		Long: `Node runs a node until it is told to stop: with Ctrl-C (SIGINT), SIGTERM or
SIGHUP it says bye, stays a member of its ring, and comes back with the same
command. A second SIGINT or SIGTERM ends it at once. With --drain-timeout its
guests, like tabs, go to other gateways before it stops, and nobody sees them down.
With --secret-file or --tls-cert, SIGHUP makes it read these files again, as it does
anyway when they change.

Without a secret anybody who reaches its port is in the ring, so it listens on
loopback only. 'nanoring keygen > ring.key', and --secret-file ring.key on each
machine, is all that it takes to keep strangers out, beyond loopback too.

A new node is alone in its ring: add it from a node of another ring, or name one
of that ring's nodes with --join. What it knows of its ring is kept in its data
folder, one folder for each node.

Whoever is to join tries for ever, and asks again where nodes are; 'nanoring status'
and the log say whether it has joined, and why not. It is not ready until then.

A node that was removed from its ring (del) ends with status 4. Started again
without --join, it is a new ring of itself; with --join, it refuses to, so that
no supervisor undoes what an operator has done, unless told to --rejoin.

Messages, questions and events are handled by commands, which the shell runs: with
--on-message and --on-question TOPIC=COMMAND, --on-event EVENT=COMMAND, * in TOPIC
and EVENT for any characters. The payload, or the event as 'nanoring watch -o json'
has it, is the standard input; what a command for a question prints is the answer,
up to 8 KiB. NANORING_NODE and NANORING_FROM say who runs it, and of whom it came,
NANORING_TOPIC or NANORING_EVENT what it is, NANORING_TAG_ROLE is the node's tag
role, if it has one, and with NANORING_DATA 'nanoring send' and the like speak to
this node. What is not done after --command-timeout is killed.

Each flag can also be given by the environment variable that stands beside it;
a list is separated by commas there, but for commands, of which it is one.`,
		Example: `  nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1
  nanoring node --name dev5 --listen 127.0.0.1:7005 --data data/dev5 --join 127.0.0.1:7001
  nanoring node --on-message deploy='./deploy "$(cat)"' --on-question uptime=uptime
  NANORING_NAME=dev1 NANORING_LOG_FORMAT=json nanoring node`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNode(cmd, o, f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.config.Name, "name", "", "who the node is (default the host's name)")
	flags.StringVar(&f.config.Listen, "listen", "127.0.0.1:7946", "HOST:PORT to listen on; HOST may be an interface, or a network like 10.0.0.0/8; port 0 is any free one")
	flags.StringVar(&f.config.Advertise, "advertise", "", "HOST:PORT where others reach it, or an interface, or a network like 10.0.0.0/8 (default where it listens)")
	flags.StringVar(&f.config.PublicURL, "public-url", "", "URL of its WebSocket for browsers, like wss://ring.example.com/ring")
	flags.StringSliceVar(&f.config.Join, "join", nil, "where nodes of the ring to join are: HOST:PORT, dns:NAME[:PORT], srv:NAME, file:PATH, mdns:, exec:COMMAND; may be repeated")
	flags.StringVar(&f.config.Interface, "interface", "", "network interface for --join mdns: (default the system's choice)")
	flags.DurationVar(&f.config.ReadyAlone, "ready-alone", 0, "be ready, too, after having found nobody to join for so long: 30s (default: never)")
	flags.BoolVar(&f.wait, "wait", false, "say that it runs only when it has joined")
	flags.BoolVar(&f.config.Rejoin, "rejoin", false, "come back although the node was removed")
	flags.StringSliceVar(&f.tags, "tag", nil, "KEY=VALUE that the ring shall know of it; may be repeated")
	flags.StringVar(&f.config.TLSCert, "tls-cert", "", "file with a certificate (PEM) for browsers")
	flags.StringVar(&f.config.TLSKey, "tls-key", "", "file with its key")
	flags.StringVar(&f.config.TLSCA, "tls-ca", "", "file with the CA by which nodes trust each other's --tls-cert, instead of the secret")
	flags.StringSliceVar(&f.config.AllowOrigins, "allow-origin", nil, "origin whose pages may be guests, like https://example.org; may be repeated")
	flags.IntVar(&f.config.MaxGuests, "max-guests", 1000, "guests at a time")
	flags.DurationVar(&f.config.DrainTimeout, "drain-timeout", 0, "how long its guests have to go to other gateways before it stops: 30s (default: they find out by themselves)")
	flags.BoolVar(&f.config.Insecure, "insecure", false, "listen beyond loopback, for anyone who can reach it; with a secret, take HTTP without TLS there, from a proxy")
	flags.BoolVar(&f.page, "page", true, "serve a page for browsers at /, and what makes a page a node")
	flags.StringVar(&f.engine, "engine", "native", "what runs the ring's logic: native, or wasm, in a sandbox")
	f.memory = host.DefaultMemory
	flags.Var(&f.memory, "engine-memory", "how much memory a sandboxed engine may take: 64MiB, 1GiB")
	flags.StringArrayVar(&f.onEvent, "on-event", nil, "`EVENT=COMMAND` to run for what happens: joined, up, restarted, suspect, down, left, removed, updated, …; may be repeated")
	flags.StringArrayVar(&f.onMessage, "on-message", nil, "`TOPIC=COMMAND` to run for each message; may be repeated")
	flags.StringArrayVar(&f.onQuestion, "on-question", nil, "`TOPIC=COMMAND` that answers each question; may be repeated")
	flags.DurationVar(&f.commandTimeout, "command-timeout", 10*time.Second, "how long such a command may take")
	flags.StringVar(&f.logLevel, "log-level", "info", "what to log: debug, info, warn, error")
	flags.StringVar(&f.logFormat, "log-format", "text", "how to log: text, json")
	markEnv(flags)
	cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions([]string{"native", "wasm"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func runNode(cmd *cobra.Command, o *options, f nodeFlags) error {
	for _, name := range []string{"name", "ring"} {
		if flag := cmd.Flag(name); flag.Changed && flag.Value.String() == "" {
			return usage(cmd, fmt.Errorf("--%s is empty: leave it out for the default", name))
		}
	}
	f.config.Ring, f.config.SecretFile = o.ring, o.secretFile
	config, err := f.parse(o.data)
	if err != nil {
		return usage(cmd, err)
	}
	files := config.SecretFile != "" || config.TLSCert != ""
	signals, release := untilStopped(cmd.Context(), !files)
	defer release()
	reread := make(chan os.Signal, 1)
	if files {
		signal.Notify(reread, syscall.SIGHUP)
		defer signal.Stop(reread)
	}
	config.Sandbox = sandbox(config, f.memory)
	if f.engine == "wasm" {
		config.Engine = builtin(signals, config)
	}
	node, err := native.Start(signals, config)
	var wrong *native.ConfigError
	if errors.As(err, &wrong) {
		return usage(cmd, errors.New(wrong.Say(flagOf(wrong.Field))))
	}
	if err != nil {
		return ended(signals, config.Name, err)
	}
	handling, stop := context.WithCancel(cmd.Context())
	handled, err := f.handle(handling, node, config.Log)
	defer func() { stop(); handled() }() // when the node has ended
	if err != nil {
		node.Close()
		return usage(cmd, err)
	}
	defer say(cmd, node, config, f.wait)()
	for running := true; running; {
		select {
		case <-reread:
			if err := node.Reload(); err != nil {
				config.Log.Error("the secret and certificates stay as they were", "why", err)
			}
		case <-signals.Done():
			running = false
		case <-node.Done():
			running = false
		}
	}
	return ended(signals, config.Name, node.Close())
}

// flagOf names the flag of a field of native.Config.
func flagOf(field string) string {
	known := map[string]string{
		"Tags": "tag", "SecretFile": "secret-file", "TLSCert": "tls-cert", "TLSKey": "tls-key", "TLSCA": "tls-ca",
		"AllowOrigins": "allow-origin", "MaxGuests": "max-guests", "DrainTimeout": "drain-timeout", "PublicURL": "public-url", "ReadyAlone": "ready-alone",
	}
	if flag := known[field]; flag != "" {
		return "--" + flag
	}
	return "--" + strings.ToLower(field)
}

// parse makes a node's configuration of the flags.
func (f *nodeFlags) parse(data string) (native.Config, error) {
	c := f.config
	c.Data = data
	c.NoPage = !f.page
	if c.Data == "" {
		return c, errors.New("no data folder: choose one with --data")
	}
	if c.Name == "" {
		hostname, err := os.Hostname()
		if err != nil {
			return c, fmt.Errorf("this host has no name (%w): choose one for the node with --name", err)
		}
		c.Name = hostname
	}
	var err error
	if c.Tags, err = parseTags(f.tags); err != nil {
		return c, err
	}
	if f.events, err = parseHandlers("on-event", f.onEvent); err != nil {
		return c, err
	}
	for _, h := range f.events {
		if !strings.Contains(h.pattern, "*") && !slices.Contains(eventWords, h.pattern) {
			return c, fmt.Errorf("--on-event %s: there is no such event: there are %s", h.pattern, strings.Join(eventWords, ", "))
		}
	}
	if f.messages, err = parseHandlers("on-message", f.onMessage); err != nil {
		return c, err
	}
	if f.questions, err = parseHandlers("on-question", f.onQuestion); err != nil {
		return c, err
	}
	if f.commandTimeout <= 0 {
		return c, fmt.Errorf("--command-timeout %s: a command takes some time", f.commandTimeout)
	}
	if f.engine != "native" && f.engine != "wasm" {
		return c, fmt.Errorf("no --engine %q: there are native, wasm", f.engine)
	}
	c.Log, err = f.logger(os.Stderr)
	return c, err
}

func parseTags(list []string) (tags []wire.Tag, err error) {
	for _, tag := range list {
		key, value, ok := strings.Cut(tag, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--tag %q is not KEY=VALUE", tag)
		}
		tags = append(tags, wire.Tag{Key: key, Value: value})
	}
	return tags, nil
}

// sandbox returns what makes a node's engines in WebAssembly.
func sandbox(c native.Config, memory size) func(context.Context, []byte, core.Config) (core.Engine, error) {
	return func(ctx context.Context, module []byte, node core.Config) (core.Engine, error) {
		start := time.Now()
		e, err := host.New(ctx, host.Config{Node: node, Module: module, Memory: int(memory), Cache: filepath.Join(c.Data, "cache")})
		if err != nil {
			return nil, err
		}
		c.Log.Debug("an engine was made in the sandbox", "module", fmt.Sprintf("%x", e.ModuleDigest()), "took", time.Since(start).Round(time.Millisecond))
		return e, nil
	}
}

// builtin returns what makes them of NanoRing's own module.
func builtin(ctx context.Context, c native.Config) func(core.Config) (core.Engine, error) {
	return func(node core.Config) (core.Engine, error) { return c.Sandbox(ctx, nil, node) }
}

func (f nodeFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("no --log-level %q: there are debug, info, warn, error", f.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, fmt.Errorf("no --log-format %q: there are text, json", f.logFormat)
}

// ended makes of why a node ended how the command ends.
func ended(signals context.Context, name string, err error) error {
	switch {
	case err == native.ErrLeft, signals.Err() != nil && errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, native.ErrRemoved):
		what := name + " was removed from its ring"
		var before *native.RemovedError
		if errors.As(err, &before) && !before.Learnt.IsZero() {
			what += ", as it learnt on " + before.Learnt.Local().Format(time.DateTime)
		}
		return &failure{exitRemoved, errors.New(what), "To bring it back, start it with --join HOST:PORT --rejoin; without --join it is a new ring of itself."}
	}
	return err
}
