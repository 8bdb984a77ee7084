package sim

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync"
)

// hashed are 8^4 names that have one hash, as somebody hostile would make them: they are
// in one range, however deep. xxHash64 takes 64 bytes in four lanes, two words each; of
// any first word a second one leads a lane to where another pair led it.
var hashed = sync.OnceValue(func() (names []string) {
	const p1, p2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
	round := func(lane, word uint64) uint64 { return bits.RotateLeft64(lane+word*p2, 31) * p1 }
	r1, r2 := inverse(p1), inverse(p2)
	rng := rand.New(rand.NewPCG(1, 0x68617368))
	p := uint64(p1)
	var pairs [4][][2]uint64
	for lane, begins := range [4]uint64{p + p2, p2, 0, -p} {
		a, b := letters(rng), letters(rng)
		end := round(round(begins, a), b)
		for pairs[lane] = append(pairs[lane], [2]uint64{a, b}); len(pairs[lane]) < 8; {
			a := letters(rng)
			if b := (bits.RotateLeft64(end*r1, -31) - round(begins, a)) * r2; isName(b) {
				pairs[lane] = append(pairs[lane], [2]uint64{a, b})
			}
		}
	}
	for i := range 8 * 8 * 8 * 8 {
		var b []byte
		for word := range 2 {
			for lane := range 4 {
				b = binary.LittleEndian.AppendUint64(b, pairs[lane][i>>(3*lane)&7][word])
			}
		}
		names = append(names, string(b))
	}
	return names
})

// inverse is what an odd number has to be multiplied by for 1.
func inverse(p uint64) (x uint64) {
	for x = p; x*p != 1; x *= 2 - x*p {
	}
	return x
}

func letters(rng *rand.Rand) uint64 {
	var b [8]byte
	for i := range b {
		b[i] = 'a' + byte(rng.IntN(26))
	}
	return binary.LittleEndian.Uint64(b[:])
}

// isName tells whether eight bytes may be in a name.
func isName(word uint64) bool {
	for range 8 {
		if b := byte(word); b <= ' ' || b > '~' || b == '@' {
			return false
		}
		word >>= 8
	}
	return true
}
