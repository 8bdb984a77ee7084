//go:build linux

package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
)

// kernel is a stage of two hosts of the network.
type kernel struct {
	n           *network
	hosts       []*host
	acts        []act
	listener    net.Listener
	conns       [2]net.Conn
	log         diary
	begin       time.Time
	reads       chan struct{} // closed once 0 reads
	disturbance disturbance
}

// kernel opens a connection between the host of that number and the next.
func (n *network) kernel(first int, acts []act) *kernel {
	n.t.Helper()
	k := &kernel{n: n, hosts: n.hosts[first : first+2], acts: acts, reads: make(chan struct{})}
	k.log.first = make(map[string]time.Duration)
	err := k.hosts[0].within(func() (err error) {
		k.listener, err = net.Listen("tcp", k.hosts[0].listen())
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { k.listener.Close() })
	dialled, err := k.dialled(5 * second)
	if err != nil {
		n.t.Fatal(err)
	}
	accepted, err := k.listener.Accept()
	if err != nil {
		n.t.Fatal(err)
	}
	k.conns = [2]net.Conn{accepted, dialled}
	for i, c := range k.conns {
		n.t.Cleanup(func() { c.Close() })
		b := make([]byte, 1)
		for range 20 { // it measures its round trips
			if _, err := c.Write(b); err != nil {
				n.t.Fatal(err)
			}
			if _, err := io.ReadFull(k.conns[1-i], b); err != nil {
				n.t.Fatal(err)
			}
		}
	}
	return k
}

func (k *kernel) dialled(timeout time.Duration) (c net.Conn, err error) {
	err = k.hosts[1].within(func() (err error) {
		c, err = net.DialTimeout("tcp", k.hosts[0].listen(), timeout)
		return err
	})
	return c, err
}

func (k *kernel) play(lasts time.Duration) {
	for i, a := range k.acts {
		if i > 0 {
			time.Sleep(time.Until(k.begin.Add(a.at)))
		}
		if a.do(k); i == 0 { // it takes its time
			k.begin = time.Now()
			go k.hear(0, k.disturbance == unread)
			go k.hear(1, false)
		}
	}
	time.Sleep(time.Until(k.begin.Add(lasts)))
}

func (k *kernel) since() time.Duration { return time.Since(k.begin) }

// hear notes what comes to a host, which may read only later.
func (k *kernel) hear(host int, later bool) {
	if later {
		<-k.reads
	}
	var size [4]byte
	for {
		_, err := io.ReadFull(k.conns[host], size[:])
		if err == nil {
			_, err = io.CopyN(io.Discard, k.conns[host], int64(binary.BigEndian.Uint32(size[:])))
		}
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			k.log.note(k.since(), "%d is told", host)
			return
		}
		k.log.note(k.since(), "%d hears %d", host, binary.BigEndian.Uint32(size[:]))
	}
}

func (k *kernel) say(by, size int) {
	b := make([]byte, 4+size)
	binary.BigEndian.PutUint32(b, uint32(size))
	k.conns[by].Write(b) // how it ends, the reader is told
}

func (k *kernel) dial() {
	at := k.since()
	go func() {
		if c, err := k.dialled(2 * second); err == nil {
			c.Close()
			k.log.note(k.since()-at, "a dial opens")
		} else {
			k.log.note(k.since()-at, "a dial fails")
		}
	}()
}

func (k *kernel) read() { close(k.reads) }

// do has the router do something to what is between the two hosts.
func (k *kernel) do(f disturbance) {
	table := "between_" + k.hosts[0].name
	if f == heal {
		k.n.run("", "nft", "delete", "table", "ip", table)
	}
	k.disturbance = f
	to1 := "ip saddr " + k.hosts[0].addr + " ip daddr " + k.hosts[1].addr + " "
	to0 := "ip saddr " + k.hosts[1].addr + " ip daddr " + k.hosts[0].addr + " "
	port := fmt.Sprint(k.conns[1].LocalAddr().(*net.TCPAddr).Port)
	rules := map[disturbance][]string{
		cutBoth:   {to1 + "drop", to0 + "drop"},
		cutTo1:    {to1 + "drop"},
		loudly:    {to1 + "tcp dport " + port + " reject with tcp reset", to0 + "tcp sport " + port + " reject with tcp reset"},
		noNew:     {to0 + "tcp sport != " + port + " drop"},
		refuseNew: {to0 + "tcp sport != " + port + " reject with tcp reset"},
		narrow:    {to1 + "meta length > 700 drop", to0 + "meta length > 700 drop"},
	}[f]
	if rules != nil {
		text := "table ip " + table + " { chain forward { type filter hook forward priority 1\n"
		for _, rule := range rules {
			text += rule + "\n"
		}
		k.n.run(text+"}\n}\n", "nft", "-f", "-")
	}
}

// taken returns how many bytes can be written to 0, who does not read.
func (k *kernel) taken() (bytes int) {
	frame := make([]byte, 200)
	for {
		k.conns[1].SetWriteDeadline(time.Now().Add(second))
		n, err := k.conns[1].Write(frame)
		if bytes += n; err != nil {
			return bytes
		}
	}
}

// setns is the system call's number, which package syscall lacks.
var setns = map[string]uintptr{"amd64": 308, "arm64": 268, "386": 346, "arm": 375, "riscv64": 268, "loong64": 268, "ppc64le": 350, "s390x": 339}

// within does something in the host's namespace: what it opens belongs there.
func (h *host) within(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		f, err := os.Open(h.namespace())
		if err == nil {
			defer f.Close()
			if _, _, errno := syscall.RawSyscall(setns[runtime.GOARCH], f.Fd(), syscall.CLONE_NEWNET, 0); errno != 0 {
				err = fmt.Errorf("setns %s: %w", h.namespace(), errno)
			}
		}
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}
