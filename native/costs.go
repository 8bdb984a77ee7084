package native

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core/ledger"
)

// What those cost a node who are no nodes. What guests cost its engine is core's: see
// core.GuestCosts.
const (
	costGuests ledger.Kind = iota
	costOpenings
	costHeld
	costReaders
	costStreams
	costRequests
)

// partyShare is which part of a gateway's guests one party may have.
const partyShare = 8

// costTable is what a node bears that takes so many guests.
func costTable(maxGuests int) ledger.Table {
	most := int64(maxGuests)
	return ledger.Table{
		costGuests: {
			What: "WebSockets of guests", Beyond: "HTTP 503",
			Party: ledger.Limit{Burst: max(most/partyShare, 1)}, All: ledger.Limit{Burst: most},
		},
		costOpenings: {
			What: "WebSockets that guests open", Beyond: "HTTP 503",
			Party: ledger.Limit{Burst: max(most/2, 64), Rate: 16},
		},
		costHeld: {
			What: "bytes to and from guests that wait, or have begun", Beyond: "`slow`, `forbidden`",
			Party: ledger.Limit{Burst: 16 << 20}, All: ledger.Limit{Burst: 128 << 20},
		},
		costReaders: {
			What: "TCP connections of readers", Beyond: "HTTP 429",
			Party: ledger.Limit{Burst: 128}, All: ledger.Limit{Burst: maxReaders},
		},
		costStreams: {
			What: "streams of readers", Beyond: "HTTP 429",
			Party: ledger.Limit{Burst: 64}, All: ledger.Limit{Burst: maxReaders},
		},
		costRequests: {
			What: "requests of readers", Beyond: "HTTP 429",
			Party: ledger.Limit{Burst: 256, Rate: 32}, All: ledger.Limit{Burst: 1024, Rate: 256},
		},
	}
}

// maxReaders is how many TCP connections readers may have.
const maxReaders = 1024

// costs are a node's accounts of who costs it what, for all who ask at once.
type costs struct {
	mu    sync.Mutex
	all   *ledger.Ledger
	since time.Time
}

func newCosts(maxGuests int) *costs {
	return &costs{all: ledger.New(costTable(maxGuests)), since: time.Now()}
}

func (c *costs) now() int64 { return time.Since(c.since).Microseconds() }

// open opens an account of a party: see partyOf.
func (c *costs) open(party string) *account {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &account{costs: c, of: c.all.Open(c.now(), party)}
}

// held is how much of a kind is held.
func (c *costs) held(k ledger.Kind) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.all.Used(c.now(), k))
}

// account is one of somebody's. A nil one, as nodes and operators have, costs nothing.
type account struct {
	costs *costs
	of    *ledger.Account
}

func (a *account) take(k ledger.Kind, amount int64) ledger.Scope {
	if a == nil {
		return ledger.Enough
	}
	a.costs.mu.Lock()
	defer a.costs.mu.Unlock()
	return a.of.Take(a.costs.now(), k, amount)
}

func (a *account) give(k ledger.Kind, amount int64) {
	if a == nil {
		return
	}
	a.costs.mu.Lock()
	defer a.costs.mu.Unlock()
	a.of.Give(k, amount)
}

func (a *account) close() {
	if a == nil {
		return
	}
	a.costs.mu.Lock()
	defer a.costs.mu.Unlock()
	a.of.Close()
}

// holds says whether so many bytes more may be held, and holds them.
func (a *account) holds(bytes int) bool { return a.take(costHeld, int64(bytes)) == ledger.Enough }

func (a *account) releases(bytes int) { a.give(costHeld, int64(bytes)) }

// partyOf returns who answers for what those cost who come by a token: no secret.
func partyOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:6])
}
