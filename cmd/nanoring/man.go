package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nanoring/nanoring"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand writes manual pages, for those who make packages. (cobra's own takes help for
// Markdown, which this is not: it would lose stars, underscores and the ends of lines.)
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write a manual page of each command",
		Long: `Man writes a manual page of each command into a folder. Packages, and "make
install", have brought them already: man nanoring-node.`,
		Example: "  nanoring man share/man/man1",
		Args:    argument("the folder to write them into"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("cannot write manual pages: %w", err)
			}
			return writeManuals(cmd.Root(), args[0])
		},
	}
}

func writeManuals(cmd *cobra.Command, dir string) error {
	if !cmd.IsAvailableCommand() && !cmd.HasAvailableSubCommands() {
		return nil
	}
	if err := os.WriteFile(filepath.Join(dir, manualOf(cmd)+".1"), []byte(manual(cmd)), 0o644); err != nil {
		return fmt.Errorf("cannot write a manual page: %w", err)
	}
	for _, c := range cmd.Commands() {
		if err := writeManuals(c, dir); err != nil {
			return err
		}
	}
	return nil
}

func manualOf(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manual returns the page of a command, in troff.
func manual(cmd *cobra.Command) string {
	var b strings.Builder
	name := manualOf(cmd)
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"NanoRing %s\" \"NanoRing\"\n", strings.ToUpper(troff(name)), nanoring.Version)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", troff(name), troff(cmd.Short))
	verbatim(&b, "SYNOPSIS", cmd.UseLine())
	verbatim(&b, "DESCRIPTION", cmd.Long)
	hideUnused(cmd)
	if flags := cmd.Flags(); flags.HasAvailableFlags() {
		b.WriteString(".SH OPTIONS\n")
		flags.VisitAll(func(f *pflag.Flag) { option(&b, f) })
	}
	verbatim(&b, "EXAMPLES", cmd.Example)
	var also []string
	if cmd.HasParent() {
		also = append(also, manualOf(cmd.Parent()))
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			also = append(also, manualOf(c))
		}
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", strings.Join(also, " (1),\n.BR "))
	return b.String()
}

func option(b *strings.Builder, f *pflag.Flag) {
	if f.Hidden {
		return
	}
	value, usage := pflag.UnquoteUsage(f)
	names := "--" + f.Name
	if f.Shorthand != "" {
		names = "-" + f.Shorthand + ", " + names
	}
	fmt.Fprintf(b, ".TP\n\\fB%s\\fR", troff(names))
	if value != "" {
		fmt.Fprintf(b, " \\fI%s\\fR", troff(value))
	}
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
		usage += " (default " + f.DefValue + ")"
	}
	fmt.Fprintf(b, "\n%s\n", troff(usage))
}

// verbatim adds a section whose lines end where they end.
func verbatim(b *strings.Builder, title, text string) {
	fmt.Fprintf(b, ".SH %s\n.nf\n%s\n.fi\n", title, troff(strings.Trim(text, "\n")))
}

// troff returns a text that shows as it is.
func troff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\(ga", "^", `\(ha`, "~", `\(ti`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
