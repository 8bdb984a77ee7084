package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"
)

// idle measures a ring in which nothing happens, for a while: what it sends (see
// count.go) and computes, and then what it holds. Nothing else is in this process.
func idle(ctx context.Context, b *bench, s system, n int) (samples, error) {
	bytesBefore, goroutinesBefore := memory()
	r, err := b.grow(ctx, s, n, nil)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := pause(ctx, min(10*time.Second, b.Idle)); err != nil { // until the news of the joins is old
		return nil, err
	}

	sent, cpu, begin := r.bytes.Load(), cpuTime(), time.Now()
	if err := pause(ctx, b.Idle); err != nil {
		return nil, err
	}
	passed := time.Since(begin)
	nodeSeconds := float64(n) * passed.Seconds()
	got := samples{
		"bytes": {float64(r.bytes.Load()-sent) / nodeSeconds},
		"cpu":   {(cpuTime() - cpu).Seconds() / nodeSeconds * 60},
	}

	bytes, goroutines := memory()
	got.add("memory", (bytes-bytesBefore)/float64(n))
	got.add("goroutines", float64(goroutines-goroutinesBefore)/float64(n))
	return got, b.writeHeap(s, n)
}

// memory returns the bytes of heap and stacks in use, after what is garbage is
// gone, and how many goroutines there are.
func memory() (bytes float64, goroutines int) {
	runtime.GC()
	runtime.GC() // the first one leaves what pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}

// cpuTime is what this process has computed so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		fail(err) // the arguments are right: it cannot fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// writeHeap writes the heap's profile while the ring runs, if one is asked for.
func (b *bench) writeHeap(s system, n int) error {
	if b.MemProfile == "" {
		return nil
	}
	f, err := os.Create(fmt.Sprintf("%s.%s.%d", b.MemProfile, s.name, n))
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.Lookup("heap").WriteTo(f, 0)
}
