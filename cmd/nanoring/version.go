package main

import (
	"runtime"
	"runtime/debug"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

func versionCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program and of the protocol it speaks",
		Long:    "Version prints the version of this program, and the newest protocol version\nthat it speaks.",
		Example: "  nanoring version\n  nanoring version -o json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := struct {
				Version  string `json:"version"`
				Protocol int    `json:"protocol"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
			}{"(devel)", wire.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				v.Version = info.Main.Version
			}
			w := stdout(cmd)
			switch o.output {
			case "json":
				return w.value(v)
			case "names":
				err := w.line(v.Version)
				return err
			}
			err := w.printf("nanoring %s, protocol %d, %s %s\n", v.Version, v.Protocol, v.Go, v.Platform)
			return err
		},
	}
}
