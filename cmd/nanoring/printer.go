package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// printer is where a command prints: its standard output or error. It is no io.Writer, so
// whatever a command prints goes through a method here, and each of them escapes what might
// have come from others. TestPrinters holds that there is no other way out.
type printer struct{ sink io.Writer }

func stdout(cmd *cobra.Command) printer { return printer{cmd.OutOrStdout()} }
func stderr(cmd *cobra.Command) printer { return printer{cmd.ErrOrStderr()} }

// usageOf is where cobra has a command's usage be printed.
func usageOf(cmd *cobra.Command) printer { return printer{cmd.OutOrStderr()} }

// logWriter is where a node logs.
func logWriter(inJSON bool) io.Writer {
	if inJSON {
		return printableWriter{os.Stderr, printableJSON}
	}
	return printableWriter{os.Stderr, func(b []byte) []byte { return []byte(printableLines(string(b))) }}
}

// printf prints its arguments escaped; the format, which is ours and a constant, is not.
func (p printer) printf(format string, args ...any) error {
	for i := range args {
		args[i] = escaped(args[i])
	}
	_, err := fmt.Fprintf(p.sink, format, args...)
	return err
}

// escaped is what of an argument may be printed: itself, if it is a number.
func escaped(arg any) any {
	switch v := arg.(type) {
	case error:
		return printable(v.Error())
	case fmt.Stringer:
		return printable(v.String())
	}
	switch v := reflect.ValueOf(arg); {
	case v.Kind() == reflect.String:
		return printable(v.String())
	case v.CanInt(), v.CanUint(), v.CanFloat(), v.Kind() == reflect.Bool:
		return arg
	}
	return printable(fmt.Sprint(arg))
}

// line prints a line of what is given, with spaces between.
func (p printer) line(args ...any) error {
	return p.printf("%s\n", strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}

// lines prints a text of ours that has several, like those of a help.
func (p printer) lines(text string) error {
	_, err := io.WriteString(p.sink, printableLines(text))
	return err
}

// rewrite prints over the line that it printed last.
func (p printer) rewrite(format string, args ...any) error {
	if _, err := io.WriteString(p.sink, "\r\x1b[K"); err != nil {
		return err
	}
	return p.printf(format, args...)
}

// back goes back so many lines, and clears what is there.
func (p printer) back(lines int) error {
	_, err := fmt.Fprintf(p.sink, "\x1b[%dA\x1b[J", lines)
	return err
}

// redraws says whether what is printed can be drawn anew. Windows' console is not asked whether it can.
func (p printer) redraws() bool {
	return p.terminal() && os.Getenv("TERM") != "dumb" && runtime.GOOS != "windows"
}

// terminal says whether somebody looks at it.
func (p printer) terminal() bool { return isTerminal(p.sink) }

// plain prints bytes as they are: for what no terminal is shown, or is made of our own keys.
func (p printer) plain(b []byte) error {
	_, err := p.sink.Write(b)
	return err
}

// secret prints what is for the owner alone of a file to which the shell has it be written.
func (p printer) secret(b []byte) error {
	if f, ok := p.sink.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			f.Chmod(0o600) // if it cannot be, the node that reads it warns
		}
	}
	return p.plain(b)
}

// mostCell is how many bytes are printed of what a column is aligned by. What nodes have is shorter.
const mostCell = 4 << 10

// table aligns its columns; rows are lines of it.
type table struct{ cells *tabwriter.Writer }

func (p printer) table(head ...string) table {
	t := table{tabwriter.NewWriter(p.sink, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

func (t table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
		if cut := cells[i]; i < len(cells)-1 && len(cut) > mostCell { // else it would make all rows as long
			cells[i] = strings.ToValidUTF8(cut[:mostCell], "") + "…"
		}
	}
	fmt.Fprintln(t.cells, strings.Join(cells, "\t"))
}

// Flush prints it.
func (t table) Flush() error { return t.cells.Flush() }

// indented prints the node's own JSON, for people to read too.
func (p printer) indented(b []byte) error {
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(b), "", "  "); err != nil {
		return decode(b, nil)
	}
	out.WriteByte('\n')
	return p.json(out.Bytes())
}

// json prints JSON as it is laid out.
func (p printer) json(b []byte) error {
	_, err := p.sink.Write(printableJSON(b))
	return err
}

// value prints what is to be JSON.
func (p printer) value(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return p.indented(b)
}
