package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// visible says whether people see a character for what it is: it does nothing to a terminal, turns
// no text around, ends no line, and is not nothing. A space is the only one that is blank.
func visible(r rune) bool {
	return r >= ' ' && r < 0x7f || strconv.IsPrint(r) && r != '\u2800' && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// printable is what a terminal may be given of what somebody else said: what cannot be seen
// for what it is is escaped, the ends of lines, too, so that nobody forges one.
func printable(s string) string {
	return escape(s, func(b *strings.Builder, _ rune, as string) {
		quoted := strconv.QuoteToASCII(as)
		b.WriteString(quoted[1 : len(quoted)-1])
	})
}

// printableLines leaves ends of lines, and tabs, as they are.
func printableLines(text string) string {
	return escape(text, func(b *strings.Builder, r rune, as string) {
		if r == '\n' || r == '\t' {
			b.WriteString(as)
		} else {
			b.WriteString(printable(as))
		}
	})
}

// printableJSON is JSON that says the same, with escapes of its own. It has ends of lines
// between its strings only.
func printableJSON(json []byte) []byte {
	return []byte(escape(string(json), func(b *strings.Builder, r rune, _ string) {
		switch {
		case r == '\n':
			b.WriteByte('\n')
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}))
}

// escape has a text's characters that cannot be seen be written by how; a byte that is part
// of none is U+FFFD.
func escape(s string, how func(b *strings.Builder, r rune, as string)) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if wrong := r == utf8.RuneError && size == 1; wrong || !visible(r) {
			how(&b, r, s[:size])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// printableWriter is for a log, which is written in whole lines.
type printableWriter struct {
	to io.Writer
	as func(text []byte) []byte
}

func (w printableWriter) Write(b []byte) (int, error) {
	if _, err := w.to.Write(w.as(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}
