// Package siege attacks a locked ring of real processes by a token that one may
// well have, or by none, with all that there is at once, while honest guests are
// in it and an operator asks; and measures, from outside, what becomes of them.
// It needs Linux, and touches nothing but loopback addresses.
package siege
