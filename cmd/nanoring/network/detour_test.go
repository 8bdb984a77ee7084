//go:build linux

package network

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// detour is a device through which the router sends all packets between hosts, and
// which gives each back when its time has come.
type detour struct {
	tun         *os.File
	delay, vary atomic.Int64
}

// parcel is a packet on its way.
type parcel struct {
	packet []byte
	at     time.Time
}

func (n *network) detour() *detour {
	n.t.Helper()
	tun, err := openTun("detour")
	if err != nil {
		n.t.Fatal(fmt.Errorf("no TUN device can be made: %w: run the tests as root; a container needs the device /dev/net/tun", err))
	}
	for _, key := range []string{"all", "detour"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+key+"/rp_filter", []byte("0"), 0); err != nil {
			n.t.Fatal(err)
		}
	}
	rules := []string{"link set detour up mtu 1500", "route add default dev detour table 100"}
	for _, h := range n.hosts {
		rules = append(rules, "rule add iif "+h.name+" to 10.77.0.0/16 lookup 100")
	}
	n.run(strings.Join(rules, "\n"), "ip", "-batch", "-")
	d := &detour{tun: tun}
	go d.carry()
	return d
}

// slow has every packet take delay, more or less by up to vary, from now on.
func (d *detour) slow(delay, vary time.Duration) {
	d.delay.Store(int64(delay))
	d.vary.Store(int64(vary))
}

// carry gives packets back, in their order between any two hosts.
func (d *detour) carry() {
	ways := make(map[string]chan parcel)
	for b := make([]byte, 1<<16); ; {
		size, err := d.tun.Read(b)
		if err != nil {
			return
		}
		if size < 20 || b[0]>>4 != 4 {
			continue
		}
		from := string(b[12:20]) // source and destination
		way := ways[from]
		if way == nil {
			way = make(chan parcel, 1<<12)
			ways[from] = way
			go func() {
				for p := range way {
					time.Sleep(time.Until(p.at))
					d.tun.Write(p.packet)
				}
			}()
		}
		delay := d.delay.Load()
		if vary := d.vary.Load(); vary > 0 {
			delay += rand.Int64N(2*vary) - vary
		}
		select {
		case way <- parcel{append([]byte(nil), b[:size]...), time.Now().Add(time.Duration(delay))}:
		default: // a full queue loses packets
		}
	}
}

// openTun makes a network device whose packets are read and written as a file.
func openTun(name string) (*os.File, error) {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	var req struct { // struct ifreq
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], name)
	req.flags = syscall.IFF_TUN | syscall.IFF_NO_PI
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&req))); errno != 0 {
		syscall.Close(fd)
		return nil, errno
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}
