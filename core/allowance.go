package core

// allowance bounds how often something may happen: a token bucket. The zero
// allowance is full.
type allowance struct {
	used int64 // of the burst, times Second
	at   int64 // the ring's clock, then
}

// take says whether there is enough left at a time, of a burst of so much that
// comes back at a rate per second, and takes it.
//
//go:noinline
func (a *allowance) take(now, amount, burst, rate int64) bool {
	back := (now - a.at) * rate
	if back < 0 || now-a.at > burst*Second/rate {
		back = a.used // all of it, and nothing runs over
	}
	a.used, a.at = max(a.used-back, 0), now
	if a.used+amount*Second > burst*Second {
		return false
	}
	a.used += amount * Second
	return true
}
