package main

import (
	"time"

	"github.com/nanoring/nanoring/host"
	"github.com/spf13/pflag"
)

// newNodeFlags returns all flags of a node, the shared ones too.
func newNodeFlags() (*pflag.FlagSet, *options, *nodeFlags) {
	flags, o, f := pflag.NewFlagSet("node", pflag.ContinueOnError), new(options), new(nodeFlags)
	o.register(flags)
	f.register(flags)
	return flags, o, f
}

// register adds the flags of a node. Those that belong into no file of settings come last.
func (f *nodeFlags) register(all *pflag.FlagSet) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.StringVar(&f.config.Name, "name", "", "who the node is (default the host's name)")
	flags.StringVar(&f.config.Listen, "listen", "127.0.0.1:7946", "HOST:PORT to listen on; HOST may be an interface, or a network like 10.0.0.0/8; port 0 is any free one")
	flags.StringVar(&f.config.Advertise, "advertise", "", "HOST:PORT where others reach it, or an IP address, an interface, or a network like 10.0.0.0/8 (default where it listens)")
	flags.Var((*joinFlag)(&f.config.Join), "join", "where nodes of the ring to join are: HOST:PORT, dns:NAME[:PORT], srv:NAME, file:PATH, mdns:, exec:COMMAND; may be repeated")
	flags.StringVar(&f.config.Interface, "interface", "", "network interface for --join mdns: (default the system's choice)")
	flags.DurationVar(&f.config.ReadyAlone, "ready-alone", 0, "be ready, too, after having found nobody to join for so long: 30s (default: never)")
	flags.BoolVar(&f.config.Rejoin, "rejoin", false, "come back although the node was removed")
	flags.StringSliceVar(&f.tags, "tag", nil, "KEY=VALUE that the ring shall know of it; may be repeated")

	flags.StringVar(&f.config.TLSCert, "tls-cert", "", "file with a certificate (PEM) for browsers")
	flags.StringVar(&f.config.TLSKey, "tls-key", "", "file with its key")
	flags.StringVar(&f.config.TLSCA, "tls-ca", "", "file with the CA by which nodes trust each other's --tls-cert, instead of the secret's")
	flags.BoolVar(&f.config.Insecure, "insecure", false, "listen beyond loopback, for anyone who can reach it; with a secret, take HTTP without TLS there, from a proxy")
	flags.StringSliceVar(&f.config.Hosts, "host", nil, "name by which browsers and programs may reach it, without a secret, beside its addresses and its host's name; may be repeated")
	flags.IntVar(&f.config.MaxConnections, "max-connections", 4096, "connections that others open, at a time")

	flags.BoolVar(&f.page, "page", true, "serve a page for browsers at /, and what makes a page a node")
	flags.StringVar(&f.config.PublicURL, "public-url", "", "URL of its WebSocket for browsers, like wss://ring.example.com/ring")
	flags.StringSliceVar(&f.config.AllowOrigins, "allow-origin", nil, "origin whose pages may be guests, like https://example.org; may be repeated")
	flags.IntVar(&f.config.MaxGuests, "max-guests", 0, "guests at a time (default 1000, half of --max-connections at most)")

	flags.StringArrayVar(&f.onEvent, "on-event", nil, "`[EVENT,...=]COMMAND` to run for what happens: joined, up, restarted, suspect, down, left, removed, updated, …; may be repeated")
	flags.StringArrayVar(&f.onMessage, "on-message", nil, "`TOPIC=COMMAND` to run for each message; may be repeated")
	flags.StringArrayVar(&f.onQuestion, "on-question", nil, "`TOPIC=COMMAND` that answers each question; may be repeated")
	flags.DurationVar(&f.commandTimeout, "command-timeout", 10*time.Second, "how long such a command may take")

	f.times.register(flags)
	flags.DurationVar(&f.config.DrainTimeout, "drain-timeout", 0, "how long its guests have to go to other gateways before it stops: 30s (default: they find out by themselves)")

	flags.StringVar(&f.engine, "engine", "native", "what runs the ring's logic: native, or wasm, in a sandbox")
	f.memory = host.DefaultMemory
	flags.Var(&f.memory, "engine-memory", "how much memory a sandboxed engine may take: 64MiB, 1GiB")
	flags.StringVar(&f.logLevel, "log-level", "info", "what to log: debug, info, warn, error")
	flags.StringVar(&f.logFormat, "log-format", "text", "how to log: text, json")
	flags.BoolVar(&f.wait, "wait", false, "say that it runs only when it has joined")
	markEnv(flags)
	flags.VisitAll(func(flag *pflag.Flag) { markFile(flags, flag.Name) })
	flags.BoolVar(&f.printConfig, "print-config", false, "print the settings that would be in force, and where each comes from; start nothing")
	all.AddFlagSet(flags)
}

// nodeHelp has the flags of a node, those first that are wanted most.
var nodeHelp = []flagGroup{
	{"Who it is, and its ring", "name listen advertise join interface ready-alone wait data tag ring rejoin config print-config"},
	{"Keep strangers out", "secret-file insecure host tls-cert tls-key tls-ca max-connections"},
	{"Browsers, and other guests", "page public-url allow-origin max-guests drain-timeout"},
	{"Commands that it runs", "on-event on-message on-question command-timeout"},
	{"How fast and how patient it is", "profile patience ack-timeout period removal-grace reap-after"},
	{"Engine and log", "engine engine-memory log-level log-format help"},
}
