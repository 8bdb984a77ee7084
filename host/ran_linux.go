package host

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ran is for how long each thread of this process has had a processor; none, if that cannot
// be known.
func ran() map[int]time.Duration {
	const perThread, scheduled = 4, 2 // of a clock's number: see clock_getcpuclockid(3)
	threads, _ := os.ReadDir("/proc/self/task")
	all := make(map[int]time.Duration, len(threads))
	for _, thread := range threads {
		number, _ := strconv.Atoi(thread.Name())
		var t unix.Timespec
		if unix.ClockGettime(int32(^number<<3|perThread|scheduled), &t) == nil {
			all[number] = time.Duration(t.Nano())
		}
	}
	return all
}
