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
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
)

const defaultRing = "nanoring"

// nodeFlags are the settings of a node, beside those that all commands share.
type nodeFlags struct {
	config    native.Config
	tags      []string
	times     timeFlags
	page      bool
	wait      bool
	engine    string
	memory    size
	logLevel  string
	logFormat string

	onEvent, onMessage, onQuestion []string
	events, messages, questions    []handler // of those
	commandTimeout                 time.Duration

	printConfig bool
}

func nodeCommand(o *options) *cobra.Command {
	var f nodeFlags
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node",
		Long: `Node runs a node until it is told to stop: with Ctrl-C (SIGINT) or SIGTERM, or
when its terminal closes, it says bye, stays a member of its ring, and comes back
with the same command. A second SIGINT or SIGTERM ends it at once. With
--drain-timeout its guests, like tabs, go to other gateways before it stops, and
nobody sees them down.

Without a secret anybody who reaches its port is in the ring, so it listens on
loopback only. 'nanoring keygen --out ring.key', and --secret-file ring.key on each
machine, is all that it takes to keep strangers out, beyond loopback too.

A new node is alone in its ring: add it from a node of another ring, or name one
of that ring's nodes with --join. What it knows of its ring is kept in its data
folder, one folder for each node.

Whoever is to join tries for ever, and asks again where nodes are; 'nanoring status'
and the log say whether it has joined, and why not. It is not ready until then.

A node that was removed from its ring (del) ends with status 4. Started again
without --join, it is a new ring of itself; with --join, it refuses to, so that
no supervisor undoes what an operator has done, unless told to --rejoin. So does
one that left its ring (leave).

Messages, questions and events are handled by commands, which the shell runs: with
--on-message and --on-question TOPIC=COMMAND, and --on-event [EVENT,...=]COMMAND, *
in TOPIC and EVENT for any characters; without EVENTs it is run for all. The
payload, or the event as 'nanoring watch -o json' has it, is the standard input;
what a command for a question prints is the answer, up to 8 KiB. NANORING_NODE and
NANORING_FROM say who runs it, and of whom it came, NANORING_TOPIC or
NANORING_EVENT what it is, NANORING_TAG_ROLE is the node's tag role, if it has one,
and with NANORING_DATA 'nanoring send' and the like speak to this node. What is not
done after --command-timeout is killed.

Each flag can also be given by the environment variable that stands beside it; a
list is separated by commas there, but for commands, of which it is one. Or in a
file (--config), in TOML, by the flag's name: patience = "8s", join = ["a:7946"]. A
flag beats the environment, which beats the file. --print-config shows what is in
force, and where it comes from.

SIGHUP has a node read its file again, and the secret and certificates, as it does
anyway when these change. What it logs, its tags, origins, commands and --join may
change while it runs; if anything else did, all stays as it was, and the log says
what.`,
		Example: `  nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1
  nanoring node --name dev5 --listen 127.0.0.1:7005 --data data/dev5 --join 127.0.0.1:7001
  nanoring node --on-event down,left='./page-somebody "$NANORING_FROM"' --on-event ./tell-everything
  nanoring node --on-message deploy='./deploy "$(cat)"' --on-question uptime=uptime
  nanoring node --config /etc/nanoring.toml --patience 8s
  NANORING_NAME=dev1 NANORING_LOG_FORMAT=json nanoring node`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNode(cmd, o, f)
		},
	}
	f.register(cmd.Flags())
	groupFlags(cmd, nodeHelp)
	cmd.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions([]string{"lan", "local", "wan"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions([]string{"native", "wasm"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func runNode(cmd *cobra.Command, o *options, f nodeFlags) error {
	config, err := f.parse(o)
	if err != nil {
		return usage(cmd, o.explain(err))
	}
	if f.printConfig {
		return printConfig(cmd, o, config)
	}
	outliveReaders()
	level := f.logTo(&config, logWriter(f.logFormat == "json"))
	defer native.NewLogQueue(config.Log.Handler()).Flush(sayTime)
	super := supervised(config.Log)
	ctx, hungUp := context.WithCancel(cmd.Context())
	defer hungUp()
	signals, release := untilStopped(ctx, false)
	defer release()
	hangups, onTerminal := hangups()
	defer signal.Stop(hangups)
	config.Sandbox = sandbox(config, f.memory)
	if f.engine == "wasm" {
		config.Engine = builtin(signals, config)
	}
	node, err := startNode(signals, config)
	var wrong *native.ConfigError
	if errors.As(err, &wrong) {
		return o.wrong(cmd, err)
	}
	if err != nil {
		return ended(signals, config.Name, err)
	}
	handling, stop := context.WithCancel(cmd.Context())
	go giveBack(handling, node, config.Log)
	go super.watch(handling, node)
	hs := newHandlers(handling, node, config.Log)
	defer func() { stop(); hs.wg.Wait() }() // when the node has ended
	if err := hs.use(&f); err != nil {
		node.Close()
		return usage(cmd, err)
	}
	defer sayRuns(cmd, node, config, f.wait, super)()
	live := rereader{given: cmd.Flags(), flags: cmd.Flags(), node: node, handlers: hs, level: level, log: config.Log}
	var rereading <-chan struct{} // nil while it is not
	again := false                // when that is done
	for running := true; running; {
		select {
		case <-hangups:
			if onTerminal && !hasTerminal() {
				hungUp()
				continue
			}
			if again = rereading != nil; !again {
				rereading = live.start(signals)
			}
		case <-rereading:
			if rereading = nil; again {
				again, rereading = false, live.start(signals)
			}
		case <-signals.Done():
			running = false
		case <-node.Done():
			running = false
		}
	}
	super.tell("STOPPING=1")
	return ended(signals, config.Name, node.Close())
}

// startNode starts a node, aside: a file that is read for it may be a pipe to which nobody writes, or on a
// disk that hangs. Who is told to stop meanwhile does not wait for that for long.
func startNode(signals context.Context, config native.Config) (*native.Node, error) {
	type started struct {
		node *native.Node
		err  error
	}
	done := make(chan started, 1)
	go func() {
		node, err := native.Start(signals, config)
		done <- started{node, err}
	}()
	select {
	case s := <-done:
		return s.node, s.err
	case <-signals.Done():
	}
	select {
	case s := <-done:
		return s.node, s.err
	case <-time.After(2 * time.Second):
		return nil, signals.Err()
	}
}

// flagOf names the flag of a field of native.Config.
func flagOf(field string) string {
	switch field {
	case "Tags", "AllowOrigins", "Hosts":
		field = strings.TrimSuffix(field, "s")
	}
	var flag strings.Builder
	for i, r := range field {
		upper := r >= 'A' && r <= 'Z'
		if before := i > 0 && field[i-1] >= 'a' && field[i-1] <= 'z'; upper && before {
			flag.WriteByte('-')
		}
		flag.WriteRune(r)
	}
	name := strings.ToLower(flag.String())
	return strings.NewReplacer("tlscert", "tls-cert", "tlskey", "tls-key", "tlsca", "tls-ca").Replace(name)
}

// parse makes a node's configuration of the settings.
func (f *nodeFlags) parse(o *options) (native.Config, error) {
	c := f.config
	c.Ring, c.SecretFile, c.Data, c.NoPage = o.ring, o.secretFile, o.data, !f.page
	for name, is := range map[string]string{"name": c.Name, "ring": c.Ring} {
		if is == "" && o.given(name) {
			return c, &settingError{name, fmt.Errorf("--%s is empty: leave it out for the default", name)}
		}
	}
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
	if c.Times, err = f.times.complete(o); err != nil {
		return c, err
	}
	if c.Tags, err = parseTags(f.tags); err != nil {
		return c, &settingError{"tag", err}
	}
	if f.events, err = parseEventHandlers(f.onEvent); err != nil {
		return c, &settingError{"on-event", err}
	}
	if f.messages, err = parseHandlers("on-message", f.onMessage); err != nil {
		return c, &settingError{"on-message", err}
	}
	if f.questions, err = parseHandlers("on-question", f.onQuestion); err != nil {
		return c, &settingError{"on-question", err}
	}
	if err = heardBy(f.messages, f.questions); err != nil {
		return c, &settingError{"on-message", err}
	}
	for _, limit := range []struct {
		flag  string
		wrong bool
		err   string
	}{
		{"command-timeout", f.commandTimeout <= 0, f.commandTimeout.String() + ": a command takes some time"},
		{"max-connections", c.MaxConnections == 0, "0: others have to reach it"},
		{"engine", f.engine != "native" && f.engine != "wasm", strconv.Quote(f.engine) + ": there are native, wasm"},
		{"log-level", new(slog.Level).UnmarshalText([]byte(f.logLevel)) != nil, strconv.Quote(f.logLevel) + ": there are debug, info, warn, error"},
		{"log-format", f.logFormat != "text" && f.logFormat != "json", strconv.Quote(f.logFormat) + ": there are text, json"},
	} {
		if limit.wrong {
			return c, &settingError{limit.flag, errors.New("--" + limit.flag + " " + limit.err)}
		}
	}
	return c, nil
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
	var slow sync.Once
	return func(ctx context.Context, module []byte, node core.Config) (core.Engine, error) {
		if host.Interpreted() {
			slow.Do(func() {
				c.Log.Warn("the sandboxed engine is interpreted, and slow: there is no compiler for this machine, or this process may not run what it has written: leave MemoryDenyWriteExecute= out of its unit, or take --engine native")
			})
		}
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

// logTo has a node log, of a level that may change.
func (f *nodeFlags) logTo(c *native.Config, w io.Writer) *slog.LevelVar {
	level := new(slog.LevelVar)
	level.UnmarshalText([]byte(f.logLevel)) // which is right: see parse
	options := &slog.HandlerOptions{Level: level}
	if f.logFormat == "json" {
		c.Log = slog.New(native.NewLogQueue(slog.NewJSONHandler(w, options)))
	} else {
		c.Log = slog.New(native.NewLogQueue(slog.NewTextHandler(w, options)))
	}
	return level
}

// ended makes of why a node ended how the command ends.
func ended(signals context.Context, name string, err error) error {
	switch {
	case errors.Is(err, native.ErrNameTaken):
		return &failure{exitRefused, err, "A name is one node's: give this one another with --name (without it, it is the host's), or stop the other."}
	case err == native.ErrLeft, signals.Err() != nil && errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, native.ErrRemoved):
		what := name + " was removed from its ring"
		var before *native.RemovedError
		if errors.As(err, &before) && !before.Learnt.IsZero() {
			what += ", as it learnt on " + before.Learnt.Local().Format(time.DateTime)
		}
		if before != nil && before.Left {
			what = name + " left its ring on " + before.Learnt.Local().Format(time.DateTime)
		}
		return &failure{exitRemoved, errors.New(what), "To bring it back, start it with --join HOST:PORT --rejoin; without --join it is a new ring of itself."}
	}
	return err
}
