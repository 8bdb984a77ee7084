package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// engine is how a node's engine says that it is doing.
type engine struct {
	Engine     string    `json:"engine"`
	Builtin    bool      `json:"builtin"`
	Version    string    `json:"version"`
	Protocol   int       `json:"protocol"`
	Module     string    `json:"module"`
	Since      time.Time `json:"since"`
	Traps      int       `json:"traps"`
	LastTrap   string    `json:"last_trap"`
	Memory     int       `json:"memory"`
	Steps      uint64    `json:"steps"`
	StepMedian int64     `json:"step_median_micros"`
	StepP99    int64     `json:"step_p99_micros"`
	StepMax    int64     `json:"step_max_micros"`
}

// kind is what it is, in a few words.
func (e *engine) kind() string {
	switch {
	case e.Engine == "native":
		return "native"
	case e.Builtin:
		return "wasm, the built-in module"
	}
	return "wasm, a module of its own"
}

func engineCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Show what runs a node's logic, or swap it while it runs",
		Long: `Engine shows what runs the logic of the node that is asked: compiled into the
program (native), or a WebAssembly module in a sandbox; since when, how often it
trapped and was started again, what memory it has, and how long it takes.`,
		Example: "  nanoring --data data/dev1 engine\n  nanoring --data data/dev1 engine swap builtin",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return showEngine(cmd, o, http.MethodGet, nil)
		},
	}
	cmd.AddCommand(engineSwapCommand(o))
	return cmd
}

func engineSwapCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "swap FILE.wasm|builtin|native",
		Short: "Have another engine take over in a running node",
		Long: `Swap has another engine take over in the node whose data folder is given: a
module in a file, the module that is built in, or the native engine. The node's
connections stay open, and no other node notices. If the new one cannot be
loaded, cannot take over, or does not show the same nodes, the one before runs on.

It lasts until the process ends: what a node starts with is said by --engine.`,
		Example: "  nanoring --data data/dev1 engine swap builtin\n  nanoring --data data/dev1 engine swap ./nanoring.wasm\n  nanoring --data data/dev1 engine swap native",
		Args:    argument("FILE.wasm, builtin or native"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"builtin", "native"}, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var body any = map[string]string{"engine": args[0]}
			if args[0] != "builtin" && args[0] != "native" {
				module, err := os.ReadFile(args[0])
				if errors.Is(err, os.ErrNotExist) {
					return usage(cmd, fmt.Errorf("%q is no file, nor builtin or native", args[0]))
				}
				if err != nil {
					return err
				}
				body = wasm(module)
			}
			return showEngine(cmd, o, http.MethodPost, body)
		},
	}
}

// showEngine asks for an engine's status, and prints it.
func showEngine(cmd *cobra.Command, o *options, method string, body any) error {
	c, err := o.client(cmd)
	if err != nil {
		return err
	}
	b, err := c.call(cmd.Context(), method, pathEngine, body)
	if err != nil {
		return err
	}
	var e engine
	if err := decode(b, &e); err != nil {
		return err
	}
	out := stdout(cmd)
	switch o.output {
	case "json":
		return out.indented(b)
	case "names":
		err := out.line(e.Engine)
		return err
	}
	t := out.table("ENGINE", e.kind())
	t.row("VERSION", orDash(e.Version)+", protocol "+strconv.Itoa(e.Protocol))
	t.row("MODULE", orDash(e.Module))
	t.row("SINCE", e.Since.Local().Format(time.DateTime))
	t.row("TRAPS", strconv.Itoa(e.Traps))
	if e.LastTrap != "" {
		t.row("LAST TRAP", e.LastTrap)
	}
	if e.Memory > 0 {
		t.row("MEMORY", fmt.Sprintf("%.1f MiB", float64(e.Memory)/(1<<20)))
	}
	micros := func(n int64) string { return (time.Duration(n) * time.Microsecond).String() }
	t.row("STEPS", fmt.Sprintf("%d: half below %s, 99 of 100 below %s, longest %s", e.Steps, micros(e.StepMedian), micros(e.StepP99), micros(e.StepMax)))
	return t.Flush()
}
