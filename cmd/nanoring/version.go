package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/nanoring/nanoring"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

// program is what the version command says of it.
type program struct {
	Version  string `json:"version"`
	Build    string `json:"build,omitempty"`
	Protocol int    `json:"protocol"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// thisProgram says what this one is. Its build is what Go made of the commit that it was built
// from, unless that is the release itself.
func thisProgram() program {
	p := program{Version: nanoring.Version, Protocol: wire.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" && v != "v"+nanoring.Version {
			p.Build = v
		}
	}
	return p
}

func (p program) String() string {
	build := ""
	if p.Build != "" {
		build = " (" + p.Build + ")"
	}
	return fmt.Sprintf("nanoring %s%s, protocol %d, %s %s", p.Version, build, p.Protocol, p.Go, p.Platform)
}

func versionCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program and of the protocol it speaks",
		Long:    "Version prints the version of this program, and the newest protocol version\nthat it speaks. So does 'nanoring --version'.",
		Example: "  nanoring version\n  nanoring version -o json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, p := stdout(cmd), thisProgram()
			switch o.output {
			case "json":
				return w.value(p)
			case "names":
				return w.line(p.Version)
			}
			return w.line(p.String())
		},
	}
}
