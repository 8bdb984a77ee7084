package main

import (
	"bufio"
	"cmp"
	"errors"
	"io"
)

// mostAnswer is what an answer, or a line of one that comes in lines, may have of bytes: several times what the
// list of a ring of ten thousand nodes has and of all the guests that there may be. Whoever answers in a
// node's place might go on for ever.
const mostAnswer = 256 << 20

var errEndless = errors.New("it answers with more than any node has to say")

// limited reads an answer, of which there is no more than a node has to say.
type limited struct {
	from io.Reader
	left int
}

func (c *client) bound(answer io.Reader) *limited {
	return &limited{answer, cmp.Or(c.most, mostAnswer)}
}

func (b *limited) Read(to []byte) (int, error) {
	if b.left <= 0 {
		return 0, errEndless
	}
	n, err := b.from.Read(to[:min(len(to), b.left)])
	b.left -= n
	return n, err
}

// lineReader reads an answer line by line.
type lineReader struct {
	from *limited
	each int
	line *bufio.Reader
}

func (c *client) byLine(answer io.Reader) lineReader {
	from := c.bound(answer)
	return lineReader{from, from.left, bufio.NewReader(from)}
}

func (l lineReader) next() ([]byte, error) {
	l.from.left = l.each
	return l.line.ReadBytes('\n')
}
